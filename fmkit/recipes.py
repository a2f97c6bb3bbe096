"""Ways of training: an objective, the data it needs, and defaults. The loop is the same for all."""

import hashlib
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, IterableDatasetDict
from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.batches import make_loader, validation_batches
from fmkit.data.corpora import content_hash
from fmkit.errors import FmkitError
from fmkit.model import Transformer
from fmkit.run import TrainingRun, fit
from fmkit.trainer import Trainer, predict_tokens


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
    context = config.context_length or model.config.max_position_embeddings
    if context > model.config.max_position_embeddings:
        raise FmkitError(
            f"context_length={context} is more than the model's "
            f"max_position_embeddings={model.config.max_position_embeddings}"
        )
    if tokenizer.get_vocab_size() > model.config.vocab_size:
        raise FmkitError(
            f"the tokenizer has {tokenizer.get_vocab_size()} tokens and the model "
            f"vocab_size={model.config.vocab_size}: make them equal"
        )
    causal = model.config.is_causal
    loader = make_loader(corpus["train"], tokenizer, config.batch_size, context, config.seed, causal)
    validation = validation_batches(
        corpus["validation"], tokenizer, config.batch_size, context, config.eval_batches, causal
    )
    model.tokenizer = tokenizer
    trainer = Trainer(model, predict_tokens, loader, config)
    return fit(trainer, validation, output_dir, resume, _identity(corpus, tokenizer))


def _identity(corpus: DatasetDict | IterableDatasetDict, tokenizer: Tokenizer) -> dict[str, Any]:
    """What else must be equal for a resumed run to be the same run. A stream is trusted to be."""
    whole = isinstance(corpus["train"], Dataset)
    return {
        "corpus": content_hash(corpus) if whole else "streamed",
        "tokenizer": hashlib.sha256(tokenizer.to_str().encode()).hexdigest(),
    }
