"""The dialects by name, and their data cards."""

from __future__ import annotations

import math
import statistics

import pytest

from fmkit.data.domains import DOMAINS, data_card
from fmkit.errors import FmkitError


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
    assert f"{statistics.fmean(nats):.1f} ± {error:.1f}" in card
    assert f"| train | 200 | {len(set(splits['train']['text']))} |" in card
    for line in card.splitlines():
        assert len(line.replace("\\|", "").split("|")) in (1, 4, 9), line


def test_the_shares_are_counted() -> None:
    card = data_card("finance", 100, 2)
    shares = DOMAINS["finance"].load(100, 2)["train"]["direction"][:]
    assert f"up {shares.count('up') / 100:.1%}" in card


def test_what_has_no_card_is_said_in_one_line() -> None:
    with pytest.raises(FmkitError, match=r"unknown dialect 'medicine'.* did you mean 'medical'\?"):
        data_card("medicine")
    with pytest.raises(FmkitError, match="at least two texts"):
        data_card("legal", 1)
