"""Every built-in corpus has worlds by number, and they are asked for in one way."""

from __future__ import annotations

from typing import Any

import pytest
from domain_checks import check_exact, check_worlds, samples, world

from fmkit.errors import FmkitError
from fmkit.world import DOMAINS, load_reviews, load_stories


@pytest.mark.parametrize("wrong", ["1", 1.0, True, None])
@pytest.mark.parametrize("name", list(DOMAINS))
def test_a_world_has_a_whole_number(name: str, wrong: Any) -> None:
    with pytest.raises(FmkitError, match=r"^the seed of a world is a whole number, not [^\n]*$"):
        DOMAINS[name].load(2, 2, world=wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stories", "reviews"])
def test_another_number_is_another_world(name: str) -> None:
    check_worlds(name)
    check_exact(world(name), samples(name, 200))


def test_load_functions_give_the_domains() -> None:
    assert DOMAINS["stories"].load(20, 5, 1, 2)["train"][:] == load_stories(20, 5, 1, 2)["train"][:]
    assert DOMAINS["reviews"].load(20, 5, 1, 2)["train"][:] == load_reviews(20, 5, 1, 2)["train"][:]
    sizes = {split: len(rows) for split, rows in DOMAINS["reviews"].load().items()}
    assert sizes == {"train": 1_000, "validation": 500}
