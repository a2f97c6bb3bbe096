"""Ways of training: an objective, the data it needs, and defaults. The loop is the same for all."""

import hashlib
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, IterableDatasetDict
from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.batches import Loader, make_loader, validation_batches
from fmkit.data.corpora import content_hash
from fmkit.data.labeled import LabeledLoader, labeled_batches, tokenize_labeled
from fmkit.data.masking import MaskedLoader, mask_batches
from fmkit.data.tokenizer import PAD, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.classification import accuracy, f1, predict_labels
from fmkit.model import Classifier, Model, Transformer
from fmkit.run import TrainingRun, fit
from fmkit.trainer import Record, Trainer, choose_label, predict_tokens


def pretrain(
    model: Transformer,
    tokenizer: Tokenizer,
    corpus: DatasetDict | IterableDatasetDict,
    config: TrainConfig | None = None,
    output_dir: str | Path | None = None,
    resume: bool = False,
) -> TrainingRun:
    """Learn by predicting: the next token of raw text or, for a model with `is_causal` off, masked tokens.

    `corpus` has the splits train and validation and a column `text` (see `load_corpus`). With `output_dir`,
    metrics, checkpoints and the final model are left there, and `resume` goes on where a stopped run was.
    Raises `FmkitError` for a corpus shorter than a context, a tokenizer that is larger than the model, and as
    `fmkit.run.fit` says.
    """
    config = config or TrainConfig()
    context = _fit_together(model, tokenizer, config)
    shape = (tokenizer, config.batch_size, context)
    packed = make_loader(corpus["train"], *shape, config.seed)
    loader: Loader = packed
    held_out = validation_batches(corpus["validation"], *shape, config.eval_batches)
    if not model.config.is_causal:
        loader = MaskedLoader(packed, tokenizer, config.seed)
        held_out = mask_batches(held_out, tokenizer)
    trainer = Trainer(model, predict_tokens, loader, config)

    def validate() -> Record:
        return {"validation_loss": trainer.evaluate(held_out)} if held_out else {}

    return fit(trainer, validate, output_dir, resume, _identity(corpus, tokenizer))


def finetune(
    model: Classifier,
    tokenizer: Tokenizer,
    corpus: DatasetDict,
    config: TrainConfig | None = None,
    output_dir: str | Path | None = None,
    resume: bool = False,
) -> TrainingRun:
    """Learn from labeled texts: adapt a pre-trained model to one task.

    `corpus` has the splits train and validation and the columns `text` and `label` (numbers from 0). The run
    records, beside the loss, `accuracy` and `f1` on the validation texts. Raises `FmkitError` for a missing
    column, a label that the model does not have, and as `pretrain` does.
    """
    config = config or TrainConfig()
    context = _fit_together(model, tokenizer, config)
    train, validation = (
        tokenize_labeled(corpus[split], tokenizer, context) for split in ("train", "validation")
    )
    truth = list(validation["label"])
    if unknown := {*train["label"], *truth} - set(range(len(model.labels))):
        raise FmkitError(f"label {min(unknown)} is none of the model's {len(model.labels)} labels")
    loader = LabeledLoader(train, config.batch_size, special_id(tokenizer, PAD), config.seed)
    held_out = labeled_batches(validation, 64, tokenizer)
    trainer = Trainer(model, choose_label, loader, config)

    def validate() -> Record:
        predicted = predict_labels(model, held_out)
        return {
            "validation_loss": trainer.evaluate(held_out),
            "accuracy": accuracy(predicted, truth),
            "f1": f1(predicted, truth),
        }

    return fit(trainer, validate, output_dir, resume, _identity(corpus, tokenizer))


def _fit_together(model: Model, tokenizer: Tokenizer, config: TrainConfig) -> int:
    """Give the model its tokenizer; the context length to train with. Raises where sizes do not fit."""
    longest = model.config.max_position_embeddings
    context = config.context_length or longest
    if context > longest:
        raise FmkitError(
            f"context_length={context} is more than the model's max_position_embeddings={longest}"
        )
    if tokenizer.get_vocab_size() > model.config.vocab_size:
        raise FmkitError(
            f"the tokenizer has {tokenizer.get_vocab_size()} tokens and the model "
            f"vocab_size={model.config.vocab_size}: make them equal"
        )
    model.tokenizer = tokenizer
    return context


def _identity(corpus: DatasetDict | IterableDatasetDict, tokenizer: Tokenizer) -> dict[str, Any]:
    """What else must be equal for a resumed run to be the same run. A stream is trusted to be."""
    whole = isinstance(corpus["train"], Dataset)
    return {
        "corpus": content_hash(corpus) if whole else "streamed",
        "tokenizer": hashlib.sha256(tokenizer.to_str().encode()).hexdigest(),
    }
