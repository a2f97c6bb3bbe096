"""The models without a part: what they can no longer do, or can do that they should not."""

import pytest
import torch
from torch import Tensor

from bookkit.experiments.digits import GRAYS, PIXELS, rows
from bookkit.experiments.parts import DROPS
from fmkit.config import ModelConfig
from fmkit.model import Transformer

SIZE = ModelConfig(
    vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, rms_norm_eps=1e-9
)
TEXT, SWAPPED, OTHER_END = [1, 2, 3, 4, 5], [1, 3, 2, 4, 5], [1, 2, 3, 4, 6]


def without(part: str) -> Transformer:
    model = Transformer(SIZE)
    for weight in model.parameters():
        weight.data *= 5  # so that every part has something to say
    DROPS[part](model)
    return model


def scale(model: Transformer, by: float, *matrices: str) -> None:
    for name, weight in model.named_parameters():
        if name.split(".")[-2] in matrices:
            weight.data *= by


@torch.no_grad()
def read(model: Transformer, ids: list[int]) -> Tensor:
    return model(torch.tensor([ids]))[0]


def differ(one: Tensor, other: Tensor) -> bool:
    return float((one - other).abs().max()) > 1e-3


@pytest.mark.parametrize("part", ["nothing", "positions"])
def test_order_needs_positions(part: str) -> None:
    model = without(part)
    assert differ(read(model, TEXT)[-1], read(model, SWAPPED)[-1]) == (part == "nothing")


@pytest.mark.parametrize("part", ["nothing", "mask"])
def test_the_mask_hides_what_follows(part: str) -> None:
    model = without(part)
    assert differ(read(model, TEXT)[0], read(model, OTHER_END)[0]) == (part == "mask")


@pytest.mark.parametrize("part", ["nothing", "attention"])
def test_only_attention_looks_at_others(part: str) -> None:
    model = without(part)
    assert differ(read(model, TEXT)[-1], read(model, [7, *TEXT[1:]])[-1]) == (part == "nothing")


def test_a_chain_keeps_only_the_last_part() -> None:
    model = without("residual")
    scale(model, 0, "down_proj")
    assert not read(model, TEXT).any()


def test_without_a_norm_size_matters() -> None:
    for part, changes in (("nothing", False), ("norm", True)):
        model = without(part)
        before = read(model, TEXT)
        scale(model, 3, "embed_tokens", "o_proj", "down_proj")  # all that writes into the stream
        assert differ(read(model, TEXT) / 3, before) == changes


def test_shuffled_digits_are_the_same_digits() -> None:
    plain, shuffled = rows()[1], rows(shuffled=True)[1]
    assert plain.shape == shuffled.shape == (297, 1 + PIXELS)
    assert torch.equal(plain[:, 0], shuffled[:, 0])
    assert int(plain[:, 0].min()) == GRAYS
    assert torch.equal(plain[:, 1:].sort().values, shuffled[:, 1:].sort().values)
    assert not torch.equal(plain, shuffled)
