"""Fine-tuning: learn a task from examples of it."""

from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import FINETUNE, TrainConfig
from fmkit.data.tables import Data
from fmkit.errors import FmkitError
from fmkit.evaluation.classification import accuracy, f1, predict_labels
from fmkit.model import Classifier, Transformer
from fmkit.objectives import classification, language_modeling
from fmkit.recipes.prepare import accept, prepare_completions, prepare_labeled
from fmkit.run import Callbacks, TrainingRun, fit
from fmkit.trainer import Record, Trainer


def finetune(
    model: Classifier | Transformer,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig | None = None,
    *,
    mask_prompt: bool = True,
    output_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Adapt a pre-trained model to a task, by examples of it (see `fmkit.recipes` for the data).

    A `Classifier` learns from the columns `text` and `label` (names or numbers), and the run records
    `accuracy` and `f1` on the validation texts. A `Transformer` learns to answer, from `prompt` and
    `completion` or from `messages`; prompts are read, not learned, unless `mask_prompt` is off, and so is
    always what the assistant says with `weight` 0. With adapters (`add_lora`) only these learn. Raises
    `FmkitError` for a missing column, a label that the model does not have, and as `pretrain` does.
    """
    tokenizer, config = accept(model, tokenizer, config, FINETUNE, Transformer, Classifier)
    if isinstance(model, Classifier):
        return _learn_labels(model, tokenizer, data, config, output_dir, resume, callbacks)
    loader, held_out, identity = prepare_completions(model, tokenizer, data, config, mask_prompt)
    trainer = Trainer(model, language_modeling, loader, config)

    def validate() -> Record:
        return {"validation_loss": trainer.evaluate(held_out)}

    identity["mask_prompt"] = mask_prompt
    return fit(trainer, validate, output_dir, resume, identity, callbacks)


def _learn_labels(
    model: Classifier,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig,
    output_dir: str | Path | None,
    resume: bool,
    callbacks: Callbacks,
) -> TrainingRun:
    loader, held_out, identity = prepare_labeled(model, tokenizer, data, config)
    if len(model.labels) < 2:
        raise FmkitError(f"one label only, {model.labels[0]!r}: a classifier needs two or more labels")
    truth = [label for batch in held_out for label in batch["labels"].tolist()]
    trainer = Trainer(model, classification, loader, config)

    def validate() -> Record:
        predicted = predict_labels(trainer.model, held_out)
        return {
            "validation_loss": trainer.evaluate(held_out),
            "accuracy": accuracy(predicted, truth),
            "f1": f1(predicted, truth),
        }

    return fit(trainer, validate, output_dir, resume, identity, callbacks)
