"""What a model has kept of the texts that it was trained on: canaries, membership, verbatim copies."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from fmkit.data.batches import Batch, collate, to_device
from fmkit.data.given import as_texts
from fmkit.data.tokenizer import EOS, PAD, as_tokenizer, special_id
from fmkit.errors import FmkitError
from fmkit.generation import require_writer
from fmkit.model import Transformer
from fmkit.objectives import log_probs
from fmkit.settings import as_several

BATCH = 256  # texts that are read at a time


def text_nats(model: Transformer, tokenizer: Tokenizer, texts: Sequence[str]) -> list[float]:
    """Compute −log p of each whole text, its end included, in nats.

    Raises `FmkitError` for no texts, and for one longer than the model's context.
    """
    return [nats for nats, _ in _measured(model, tokenizer, texts)]


def text_losses(model: Transformer, tokenizer: Tokenizer, texts: Sequence[str]) -> list[float]:
    """Compute the mean nats a token of each text, its end included; errors as in `text_nats`."""
    return [nats / tokens for nats, tokens in _measured(model, tokenizer, texts)]


def exposures(
    model: Transformer, tokenizer: Tokenizer, text: str, secrets: Sequence[str], candidates: Sequence[str]
) -> list[float]:
    """Compute the exposure in bits of each of `secrets` in `text`, whose `{}` is where a secret belongs.

    All candidates are scored, so the rank is exact (Carlini et al. 2019, arXiv:1802.08232, section 4): log2
    of their number, minus log2 of the rank of the secret among them, the likeliest first. It is log2 of the
    number for the first, 0 for the last, and log2(e) = 1.44 on average if nothing was learned. Raises
    `FmkitError` for a text without `{}`, and for a secret that isn't among the candidates.
    """
    if text.count("{}") != 1:
        raise FmkitError(f"{text!r:.60} needs {{}} once: the place of the secret")
    secrets, candidates = as_several(secrets), as_several(candidates)
    places = {candidate: i for i, candidate in enumerate(candidates)}
    if unknown := [secret for secret in secrets if secret not in places]:
        raise FmkitError(f"secret {unknown[0]!r:.60} is not among the {len(candidates)} candidates")
    nats = text_nats(model, tokenizer, [text.replace("{}", candidate) for candidate in candidates])
    ordered = sorted(nats)
    ranks = [1 + bisect_left(ordered, nats[places[secret]]) for secret in secrets]
    return [math.log2(len(candidates)) - math.log2(rank) for rank in ranks]


def membership_auc(members: Sequence[float], others: Sequence[float]) -> float:
    """How well the losses of texts tell `members` of the training set from `others`: the area under the ROC
    curve of Yeom et al. 2018 (arXiv:1709.01604), who call a text a member if its loss is low.

    It is the probability that a member has a lower loss than another text; 0.5 is a coin flip. The two groups
    must be drawn at random from the same texts, or it measures how these differ (Duan et al. 2024,
    arXiv:2402.07841). Raises `FmkitError` for an empty group, and without scikit-learn.
    """
    members, others = as_several(members), as_several(others)
    if not members or not others:
        raise FmkitError("membership needs losses of members and of others: one of the two has none")
    roc_auc_score = _scikit_learn().roc_auc_score
    is_member = [True] * len(members) + [False] * len(others)
    return float(roc_auc_score(is_member, -np.array([*members, *others])))


def longest_copy(written: Sequence[Any], source: Sequence[Any]) -> int:
    """Count the items (tokens, words, characters) of the longest run in `written` that `source` has, too."""
    matcher = SequenceMatcher(None, written, source, autojunk=False)
    return matcher.find_longest_match().size


@torch.no_grad()
def _measured(model: Transformer, tokenizer: Tokenizer, texts: Sequence[str]) -> list[tuple[float, int]]:
    """The nats and the number of predicted tokens of each text."""
    require_writer(model)
    model.eval()
    tokenizer, texts = as_tokenizer(tokenizer), as_texts(texts)
    end, context = special_id(tokenizer, EOS), model.config.max_position_embeddings
    pieces = [np.array([*coded.ids, end]) for coded in tokenizer.encode_batch_fast(texts)]
    longest = max(range(len(pieces)), key=lambda i: len(pieces[i]))
    if len(pieces[longest]) - 1 > context:
        raise FmkitError(
            f"text {longest + 1} has {len(pieces[longest]) - 1} tokens and the model's context {context}: "
            "shorten it"
        )
    nats: list[float] = []
    for start in range(0, len(pieces), BATCH):
        batch = _one_a_row(pieces[start : start + BATCH], special_id(tokenizer, PAD))
        nats += (-log_probs(model, to_device(batch, model.device))).tolist()
    return [(value, len(piece) - 1) for value, piece in zip(nats, pieces, strict=True)]


def _one_a_row(pieces: Sequence[np.ndarray], pad_id: int) -> Batch:
    """A batch with a row for each piece; what follows a piece is padding, which it does not see."""
    batch = collate([[piece] for piece in pieces], max(map(len, pieces)) - 1, pad_id)
    return {**batch, "document_ids": None}


def _scikit_learn() -> Any:
    try:
        import sklearn.metrics
    except ImportError:
        raise FmkitError("membership needs scikit-learn: pip install 'fmkit[evaluation]'") from None
    return sklearn.metrics
