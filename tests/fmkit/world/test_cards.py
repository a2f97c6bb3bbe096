"""The dialects by name, and their data cards."""

from __future__ import annotations

import math
import statistics

import pytest
from dialects import world

from fmkit.errors import FmkitError
from fmkit.world.domains import DOMAINS, data_card


@pytest.mark.parametrize("name", list(DOMAINS))
def test_a_card_says_what_the_data_is(name: str) -> None:
    card = data_card(name, 200, 50, world=1)
    assert card.startswith(f"# Data card: {name}\n")
    assert DOMAINS[name].name == name
    assert DOMAINS[name].about in card
    splits = DOMAINS[name].load(200, 50, world=1)
    assert set(splits["train"].column_names) == set(DOMAINS[name].columns)
    for column in splits["train"].column_names:
        assert f"| `{column}` |" in card
    nats = [-p for p in splits["train"]["log_prob"] if p is not None]
    error = statistics.stdev(nats) / math.sqrt(len(nats))
    assert f"{statistics.fmean(nats):.2f} ± {error:.2f}" in card
    assert f"| train | 200 | {len(set(splits['train']['text']))} |" in card
    for line in card.splitlines():
        assert len(line.replace("\\|", "").split("|")) in (1, 4, 9), line


def test_the_shares_are_counted() -> None:
    card = data_card("finance", 100, 2)
    shares = DOMAINS["finance"].load(100, 2)["train"]["direction"][:]
    assert f"up {shares.count('up') / 100:.1%}" in card


def test_labels_are_counted_by_name() -> None:
    card = data_card("reviews", 100, 2)
    positive = sum(DOMAINS["reviews"].load(100, 2)["train"]["label"])
    assert f"positive {positive}.0%" in card
    assert f"negative {100 - positive}.0%" in card


def test_an_entropy_that_is_known_is_told_exactly() -> None:
    assert f"{world('markov').nats_per_text:.2f} nats a text" in data_card("markov", 20, 2)
    assert "known without an estimate" not in data_card("facts", 20, 2)


def test_a_card_says_how_much_of_validation_stands_in_train() -> None:
    for name in ("facts", "support"):
        card, splits = data_card(name, 1_000, 100), DOMAINS[name].load(1_000, 100)
        for column in {"text", "prompt"} & set(splits["train"].column_names):
            known = set(splits["train"][column])
            repeated = sum(value in known for value in splits["validation"][column])
            assert repeated > 0
            assert f"{repeated}.0% of its {column}s" in card
        assert DOMAINS[name].repeats in card
    assert "these stand in train, too: 0.0% of its texts." in data_card("legal", 20, 2)


def test_what_has_no_card_is_said_in_one_line() -> None:
    with pytest.raises(FmkitError, match=r"unknown dialect 'medicine'.* did you mean 'medical'\?"):
        data_card("medicine")
    with pytest.raises(FmkitError, match="at least two texts"):
        data_card("legal", 1)
