"""Learning a task from examples of it."""

from functools import partial
from pathlib import Path

from datasets import DatasetDict
from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.examples import ExampleLoader, collate_labeled, example_batches, tokenize_labeled
from fmkit.data.tokenizer import PAD, special_id
from fmkit.defaults import FINETUNE
from fmkit.errors import FmkitError
from fmkit.evaluation.classification import accuracy, f1, predict_labels
from fmkit.model import Classifier, Transformer
from fmkit.objectives import choose_label, predict_tokens
from fmkit.recipes.shared import completion_data, fit_together, identity
from fmkit.run import TrainingRun, fit
from fmkit.trainer import Record, Trainer


def finetune(
    model: Classifier | Transformer,
    tokenizer: Tokenizer,
    corpus: DatasetDict,
    config: TrainConfig | None = None,
    output_dir: str | Path | None = None,
    resume: bool = False,
    mask_prompt: bool = True,
) -> TrainingRun:
    """Adapt a pre-trained model to a task, by examples of it in the splits train and validation.

    A `Classifier` learns from the columns `text` and `label` (numbers from 0), and the run records `accuracy`
    and `f1` on the validation texts. A `Transformer` learns to answer, from `prompt` and `completion` or from
    `messages`; prompts are read, not learned, unless `mask_prompt` is off. With adapters (`add_lora`) only
    these learn. Raises `FmkitError` for a missing column, a label that the model does not have, and as
    `pretrain` does.
    """
    config = config or TrainConfig(**FINETUNE)
    context = fit_together(model, tokenizer, corpus, config, (Transformer, Classifier))
    if isinstance(model, Classifier):
        return _learn_labels(model, tokenizer, corpus, config, context, output_dir, resume)
    model.require_causal()
    loader, held_out = completion_data(tokenizer, corpus, config, context, mask_prompt)
    trainer = Trainer(model, predict_tokens, loader, config)

    def validate() -> Record:
        return {"validation_loss": trainer.evaluate(held_out)}

    what = identity(model, {"corpus": corpus}, tokenizer, mask_prompt=mask_prompt)
    return fit(trainer, validate, output_dir, resume, what)


def _learn_labels(
    model: Classifier,
    tokenizer: Tokenizer,
    corpus: DatasetDict,
    config: TrainConfig,
    context: int,
    output_dir: str | Path | None,
    resume: bool,
) -> TrainingRun:
    train, validation = (
        tokenize_labeled(corpus[split], tokenizer, context, model.labels) for split in ("train", "validation")
    )
    if len(model.labels) < 2:
        raise FmkitError(f"one label only, {model.labels[0]!r}: a classifier has two or more to choose from")
    truth = list(validation["label"])
    collate = partial(collate_labeled, pad_id=special_id(tokenizer, PAD))
    held_out = example_batches(validation, 64, collate)
    trainer = Trainer(
        model, choose_label, ExampleLoader(train, config.batch_size, collate, config.seed), config
    )

    def validate() -> Record:
        predicted = predict_labels(model, held_out)
        return {
            "validation_loss": trainer.evaluate(held_out),
            "accuracy": accuracy(predicted, truth),
            "f1": f1(predicted, truth),
        }

    return fit(trainer, validate, output_dir, resume, identity(model, {"corpus": corpus}, tokenizer))
