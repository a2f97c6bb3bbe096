"""What is nearly a text of a domain has the probability with which the domain writes it, mostly none."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from domain_checks import samples, world

from fmkit.world import DOMAINS, Entity, Grammar
from fmkit.world.rules import Show
from fmkit.world.web import DAMAGES, KINDS, SOURCES, WITH_HEADER, Web

GRAMMARS = [name for name in DOMAINS if isinstance(world(name), Grammar)]


def written(grammar: Grammar, text: str) -> float:
    """The probability with which a grammar writes a text, by writing all that could become it."""

    def go(todo: list[Any], bound: dict[str, Entity], at: int) -> Iterator[float]:
        """The probabilities of the choices still to be made once the first `at` characters are written."""
        while todo:
            part, *todo = todo
            if isinstance(part, str):
                if text[at : at + len(part)] != part:
                    return
                at += len(part)
            elif isinstance(part, Entity):
                todo = [part["name"], *todo]
            elif isinstance(part, tuple):
                todo = [*part, *todo]
            elif isinstance(part, Show):
                todo = [grammar.shown(part, bound), *todo]
            else:
                for p, _, inner, thing in grammar.ways(part, bound):
                    now = {**bound, part.name: thing} if thing is not None else bound
                    yield from (p * rest for rest in go([inner, *todo], now, at))
                return
        if at == len(text):
            yield 1.0

    return math.fsum(go([grammar.rules["start"]], {}, 0))


def crawled(web: Web, text: str) -> float:
    """The probability with which the web writes a page, from every kind and every cut below a header."""

    def prose(text: str) -> float:
        return math.fsum(share * written(web.prose[name], text) for name, share in SOURCES.items())  # type: ignore[arg-type]

    found = [KINDS[kind] * written(grammar, text) for kind, grammar in web.junk.items()]
    found.append(KINDS["prose"] * (1 - WITH_HEADER) * prose(text))
    for cut in (k for k, character in enumerate(text) if character == "\n"):
        above = written(web.header, text[:cut])
        if above:
            found.append(KINDS["prose"] * WITH_HEADER * above * prose(text[cut + 1 :]))
    for damage in DAMAGES:
        whole = damage.undo(text)
        if whole != text and damage.do(whole) == text:
            kinds = sum(each.do(whole) != whole for each in DAMAGES)
            found.append(KINDS["mojibake"] / kinds * prose(whole))
    return math.fsum(found)


def neighbors(text: str, other: str, rng: random.Random) -> Iterator[str]:
    """A text with white space around it, and with a character or a stretch left out, put in or repeated."""
    for space in (" ", "\n"):
        yield from (space + text, text + space)
    yield from (text + other, f"{text}\n{other}", f"{other} {text}", "")
    for _ in range(6):
        at, to = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        yield text[:at] + text[at + 1 :]
        yield text[:at] + rng.choice(text + ' \n.,"') + text[at:]
        yield text[:at] + text[at : at + 1] + text[at:]
        yield text[:at] + text[to:]
        yield text[:to] + text[at:]


def check_neighbors(name: str, count: int, write: Any) -> None:
    source, rng, possible = world(name), random.Random(f"neighbours of {name}"), 0
    texts = [sample.text for sample in samples(name)[: count + 1]]
    for text, other in pairwise(texts):
        assert math.isclose(source.log_prob(text), math.log(write(source, text)), abs_tol=1e-9)
        for near in neighbors(text, other, rng):
            p = write(source, near)
            possible += p > 0 and near != text
            expected = math.log(p) if p else -math.inf
            assert math.isclose(source.log_prob(near), expected, abs_tol=1e-9), near
    assert possible < 0.1 * 38 * count


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAMMARS)
def test_neighbor_has_its_probability(name: str) -> None:
    check_neighbors(name, 20, written)


@pytest.mark.slow
def test_neighbor_of_page() -> None:
    check_neighbors("web", 20, crawled)


@pytest.mark.soak
@pytest.mark.parametrize("name", [*GRAMMARS, "web"])
def test_many_neighbors(name: str) -> None:
    check_neighbors(name, 400, crawled if name == "web" else written)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["support", "preferences", "requests"])
def test_wrong_cut_is_impossible(name: str) -> None:
    grammar = world(name)
    for sample in samples(name)[:40]:
        text, cut = sample.text, len(sample.prompt)
        end = cut + len(grammar.joint)
        assert grammar.completion_log_prob(text[:cut], text[end:]) > -math.inf
        for move in (*range(-12, 0), *range(1, 13)):
            assert grammar.completion_log_prob(text[: cut + move], text[end + move :]) == -math.inf
