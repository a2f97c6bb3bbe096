"""BERTScore: how alike two texts are, by the vectors that a model gives their tokens.

Zhang et al. 2020 (arXiv:1904.09675, section 3). Each token of one text is matched with the most similar one
of the other, whatever that one is matched with itself.
"""

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor

from fmkit.checkpoint import load_config
from fmkit.config import choose_device
from fmkit.data.example_batches import tell_lost
from fmkit.data.tokenizer import as_tokenizer, load_tokenizer
from fmkit.errors import FmkitError
from fmkit.evaluation.activations import trace
from fmkit.evaluation.overlap import References, paired
from fmkit.hub import find_model
from fmkit.model import Classifier, Transformer, require_kind


class Match(NamedTuple):
    """How well a prediction's tokens are matched in the reference, its tokens in the prediction, and the
    harmonic mean of both."""

    precision: float
    recall: float
    f1: float


def bert_score(
    predictions: Sequence[str],
    references: References,
    model: str | Path,
    layer: int | None = None,
    device: str | None = None,
) -> list[Match]:
    """Score each prediction with its reference; of several, the best counts, for each number on its own.

    By `bert-score` as it is: all tokens weigh the same, scores are not rescaled, and a text longer than the
    context is cut off, as standard error says. `model` is a directory in Hugging Face's format or an id of
    the Hub; `layer` says after how many blocks the vectors are taken, of a Llama model after its last norm,
    too (None: all of them). They are computed on `device` (None: the best there is).

    The library leaves [CLS] and [SEP] out, which a Llama tokenizer does not have: there `<|bos|>` counts as a
    token. It also takes a text of two tokens for an empty one, so one of `<|bos|>` and a single token has no
    score. A prediction that says nothing has a score of 0. Where the best cosine of a token is negative, it
    counts as 0 if the library has padded the text that it was looked for in.

    Raises `FmkitError` as `paired` does, for a directory without a model, for a layer that it does not have,
    for a text without a score, for a device that isn't there, and if bert-score is not installed.
    """
    pairs, place = paired(predictions, references), str(choose_device(device))
    model = find_model(model)
    config = load_config(model)
    layers = config.get("num_hidden_layers", 0)
    layer = _require_layer(layers if layer is None else layer, layers)
    _require_tokens(pairs, load_tokenizer(model), config.get("max_position_embeddings", sys.maxsize))
    said = [pair for pair in pairs if pair[0].strip()]
    scores = iter(_score(said, str(model), layer, place) if said else [])
    return [next(scores) if prediction.strip() else Match(0.0, 0.0, 0.0) for prediction, _ in pairs]


def _score(pairs: Sequence[tuple[str, list[str]]], model: str, layer: int, device: str) -> list[Match]:
    score, texts = _library().score, [list(column) for column in zip(*pairs, strict=True)]
    with redirect_stderr(io.StringIO()):  # a progress bar for the weights
        found = score(*texts, model_type=model, num_layers=layer, device=device)
    return [Match(*values) for values in zip(*(column.tolist() for column in found), strict=True)]


def _require_tokens(pairs: Sequence[tuple[str, list[str]]], tokenizer: Tokenizer, context: int) -> None:
    """Refuse what bert-score would take for an empty text, and empty references; tell what it cuts off."""
    lengths = []
    for number, (prediction, its) in enumerate(pairs, 1):
        for text in (prediction, *its):
            lengths.append(len(tokenizer.encode(text.strip()).ids))
            if lengths[-1] < 3 and (text.strip() or text in its):
                raise FmkitError(
                    f"pair {number}: {text!r} is too short for bert-score, which takes it for an empty text: "
                    "compare such answers by exact_match"
                )
    cut = sum(length > context for length in lengths)
    tell_lost(cut, len(lengths), "texts are cut off: they exceed", context)


def _require_layer(layer: int, layers: int) -> int:
    if not 0 <= layer <= layers:
        raise FmkitError(f"layer {layer} of a model of {layers}: choose 0, its embeddings, to {layers}")
    return layer


def _library() -> Any:
    try:
        import bert_score
    except ImportError:
        raise FmkitError("BERTScore needs bert-score: pip install 'fmkit[evaluation]'") from None
    return bert_score


@torch.no_grad()
def token_vectors(model: Transformer, tokenizer: Tokenizer, text: str, layer: int | None = None) -> Tensor:
    """Return the vectors (T, d) of a text's tokens, of which the first is `<|bos|>`.

    They are those that `bert-score` compares: the numbers after `layer` blocks (0: the embeddings, None: all
    blocks), then the model's last norm. Raises `FmkitError` for a layer that the model does not have.
    """
    require_kind(model, Transformer, Classifier)
    tokenizer, layers = as_tokenizer(tokenizer), model.config.num_hidden_layers
    layer = _require_layer(layers if layer is None else layer, layers)
    ids = tokenizer.encode(text.strip()).ids[: model.config.max_position_embeddings]
    parts = trace(model.eval(), torch.tensor([ids], device=model.device))
    return model.model.norm(parts[f"block {layer}" if layer else "embedding"])[0]


def cosines(prediction: Tensor, reference: Tensor) -> Tensor:
    """Compute the cosine (P, R) of each of P vectors with each of R, all (…, d)."""
    rows, columns = (torch.nn.functional.normalize(vectors, dim=-1) for vectors in (prediction, reference))
    return rows @ columns.T


def greedy_match(similar: Tensor) -> Match:
    """Match each row of a matrix of cosines, and each column, with its largest one, and take the means."""
    precision, recall = similar.amax(1).mean().item(), similar.amax(0).mean().item()
    return Match(precision, recall, 2 * precision * recall / (precision + recall))
