"""The choices for an adapter: sizes, examples with an answer, rounding to a few levels."""

import pytest
import torch

from bookkit.experiments.lora_choices import HEADINGS, PLACES, examples, round_to
from fmkit import LoraConfig, Transformer, add_lora, asset


def test_the_places_are_of_about_one_size() -> None:
    sizes = []
    for rank, modules in PLACES.values():
        model = Transformer.from_pretrained(asset("models/assistant"))
        add_lora(model, LoraConfig(rank, target_modules=modules))
        sizes.append(sum(p.numel() for p in model.parameters() if p.requires_grad))
    assert sizes == [6144, 6144, 6912, 7680]


def test_mail_without_an_answer_is_left_out() -> None:
    data = examples(lambda row: HEADINGS.get(row["intent"]))
    said = [turns[-1]["content"] for split in data.values() for turns in split["messages"]]
    assert {*said} == {*HEADINGS.values()}
    assert len(said) < 2200


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_rounding_leaves_few_levels(bits: int) -> None:
    weights = torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    rounded = round_to(weights, bits)
    assert max(len(row.unique()) for row in rounded) <= 2**bits - 1
    assert rounded.abs().amax(1) == pytest.approx(weights.abs().amax(1))
    steps = weights.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    assert bool(((rounded - weights).abs() <= steps / 2 + 1e-6).all())
