"""Distillation: learn from a larger model's distributions (from texts that it writes: see write.py)."""

import math
from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.tables import Data
from fmkit.errors import FmkitError
from fmkit.model import Transformer, require_kind
from fmkit.objectives import distillation, language_modeling
from fmkit.recipes.prepare import accept, fingerprint, freeze, prepare_tokens, require_tokens
from fmkit.run import Callbacks, TrainingRun, fit
from fmkit.settings import require_numbers
from fmkit.trainer import Record, Trainer


def distill(
    model: Transformer,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig | None = None,
    *,
    teacher: Transformer,
    temperature: float = 2.0,
    soft_weight: float = 0.5,
    output_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Train `model`, the student, on data and, at each position, on what `teacher` expects there.

    `soft_weight` of the loss is T² KL(teacher ‖ student) of distributions softened by the temperature T, the
    rest is the usual loss (Hinton et al. 2015, arXiv:1503.02531, section 2). The data holds texts, prompts
    and completions, or messages. `validation_loss` is the usual loss alone, comparable with other runs.
    Raises `FmkitError` where the models' tokens differ, and as `pretrain` does.
    """
    tokenizer, config = accept(model, tokenizer, config, {}, Transformer)
    _require_teacher(teacher, model, tokenizer, config)
    require_numbers(float, temperature=temperature, soft_weight=soft_weight)
    if not 0 < temperature < math.inf or not 0 <= soft_weight <= 1:
        raise FmkitError(
            f"temperature={temperature} must be positive, soft_weight={soft_weight} between 0 and 1"
        )
    loader, held_out, identity = prepare_tokens(model, tokenizer, data, config)
    objective = distillation(freeze(teacher, config), temperature, soft_weight)
    trainer = Trainer(model, objective, loader, config)

    def validate() -> Record:
        return {"validation_loss": trainer.evaluate(held_out, language_modeling)} if held_out else {}

    identity |= {"temperature": temperature, "soft_weight": soft_weight}
    identity["teacher"] = fingerprint(teacher.named_parameters())
    return fit(trainer, validate, output_dir, resume, identity, callbacks)


def _require_teacher(
    teacher: Transformer, student: Transformer, tokenizer: Tokenizer, config: TrainConfig
) -> None:
    """Raise `FmkitError` for a teacher that cannot teach this student."""
    require_kind(teacher, Transformer)
    theirs, ours = teacher.config, student.config
    if ours.vocab_size != theirs.vocab_size:
        raise FmkitError(
            f"the teacher has {theirs.vocab_size} tokens and the student {ours.vocab_size}: "
            "a student needs its teacher's tokenizer"
        )
    require_tokens(teacher, tokenizer, "teacher")
    if ours.is_causal != theirs.is_causal:
        raise FmkitError(
            "one of the two models predicts masked tokens, the other the next one: is_causal differs"
        )
    context = config.context_length or ours.max_position_embeddings
    if context > theirs.max_position_embeddings:
        raise FmkitError(
            f"context_length={context} is more than the teacher's {theirs.max_position_embeddings}"
        )
