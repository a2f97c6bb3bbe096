"""The experiment with clauses: contracts that lack what they are said to lack."""

import random

import pytest

from bookkit.experiments.clauses import (
    CHECKLIST,
    CONTRACTS,
    EXTRA,
    POOL,
    TYPES,
    labeled,
    missing,
    without_heading,
    write_contracts,
)
from fmkit.world import LEGAL


@pytest.fixture(scope="module")
def types_of() -> dict[str, str]:
    """The type of each clause that the contracts are made of."""
    rng, world = random.Random("contracts"), LEGAL.make(0)
    return {without_heading(clause.text): clause.plot for clause in (world.sample(rng) for _ in range(POOL))}


@pytest.mark.slow
def test_contracts_lack_what_they_say(types_of: dict[str, str]) -> None:
    contracts = write_contracts()
    assert len(contracts) == CONTRACTS
    for contract in contracts:
        types = [types_of[text] for text in contract.clauses]
        assert len(types) == len(set(types)) == len(CHECKLIST) + EXTRA - (contract.lacks is not None)
        assert missing(set(types)) == ([contract.lacks] if contract.lacks else [])
    lacking = {contract.lacks for contract in contracts}
    assert lacking == {*CHECKLIST, None}
    assert 0.35 < sum(contract.lacks is None for contract in contracts) / CONTRACTS < 0.65
    texts = [text for contract in contracts for text in contract.clauses]
    assert len(set(texts)) == len(texts)


@pytest.mark.slow
def test_contracts_are_always_the_same() -> None:
    assert write_contracts() == write_contracts()


def test_headings_are_left_out() -> None:
    clauses = LEGAL.load(300, 1)["train"]
    rows = labeled(clauses)
    assert rows.features["label"].names == sorted(set(clauses["plot"])) == list(TYPES)
    for before, text, label in zip(clauses["text"], rows["text"], rows["label"], strict=True):
        number, heading, rest = before.split(". ", 2)
        assert number.isdigit()
        assert text == rest
        assert not text.startswith(f"{heading}.")
        assert TYPES[label] in clauses["plot"]
