"""How well a model predicts texts: perplexity and bits per byte."""

import math
import sys
from collections.abc import Sequence

import torch
from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.data.batches import Batch, to_device, validation_batches
from fmkit.data.given import as_texts
from fmkit.data.tables import Data
from fmkit.data.tokenizer import as_tokenizer
from fmkit.errors import FmkitError
from fmkit.generation import require_writer
from fmkit.model import Transformer
from fmkit.objectives import language_modeling

BATCH = 16  # rows that are read at a time


@torch.no_grad()
def total_nats(model: Transformer, batches: Sequence[Batch]) -> tuple[float, int]:
    """Sum the nats of all labels of `batches`, and count them."""
    require_writer(model)
    model.eval()
    nats = sum(language_modeling(model, to_device(batch, model.device)).item() for batch in batches)
    return nats, sum(batch["num_items"] for batch in batches)


def perplexity(model: Transformer, tokenizer: Tokenizer, texts: Data) -> float:
    """Compute exp of the mean nats a token: the number of equally likely tokens that are as hard to predict.

    It depends on the tokenizer: compare models that have different ones by bits per byte. A text's end
    counts as a token; one longer than the context is read in parts. Raises `FmkitError` for no texts.
    """
    return exp_mean(*total_nats(model, _batches(model, tokenizer, texts)))


def exp_mean(nats: float, tokens: int) -> float:
    """Compute exp of the mean of so many nats of so many tokens; infinite from 710 nats a token."""
    try:
        return math.exp(nats / tokens)
    except OverflowError:
        return math.inf


def bits_per_byte(model: Transformer, tokenizer: Tokenizer, texts: Data) -> float:
    """Compute what an ideal coder with this model needs for each byte of UTF-8, a text's end included.

    Comparable between tokenizers that lose nothing (Gao et al. 2020, arXiv:2101.00027, section 3.1); standard
    error says where one does. Raises `FmkitError` for no texts.
    """
    texts, tokenizer = as_texts(texts), as_tokenizer(tokenizer)
    nats, _ = total_nats(model, _batches(model, tokenizer, texts))
    encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    again = tokenizer.decode_batch([each.ids for each in encoded])
    if lost := sum(text != other for text, other in zip(texts, again, strict=True)):
        print(
            f"fmkit: the tokenizer does not give back {lost} of {len(texts)} texts as they were: "
            "bits_per_byte counts what it loses as free",
            file=sys.stderr,
        )
    return nats / math.log(2) / sum(len(text.encode()) for text in texts)


def _batches(model: Transformer, tokenizer: Tokenizer, texts: Data) -> list[Batch]:
    require_writer(model)
    tokenizer, texts = as_tokenizer(tokenizer), as_texts(texts)
    if not any(texts):
        raise FmkitError("no texts to measure: give one or more that are not empty")
    dataset = Dataset.from_dict({"text": texts})
    context = model.config.max_position_embeddings
    return validation_batches(dataset, tokenizer, BATCH, context, limit=sys.maxsize)
