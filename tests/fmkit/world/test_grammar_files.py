"""The files of grammars/: how lines are joined, and that no part is unused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from fmkit.world import DOMAINS
from fmkit.world.grammar_file import _joined, read, rules


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", [name for name in DOMAINS if name != "markov"])
def test_every_rule_and_list_is_used(name: str) -> None:
    told = [*texts(read(name))]
    if name == "stories":
        told += texts(read("preferences"))
    told += [text.replace("~", way) for text in told for way in ("up_", "down_") if "~" in text]
    used = {word for text in told for word in re.findall(r"[{=(](\w+)", text)}
    assert set(rules(name)) - used <= {"start", "prompt", "completion", "header"}


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("one\n   two\nthree", "one two three"),
        ("\n[one\n  |two|\nthree\n] four\n", "[one|two|three] four"),
        ("[=\none|two]", "[=one|two]"),
        (r"first\n" + "\nsecond", "first\nsecond"),
        (" kept ", " kept "),
        ({"a": ["one\ntwo", 3]}, {"a": ["one two", 3]}),
    ],
)
def test_lines_of_a_text_are_joined(written: Any, read_as: Any) -> None:
    assert _joined(written) == read_as
