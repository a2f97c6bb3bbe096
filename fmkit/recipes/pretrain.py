"""Pre-training: learn from raw text, from the start."""

from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.tables import Data
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.recipes.prepare import accept, prepare_texts
from fmkit.run import Callbacks, TrainingRun, fit
from fmkit.trainer import Record, Trainer


def pretrain(
    model: Transformer,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig | None = None,
    *,
    output_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Learn to predict the next token of raw text or, for a model with `is_causal` off, masked tokens.

    `data` is what `load_corpus` returns, or any texts, with or without the splits train and validation (see
    `fmkit.recipes`). With `output_dir`, metrics, checkpoints and the final model are written there, and
    `resume` continues a run that was stopped. Raises `FmkitError` for a corpus shorter than a context or
    without texts, for a tokenizer larger than the model or other than the one it was trained with, and as
    `fmkit.run.fit` does.
    """
    tokenizer, config = accept(model, tokenizer, config, {}, Transformer)
    loader, held_out, identity = prepare_texts(model, tokenizer, data, config)
    trainer = Trainer(model, language_modeling, loader, config)

    def validate() -> Record:
        return {"validation_loss": trainer.evaluate(held_out)} if held_out else {}

    return fit(trainer, validate, output_dir, resume, identity, callbacks)
