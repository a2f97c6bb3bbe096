"""Masked-token training: the data that differs, nothing else."""

from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from fmkit.data.batches import IGNORE, Batch, PackedLoader
from fmkit.data.tokenizer import MASK, special_id
from fmkit.errors import FmkitError

SHARE = 0.15  # of the tokens, that are to be predicted: BERT's
TRIES = 1000  # batches in a row without a token to hide, before this is an error


def mask_tokens(
    input_ids: Tensor, vocab_size: int, mask_id: int, generator: torch.Generator, share: float = SHARE
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
    """The batches of another loader with a share of the tokens hidden and only these to predict."""

    def __init__(self, loader: PackedLoader, tokenizer: Tokenizer, seed: int, share: float = SHARE) -> None:
        self.loader, self.tokenizer, self.share = loader, tokenizer, share
        self.generator = torch.Generator().manual_seed(seed)

    def __next__(self) -> Batch:
        """Return the next batch of which a token is hidden: a short one may by chance have none."""
        for _ in range(TRIES):
            batch = mask_batch(next(self.loader), self.tokenizer, self.generator, self.share)
            if batch["num_items"]:
                return batch
        raise FmkitError(f"no token to hide in {TRIES} batches: the texts have nothing but special tokens")

    def state_dict(self) -> dict[str, Any]:
        return {**self.loader.state_dict(), "masks": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.loader.load_state_dict(state)
        self.generator.set_state(state["masks"])


def mask_batches(batches: list[Batch], tokenizer: Tokenizer) -> list[Batch]:
    """Hide the same tokens at every call and for any batch size, for validation."""
    generator = torch.Generator().manual_seed(0)
    masked = []
    for batch in batches:
        rows = [_mask(row, tokenizer, generator) for row in batch["input_ids"]]
        masked.append(_with_labels(batch, *map(torch.stack, zip(*rows, strict=True))))
    return [batch for batch in masked if batch["num_items"]]


def mask_batch(batch: Batch, tokenizer: Tokenizer, generator: torch.Generator, share: float = SHARE) -> Batch:
    """Hide tokens of one batch; see `mask_tokens`."""
    return _with_labels(batch, *_mask(batch["input_ids"], tokenizer, generator, share))


def _mask(
    input_ids: Tensor, tokenizer: Tokenizer, generator: torch.Generator, share: float = SHARE
) -> tuple[Tensor, Tensor]:
    size, mask_id = tokenizer.get_vocab_size(), special_id(tokenizer, MASK)
    return mask_tokens(input_ids, size, mask_id, generator, share)


def _with_labels(batch: Batch, input_ids: Tensor, labels: Tensor) -> Batch:
    return {**batch, "input_ids": input_ids, "labels": labels, "num_items": int((labels != IGNORE).sum())}
