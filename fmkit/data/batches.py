"""From a corpus to batches: tokens, pieces, packed rows.

A *piece* is a document, or a part of one that is longer than the context. A *row* holds as many whole pieces
as fit, chosen best-fit first from a pool (Ding et al. 2024, arXiv:2404.10830, section 2), so nothing is cut
off and little is padding. `document_ids` keep the pieces of a row apart. The loader's state (epoch, position,
random state, pool) is small and exact: a resumed run sees the same batches as one that was never interrupted.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from datasets import Dataset, IterableDataset
from tokenizers import Tokenizer
from torch import Tensor

from fmkit.data.quiet import quiet
from fmkit.data.tokenizer import EOS, PAD, special_id
from fmkit.errors import FmkitError

IGNORE = -100  # a label that is not to be predicted, as in PyTorch and transformers
POOL_SIZE = 256  # pieces to choose from: enough to fill 99 % of a row from documents of mixed lengths

Batch = dict[str, Any]  # input_ids, labels (B, T); document_ids (B, T) or None; num_items, num_tokens


class Loader(Protocol):
    """What the trainer asks of its data. A state is a dictionary of tensors and of JSON values."""

    def __next__(self) -> Batch: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def tokenize(dataset: Dataset | IterableDataset, tokenizer: Tokenizer, context_length: int):  # type: ignore[no-untyped-def]
    """Encode a corpus as pieces: a dataset of `input_ids`, each at most `context_length` + 1 tokens.

    A document is <|bos|> text <|eos|>. Pieces of a long one overlap by a token, so that each of its tokens is
    predicted exactly once.
    """
    eos = special_id(tokenizer, EOS)

    def pieces(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        if not all(isinstance(text, str) for text in batch["text"]):
            raise FmkitError("the column 'text' holds something that is not text: leave these rows out")
        documents = [[*encoding.ids, eos] for encoding in tokenizer.encode_batch_fast(batch["text"])]
        starts = [(ids, i) for ids in documents for i in range(0, len(ids) - 1, context_length)]
        return {"input_ids": [ids[i : i + context_length + 1] for ids, i in starts]}

    with quiet():
        return dataset.map(pieces, batched=True, remove_columns=dataset.column_names)


class Shuffled:
    """The rows of a dataset in a new random order each epoch."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.dataset, self.seed = dataset, seed
        self.load_state_dict({"epoch": 0, "position": 0})

    def __next__(self) -> dict[str, Any]:
        if self.position == len(self.order):
            self.load_state_dict({"epoch": self.epoch + 1, "position": 0})
        self.position += 1
        return self.dataset[int(self.order[self.position - 1])]

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch, self.position = state["epoch"], state["position"]
        self.order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.dataset))


class _Streamed:
    """The rows of a streamed dataset in its own order, again and again."""

    def __init__(self, dataset: IterableDataset) -> None:
        self.dataset, self.start = dataset, dataset.state_dict()
        self.load_state_dict(self.start)

    def __next__(self) -> dict[str, Any]:
        row = next(self.rows, None)
        if row is None:
            self.load_state_dict(self.start)
            row = next(self.rows)
        self.moved = True
        return row

    def state_dict(self) -> dict[str, Any]:
        # The dataset's own state shows a loaded state only after the next row.
        return self.dataset.state_dict() if self.moved else self.loaded

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.loaded, self.moved = state, False
        self.dataset.load_state_dict(state)
        self.rows: Iterator[dict[str, list[int]]] = iter(self.dataset)


def open_source(pieces: Dataset | IterableDataset, seed: int) -> Shuffled | _Streamed:
    """Iterate over a dataset's rows endlessly: shuffled, or a stream's in its own order."""
    return _Streamed(pieces) if isinstance(pieces, IterableDataset) else Shuffled(pieces, seed)


class Mixed:
    """The pieces of several datasets, each with its share of the *tokens*; shares sum to 1.

    The next piece comes from the dataset that is furthest behind its share, so the mixture is always exact to
    within a piece, and not random.
    """

    def __init__(self, parts: Sequence[tuple[Dataset | IterableDataset, float]], seed: int) -> None:
        for pieces, _ in parts:
            _require_a_context(pieces, 1)
        self.sources = [open_source(pieces, seed) for pieces, _ in parts]
        self.shares = [share for _, share in parts]
        self.drawn = [0] * len(parts)  # tokens so far

    def __next__(self) -> dict[str, Any]:
        total = sum(self.drawn)
        behind = [share * total - drawn for share, drawn in zip(self.shares, self.drawn, strict=True)]
        # On a tie, as at the start, the largest share goes first.
        chosen = max(range(len(behind)), key=lambda i: (behind[i], self.shares[i]))
        piece = next(self.sources[chosen])
        self.drawn[chosen] += len(piece["input_ids"]) - 1
        return piece

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": list(self.drawn), "sources": [source.state_dict() for source in self.sources]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.drawn = list(state["drawn"])
        for source, its_state in zip(self.sources, state["sources"], strict=True):
            source.load_state_dict(its_state)


class PackedLoader:
    """Endless batches of packed rows from a dataset of pieces (see `tokenize`) or from several, `Mixed`.

    Each batch holds input_ids (B, T), labels (B, T) with the token that follows each position or `IGNORE`,
    document_ids (B, T) or None if every row is one full piece, `num_items` (labels to predict) and
    `num_tokens` (positions that are not padding). Raises `FmkitError` for a corpus shorter than a context.
    """

    def __init__(
        self,
        pieces: Dataset | IterableDataset | Mixed,
        batch_size: int,
        context_length: int,
        pad_id: int,
        seed: int,
    ) -> None:
        self.batch_size, self.context_length, self.pad_id = batch_size, context_length, pad_id
        self.source: Shuffled | _Streamed | Mixed
        if isinstance(pieces, Mixed):
            self.source = pieces
        else:
            self.source = open_source(pieces, seed)
            _require_a_context(pieces, context_length)
        self.rng = np.random.default_rng(seed)
        self.pool: list[np.ndarray] = []

    def __next__(self) -> Batch:
        rows = []
        for _ in range(self.batch_size):
            while len(self.pool) < POOL_SIZE:
                self.pool.append(np.array(next(self.source)["input_ids"], dtype=np.int32))
            first = int(self.rng.integers(len(self.pool)))
            rows.append(fill_row(self.pool, first, self.context_length))
        return collate(rows, self.context_length, self.pad_id)

    def state_dict(self) -> dict[str, Any]:
        """JSON values and, as tensors, the pool: the tokens of all its pieces and their lengths."""
        return {
            "source": self.source.state_dict(),
            "rng": self.rng.bit_generator.state,
            "pool": torch.from_numpy(np.concatenate([np.zeros(0, dtype=np.int32), *self.pool])),
            "pool_lengths": torch.tensor([len(piece) for piece in self.pool], dtype=torch.int64),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.source.load_state_dict(state["source"])
        self.rng.bit_generator.state = state["rng"]
        self.pool = [piece.numpy() for piece in state["pool"].split(state["pool_lengths"].tolist())]


def make_loader(
    dataset: Dataset | IterableDataset,
    tokenizer: Tokenizer,
    batch_size: int,
    context_length: int,
    seed: int,
) -> PackedLoader:
    """Tokenize and pack a corpus: its training batches."""
    pieces = tokenize(dataset, tokenizer, context_length)
    return PackedLoader(pieces, batch_size, context_length, special_id(tokenizer, PAD), seed)


def validation_batches(
    dataset: Dataset | IterableDataset,
    tokenizer: Tokenizer,
    batch_size: int,
    context_length: int,
    limit: int,
) -> list[Batch]:
    """Pack the first `limit` rows of a corpus, in order: the same at every call and for any batch size."""
    rows: list[list[np.ndarray]] = []
    pool: list[np.ndarray] = []
    pieces = iter(tokenize(dataset, tokenizer, context_length))
    for _ in range(limit):
        while len(pool) < POOL_SIZE and (piece := next(pieces, None)):
            pool.append(np.array(piece["input_ids"], dtype=np.int32))
        if not pool:
            break
        rows.append(fill_row(pool, 0, context_length))
    groups = [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    return [collate(group, context_length, special_id(tokenizer, PAD)) for group in groups]


def fill_row(pool: list[np.ndarray], first: int, context_length: int) -> list[np.ndarray]:
    """Take piece `first` from the pool, then the largest that fits into what is left, until none does.

    A piece of n tokens fills n - 1 positions: its last token is only ever predicted.
    """
    row = [pool.pop(first)]
    space = context_length - (len(row[0]) - 1)
    while fitting := [i for i, piece in enumerate(pool) if len(piece) - 1 <= space]:
        row.append(pool.pop(max(fitting, key=lambda i: len(pool[i]))))
        space -= len(row[-1]) - 1
    return row


def collate(rows: list[list[np.ndarray]], context_length: int, pad_id: int) -> Batch:
    """Turn rows of pieces into tensors (B, T); padding has the document id -1 and nothing to predict."""
    shape = (len(rows), context_length)
    input_ids, labels = np.full(shape, pad_id, dtype=np.int64), np.full(shape, IGNORE, dtype=np.int64)
    document_ids = np.full(shape, -1, dtype=np.int32)
    for r, row in enumerate(rows):
        start = 0
        for number, piece in enumerate(row):
            end = start + len(piece) - 1
            input_ids[r, start:end], labels[r, start:end] = piece[:-1], piece[1:]
            document_ids[r, start:end] = number
            start = end
    num_tokens = int((document_ids >= 0).sum())
    one_document = bool((document_ids == 0).all())
    return {
        "input_ids": torch.from_numpy(input_ids),
        "labels": torch.from_numpy(labels),
        "document_ids": None if one_document else torch.from_numpy(document_ids),
        "num_items": num_tokens,
        "num_tokens": num_tokens,
    }


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move the batch's tensors to `device`; the copy to a GPU overlaps with its computation."""

    def move(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        pin = device.type == "cuda" and value.device.type == "cpu"
        return (value.pin_memory() if pin else value).to(device, non_blocking=pin)

    return {name: move(value) for name, value in batch.items()}


def _require_a_context(pieces: Dataset | IterableDataset, context_length: int) -> None:
    tokens = 0
    for piece in pieces:
        tokens += len(piece["input_ids"]) - 1
        if tokens >= context_length:
            return
    raise FmkitError(
        f"the corpus has {tokens} tokens and a context {context_length}: "
        "give more text or a smaller context_length"
    )
