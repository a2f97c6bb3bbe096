"""Promises of pairs of answers: those that teach nothing are counted, placed, and told from all others."""

from typing import Any

import pytest

from fmkit.data.pairs import advise_pairs


def pair(prompt: Any, chosen: Any, rejected: Any) -> dict[str, Any]:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def said(*pairs: dict[str, Any]) -> list[str]:
    return advise_pairs((f"line {number}", each) for number, each in enumerate(pairs, 1))


def test_pairs_that_teach_are_not_mentioned() -> None:
    once = pair("a", "x", "y")
    assert (
        said(
            once, once, pair("b", "y", "x"), pair("a", "x", "z"), pair("a", "y ", "x"), pair("a\nx", "y", "")
        )
        == []
    )


@pytest.mark.parametrize("wrap", [str, lambda text: [{"role": "assistant", "content": text}]])
def test_equal_and_opposite_pairs(wrap: Any) -> None:
    def judged(chosen: str, rejected: str) -> dict[str, Any]:
        return pair("a", wrap(chosen), wrap(rejected))

    found = said(
        judged("x", "y"), judged("z", "z"), judged("y", "x"), *[judged("w", "w")] * 4, judged("x", "y")
    )
    assert found == [
        "5 of 8 pairs have two equal answers (line 2; line 4; line 5; and 2 more): leave them out",
        "2 of 8 pairs contradict another (line 3 and line 1; line 8 and line 3): "
        "keep the one that is right, or none",
    ]
