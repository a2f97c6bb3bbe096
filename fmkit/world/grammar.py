"""The engine of the story world: a grammar that knows the probability of every text it can write.

One grammar runs in two directions. `Grammar.derive` writes a text; `Grammar.derivations` reads one, by
following every way to derive it. So `Grammar.log_prob` is exact, and `Grammar.check` says at which character
a text stops being one of the grammar's.

Log-probabilities are natural logarithms (nats); positions count characters from 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fmkit.errors import FmkitError
from fmkit.world.rules import Draw, Entity, OneOf, Show, Things, Way, compile_rule, dotted


class Rng(Protocol):
    """A source of uniform numbers in [0, 1): `random.Random`, or NumPy's `Generator`."""

    def random(self) -> float: ...


@dataclass(frozen=True)
class Derivation:
    """One way to derive a text: its log-probability in nats, and what every name was bound to at the end."""

    text: str
    log_prob: float
    bound: Mapping[str, Entity]


@dataclass(frozen=True)
class Verdict:
    """What a grammar says about a text.

    `log_prob` is in nats, -inf if the text is not valid. Then `broke_at` is the number of characters up to
    which it could still have become a valid text, and `expected` lists what could follow there (whole words,
    in the grammar's order). An `unfinished` text broke only because it ended: `broke_at == len(text)`.
    """

    valid: bool
    log_prob: float
    broke_at: int | None = None
    expected: tuple[str, ...] = ()
    unfinished: bool = False


class Grammar:
    """A probabilistic attribute grammar. A text is what the rule `start` can become.

    A rule is a template, an `Entity`, or a list of things to draw from: entities, words, or pairs of a
    weight and an entity. In a list without weights the k-th thing has weight 1/(k+8).

    Raises `FmkitError` for a template that does not parse, and for a name that means nothing.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.rules = {name: compile_rule(rule) for name, rule in rules.items()}

    def look(self, path: tuple[str, ...], bound: Mapping[str, Entity]) -> Any:
        """What a dotted name means: a thing that is bound to it or, if there is none, a rule."""
        try:
            value = bound[path[0]] if path[0] in bound else self.rules[path[0]]
            for key in path[1:]:
                value = value[key]
            return value
        except (KeyError, TypeError):
            raise FmkitError(f"the grammar has no {dotted(path)!r}: bind it first, or add a rule") from None

    def shown(self, part: Show, bound: Mapping[str, Entity]) -> Any:
        """What a `Show` writes: a word, a template, or a thing; with a number, the thing's form for it."""
        value = self.look(part.path, bound)
        return value[self.shown(Show(part.number), bound)["name"]] if part.number else value

    def ways(self, part: OneOf | Draw, bound: Mapping[str, Entity]) -> list[Way]:
        """All that can fill a place: (probability, the text it begins with, what to write, thing drawn)."""
        if isinstance(part, OneOf):
            return part.ways
        things = self.look(part.source, bound if len(part.source) > 1 else {})  # a plain name is a rule
        if not isinstance(things, Things):
            raise FmkitError(f"the grammar draws from {dotted(part.source)!r}, which is not a list of things")
        ways = things.ways(part.form, used={id(thing) for thing in bound.values()})
        if not ways:
            raise FmkitError(
                f"the grammar draws from {dotted(part.source)!r} when everything in it has a name already"
            )
        return ways

    def derive(self, rng: Rng) -> Derivation:
        """Write a text: go through the template and choose at random wherever there is a choice."""
        text, log_prob, todo = "", 0.0, [self.rules["start"]]
        bound: dict[str, Entity] = {}
        while todo:
            part = todo.pop()
            if isinstance(part, str):
                text += part
            elif isinstance(part, Entity):
                todo.append(part["name"])
            elif isinstance(part, tuple):
                todo.extend(reversed(part))
            elif isinstance(part, Show):
                todo.append(self.shown(part, bound))
            else:
                left = rng.random()
                for probability, _, inner, thing in self.ways(part, bound):  # noqa: B007
                    left -= probability
                    if left < 0:
                        break
                log_prob += math.log(probability)
                if thing is not None:
                    bound[part.name] = thing
                todo.append(inner)
        return Derivation(text, log_prob, bound)

    def sample(self, rng: Rng) -> Any:
        """Write a text: something with `text` and its `log_prob`, here a `Derivation`."""
        return self.derive(rng)

    def derivations(self, text: str, misses: list[tuple[int, str]] | None = None) -> Iterator[Derivation]:
        """Read a text: go through the same template and follow every choice the text allows, depth first.

        `misses` collects the places where the text does not continue as the grammar would.
        """
        agenda: list[Any] = [(0, 0.0, {}, (self.rules["start"], None))]  # at, log_prob, bound, (part, rest)
        while agenda:
            at, log_prob, bound, todo = agenda.pop()
            while todo is not None:
                part, todo = todo
                if isinstance(part, str):
                    if not text.startswith(part, at):
                        if misses is not None:
                            misses.append((at, part))
                        break
                    at += len(part)
                elif isinstance(part, Entity):
                    todo = (part["name"], todo)
                elif isinstance(part, tuple):
                    for inner in reversed(part):
                        todo = (inner, todo)
                elif isinstance(part, Show):
                    todo = (self.shown(part, bound), todo)
                else:
                    for probability, head, inner, thing in reversed(self.ways(part, bound)):
                        if text.startswith(head, at):
                            now = bound if thing is None else {**bound, part.name: thing}
                            agenda.append((at, log_prob + math.log(probability), now, (inner, todo)))
                        elif misses is not None:
                            misses.append((at, head))
                    break
            else:
                if at == len(text):
                    yield Derivation(text, log_prob, bound)
                elif misses is not None:
                    misses.append((at, ""))

    def log_prob(self, text: str) -> float:
        """The exact log-probability of a text in nats, the sum over its derivations; -inf if there is none.

        Raises `FmkitError` for what is not a `str`.
        """
        logs = [derivation.log_prob for derivation in self.derivations(_text(text))]
        if not logs:
            return -math.inf
        return (
            logs[0]
            if len(logs) == 1
            else max(logs) + math.log(math.fsum(math.exp(x - max(logs)) for x in logs))
        )

    def check(self, text: str) -> Verdict:
        """Whether a text is valid, and if not, where it broke and what was expected there."""
        log_prob = self.log_prob(text)
        if log_prob > -math.inf:
            return Verdict(True, log_prob)
        misses: list[tuple[int, str]] = []
        for _ in self.derivations(text, misses):
            pass
        reached = [(at + _shared(text, at, part), at, part) for at, part in misses]
        broke_at = max(end for end, _, _ in reached)
        expected = dict.fromkeys(_word(part, broke_at - at) for end, at, part in reached if end == broke_at)
        return Verdict(False, -math.inf, broke_at, tuple(expected), unfinished=broke_at == len(text))


END = "(the end)"  # among the expected words where the text should have ended


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise FmkitError(f"a grammar reads text (str), not {type(text).__name__}")
    return text


def _shared(text: str, at: int, part: str) -> int:
    """How many characters of a part the text has at a position."""
    return next((k for k, c in enumerate(part) if text[at + k : at + k + 1] != c), len(part))


def _word(part: str, k: int) -> str:
    """The word of a part around its k-th character: what was expected there."""
    if not part:
        return END
    start = max(part.rfind(" ", 0, k) + 1, 0)
    end = part.find(" ", k + 1)
    return part[start:] if end < 0 else part[start:end]
