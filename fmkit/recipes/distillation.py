"""Learning from another model: from its distributions (for texts that it writes, see writing.py)."""

import math
from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.splits import Corpus
from fmkit.errors import FmkitError
from fmkit.model import Transformer
from fmkit.objectives import imitate, predict_tokens
from fmkit.recipes.shared import (
    consult,
    fingerprint,
    fit_together,
    identity,
    require_kind,
    require_tokens,
    token_data,
)
from fmkit.run import TrainingRun, fit
from fmkit.trainer import Record, Trainer


def distill(
    student: Transformer,
    teacher: Transformer,
    tokenizer: Tokenizer,
    corpus: Corpus,
    config: TrainConfig | None = None,
    temperature: float = 2.0,
    soft_weight: float = 0.5,
    output_dir: str | Path | None = None,
    resume: bool = False,
) -> TrainingRun:
    """Train `student` on a corpus and, at each position, on what `teacher` would expect there.

    `soft_weight` of the loss is T² KL(teacher ‖ student) of distributions softened by the temperature T, the
    rest is the usual one (Hinton et al. 2015, arXiv:1503.02531, section 2). The corpus holds texts, prompts
    and completions, or messages. `validation_loss` is of the text alone, to be compared with other runs.
    Raises `FmkitError` where the models' tokens differ, and as `pretrain` does.
    """
    config = config or TrainConfig()
    require_kind(teacher, Transformer)
    if student.config.vocab_size != teacher.config.vocab_size:
        raise FmkitError(
            f"the teacher has {teacher.config.vocab_size} tokens and the student "
            f"{student.config.vocab_size}: a student needs its teacher's tokenizer"
        )
    require_tokens(teacher, tokenizer, "teacher")
    if not 0 < temperature < math.inf or not 0 <= soft_weight <= 1:
        raise FmkitError(
            f"temperature={temperature} must be positive, soft_weight={soft_weight} between 0 and 1"
        )
    if student.config.is_causal != teacher.config.is_causal:
        raise FmkitError(
            "one of the two models predicts masked tokens, the other the next one: is_causal differs"
        )
    context = fit_together(student, tokenizer, corpus, config)
    longest = teacher.config.max_position_embeddings
    if context > longest:
        raise FmkitError(f"context_length={context} is more than the teacher's {longest}")
    loader, held_out = token_data(student, tokenizer, corpus, config, context)
    objective = imitate(consult(teacher, config), temperature, soft_weight)
    trainer = Trainer(student, objective, loader, config)

    def validate() -> Record:
        return {"validation_loss": trainer.evaluate(held_out, predict_tokens)} if held_out else {}

    settings = {"temperature": temperature, "soft_weight": soft_weight}
    what = identity(
        student, {"corpus": corpus}, tokenizer, teacher=fingerprint(teacher.named_parameters()), **settings
    )
    return fit(trainer, validate, output_dir, resume, what)
