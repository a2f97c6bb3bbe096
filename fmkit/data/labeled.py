"""Batches of labeled texts, for training a classifier."""

from typing import Any

import numpy as np
import torch
from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.data.batches import Batch, Shuffled
from fmkit.data.corpora import quiet
from fmkit.data.tokenizer import PAD, special_id
from fmkit.errors import FmkitError


def tokenize_labeled(dataset: Dataset, tokenizer: Tokenizer, context_length: int) -> Dataset:
    """Columns `input_ids` (at most `context_length`, the end of a longer text is cut off) and `label`.

    Raises `FmkitError` where a column `text` or `label` is missing.
    """
    if missing := [name for name in ("text", "label") if name not in dataset.column_names]:
        raise FmkitError(f"no column {missing[0]!r}; the data has {', '.join(dataset.column_names)}")

    def ids(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        encodings = tokenizer.encode_batch_fast(batch["text"])
        return {"input_ids": [encoding.ids[:context_length] for encoding in encodings]}

    others = [name for name in dataset.column_names if name != "label"]
    with quiet():
        return dataset.map(ids, batched=True, remove_columns=others)


class LabeledLoader:
    """Endless batches of labeled texts, each text once an epoch.

    A batch holds input_ids (B, T), padded at the end, `last` (B,), the position of each text's last token,
    labels (B,), `num_items` (texts) and `num_tokens`.
    """

    def __init__(self, examples: Dataset, batch_size: int, pad_id: int, seed: int) -> None:
        self.batch_size, self.pad_id = batch_size, pad_id
        self.source = Shuffled(examples, seed)

    def __next__(self) -> Batch:
        return collate_labeled([next(self.source) for _ in range(self.batch_size)], self.pad_id)

    def state_dict(self) -> dict[str, Any]:
        return self.source.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.source.load_state_dict(state)


def labeled_batches(examples: Dataset, batch_size: int, tokenizer: Tokenizer) -> list[Batch]:
    """All examples once, in order."""
    rows, pad_id = list(examples), special_id(tokenizer, PAD)
    return [collate_labeled(rows[i : i + batch_size], pad_id) for i in range(0, len(rows), batch_size)]


def collate_labeled(rows: list[dict[str, Any]], pad_id: int) -> Batch:
    """Examples as tensors; see `LabeledLoader`."""
    lengths = [len(row["input_ids"]) for row in rows]
    input_ids = np.full((len(rows), max(lengths)), pad_id, dtype=np.int64)
    for r, row in enumerate(rows):
        input_ids[r, : lengths[r]] = row["input_ids"]
    return {
        "input_ids": torch.from_numpy(input_ids),
        "last": torch.tensor(lengths) - 1,
        "labels": torch.tensor([row["label"] for row in rows]),
        "num_items": len(rows),
        "num_tokens": sum(lengths),
    }
