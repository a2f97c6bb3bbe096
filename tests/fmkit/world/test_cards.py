"""The domains by name, and their data cards."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from domain_checks import world

from fmkit.errors import FmkitError
from fmkit.world import DOMAINS, data_card
from fmkit.world.grammar_file import read


@pytest.mark.slow
@pytest.mark.parametrize("name", list(DOMAINS))
def test_card_says_what_the_data_is(name: str) -> None:
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


@pytest.mark.slow
def test_the_shares_are_counted() -> None:
    card = data_card("finance", 100, 2)
    shares = DOMAINS["finance"].load(100, 2)["train"]["direction"][:]
    assert f"up {shares.count('up') / 100:.1%}" in card


def test_labels_are_counted_by_name() -> None:
    card = data_card("reviews", 100, 2)
    positive = sum(DOMAINS["reviews"].load(100, 2)["train"]["label"])
    assert f"positive {positive}.0%" in card
    assert f"negative {100 - positive}.0%" in card


def test_known_entropy_is_exact() -> None:
    assert f"{world('markov').nats_per_text:.2f} nats a text" in data_card("markov", 20, 2)
    assert "known without an estimate" not in data_card("facts", 20, 2)


@pytest.mark.slow
def test_card_counts_repeats() -> None:
    for name in ("facts", "support"):
        card, splits = data_card(name, 1_000, 100), DOMAINS[name].load(1_000, 100)
        for column in {"text", "prompt"} & set(splits["train"].column_names):
            known = set(splits["train"][column])
            repeated = sum(value in known for value in splits["validation"][column])
            assert repeated > 0
            assert f"{repeated}.0% of its {column}s" in card
        assert DOMAINS[name].repeats in card
    assert "is in train, too: 0.0% of its texts." in data_card("legal", 20, 2)


def test_unknown_domain_has_no_card() -> None:
    with pytest.raises(FmkitError, match=r"unknown domain 'medicine'.* did you mean 'medical'\?"):
        data_card("medicine")


def test_one_text_has_no_card() -> None:
    with pytest.raises(FmkitError, match="at least two texts"):
        data_card("legal", 1)


@pytest.mark.parametrize(
    ("name", "column", "count"),
    [
        ("stories", "plot", lambda file: sum(map(len, file["plots"].values()))),
        ("medical", "plot", lambda file: len(file["plots"])),
        ("legal", "plot", lambda file: len(file["plots"])),
        ("finance", "plot", lambda file: len(file["plots"]["both"])),
        ("finance", "plot", lambda file: len(file["plots"]["even"])),
    ],
)
def test_card_counts_the_plots(name: str, column: str, count: Callable[[Any], int]) -> None:
    assert f"one of {count(read(name))}" in DOMAINS[name].columns[column] + "," or (
        f"or of {count(read(name))} " in DOMAINS[name].columns[column]
    )


def test_card_counts_the_intents() -> None:
    assert f"({len(read('support')['intents'])} intents;" in DOMAINS["support"].about
