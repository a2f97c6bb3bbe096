"""Masked-token training: the data that differs, nothing else."""

from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from fmkit.data.batches import IGNORE, Batch, PackedLoader
from fmkit.data.tokenizer import MASK, special_id


def mask_tokens(
    input_ids: Tensor, vocab_size: int, mask_id: int, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Hide tokens for masked-token training (Devlin et al. 2018, arXiv:1810.04805, section 3.1).

    Of the `share` chosen, 80 % become the mask, 10 % a random token, 10 % stay. Special tokens (the ids up to
    `mask_id`) are never chosen. Returns the corrupted ids and the labels, both (B, T).
    """
    draws = torch.rand(input_ids.shape, generator=generator)
    chosen = (draws < share) & (input_ids > mask_id)
    labels = torch.where(chosen, input_ids, IGNORE)
    random_ids = torch.randint(mask_id + 1, vocab_size, input_ids.shape, generator=generator)
    corrupted = torch.where(chosen & (draws < 0.8 * share), mask_id, input_ids)
    corrupted = torch.where(chosen & (draws >= 0.9 * share), random_ids, corrupted)
    return corrupted, labels


class MaskedLoader:
    """The batches of another loader with some tokens hidden and only these to predict."""

    def __init__(self, loader: PackedLoader, tokenizer: Tokenizer, seed: int) -> None:
        self.loader, self.tokenizer = loader, tokenizer
        self.generator = torch.Generator().manual_seed(seed)

    def __next__(self) -> Batch:
        return mask_batch(next(self.loader), self.tokenizer, self.generator)

    def state_dict(self) -> dict[str, Any]:
        return {**self.loader.state_dict(), "masks": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.loader.load_state_dict(state)
        self.generator.set_state(state["masks"])


def mask_batches(batches: list[Batch], tokenizer: Tokenizer) -> list[Batch]:
    """Hide the same tokens of the batches at every call, for validation."""
    generator = torch.Generator().manual_seed(0)
    masked = [mask_batch(batch, tokenizer, generator) for batch in batches]
    return [batch for batch in masked if batch["num_items"]]


def mask_batch(batch: Batch, tokenizer: Tokenizer, generator: torch.Generator) -> Batch:
    """Hide tokens of one batch; see `mask_tokens`."""
    mask_id, vocab_size = special_id(tokenizer, MASK), tokenizer.get_vocab_size()
    input_ids, labels = mask_tokens(batch["input_ids"], vocab_size, mask_id, generator)
    return {**batch, "input_ids": input_ids, "labels": labels, "num_items": int((labels != IGNORE).sum())}
