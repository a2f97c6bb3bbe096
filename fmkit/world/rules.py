"""The template language of the story world: text with marks for choices and for things.

- ``[a|b|c]`` is one of several templates; the k-th has weight 1/(k+1), so the first is the most likely.
  In ``[=a|b|c]`` all weigh the same.
- ``{toy}`` writes what has that name: a thing drawn before, or a rule. ``{hero.pet.kind}`` is a fact of a
  thing, ``{hero.He}`` the fact `he` with a capital letter, and ``{plum(n)}`` the form of a noun for the
  number n, plum or plums.
- ``{x=toy}`` draws a thing from the list `toy`, calls it x from here on, and writes its name. ``{x=toy:a}``
  writes another of its facts (`a` is the name with an article), and ``{x=toy:}`` writes nothing. A list may
  be a fact, too: ``{part=n.parts:gone}``. A thing that already has a name is not drawn again.

Here templates are compiled; `fmkit.world.grammar` runs them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fmkit.errors import FmkitError

_MARKS = re.compile(r"(\[=?|\]|\||\{[^{}]*\})")
_NAME = re.compile(r"\{(?:(\w+)=)?(\w+(?:\.\w+)*)(?:(:)(\w*)|\((\w+(?:\.\w+)*)\))?\}")


class Entity(dict[str, Any]):
    """A thing of the world: its name and facts. A fact is a word, a template, a thing, or a list of things.

    A fact asked for with a capital, ``thing["He"]``, is the fact `he` with a capital letter.
    """

    def __init__(self, name: str, **facts: Any) -> None:
        super().__init__({"": "", "name": name, **facts})
        self.compiled = False

    def __missing__(self, key: str) -> str:
        small = key[0].lower() + key[1:]
        if small == key or not isinstance(self.get(small), str):
            raise KeyError(key)
        return str(self.setdefault(key, self[small][0].upper() + self[small][1:]))


@dataclass(frozen=True)
class Show:
    """A place in a template that writes a fact of a thing, or a rule."""

    path: tuple[str, ...]
    number: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draw:
    """A place in a template that draws a thing from a list, names it and writes one of its facts."""

    name: str
    source: tuple[str, ...]
    form: str


@dataclass(frozen=True)
class OneOf:
    """A place in a template that chooses between templates."""

    ways: list[Way]
    name = ""


Way = tuple[float, str, Any, Entity | None]
"""One way to fill a place: its probability, the text it starts with (as far as known), what to write there,
and the thing to bind to the place's name."""


class Things(list[tuple[float, Entity]]):
    """A list to draw from: weights and things."""

    def __init__(self, pairs: Iterable[tuple[float, Entity]]) -> None:
        super().__init__(pairs)
        self.ids = {id(thing) for _, thing in self}
        self.all_free: dict[str, list[Way]] = {}  # the ways of each form, as long as nothing is in use

    def ways(self, form: str, used: set[int]) -> list[Way]:
        """The ways to draw a thing that is not in use, writing one of its facts."""
        if form in self.all_free and not used & self.ids:
            return self.all_free[form]
        free = [(weight, thing) for weight, thing in self if id(thing) not in used]
        total = math.fsum(weight for weight, _ in free)
        ways: list[Way] = [(weight / total, _head(thing[form]), thing[form], thing) for weight, thing in free]
        if len(free) == len(self):
            self.all_free[form] = ways
        return ways


def _head(part: Any) -> str:
    """The text a part starts with, as far as it is known without a choice."""
    first = part[0] if isinstance(part, tuple) else part
    return first if isinstance(first, str) else ""


def dotted(path: Sequence[str]) -> str:
    """``("hero", "pet")`` as it is written in a template: ``hero.pet``."""
    return ".".join(path)


def weighted(items: Iterable[Any], offset: int = 8) -> list[tuple[float, Entity]]:
    """A list to draw from: the k-th item (from 1) has weight 1/(k + offset), close to Zipf's law."""
    things = [item if isinstance(item, Entity) else Entity(item) for item in items]
    return [(1 / (k + offset), thing) for k, thing in enumerate(things, start=1)]


def compile_rule(rule: Any) -> Any:
    """Compile a rule: parse its templates and weigh its lists, also those among the facts of a thing."""
    if isinstance(rule, str):
        return parse(rule)
    if isinstance(rule, Entity):
        if not rule.compiled:
            rule.compiled = True  # before its facts: two things may be facts of each other
            for key, fact in rule.items():
                rule[key] = compile_rule(fact)
        return rule
    if isinstance(rule, (list, tuple)) and rule:
        pairs = rule if isinstance(rule[0], tuple) else weighted(rule)
        return Things((weight, compile_rule(thing)) for weight, thing in pairs)
    raise FmkitError(f"a rule is a template, an Entity or a list of them that is not empty, not {rule!r}")


def parse(template: str) -> Any:
    """Compile a template: a word stays a `str`; anything else becomes a tuple of words and places.

    Raises `FmkitError` for brackets that do not match and for marks that mean nothing.
    """
    # One entry for each bracket that is open: the alternatives so far, and whether they weigh the same.
    open_: list[tuple[list[list[Any]], bool]] = [([[]], False)]
    for token in filter(None, _MARKS.split(template)):
        here = open_[-1][0][-1]
        if token[0] == "[":
            open_.append(([[]], token == "[="))
        elif token == "|" and len(open_) > 1:
            open_[-1][0].append([])
        elif token == "]" and len(open_) > 1:
            alternatives, equal = open_.pop()
            weights = [1.0 if equal else 1 / (k + 1) for k in range(1, len(alternatives) + 1)]
            total = math.fsum(weights)
            sequences = [_sequence(alternative) for alternative in alternatives]
            ways: list[Way] = [
                (w / total, _head(a), a, None) for w, a in zip(weights, sequences, strict=True)
            ]
            open_[-1][0][-1].append(OneOf(ways))
        elif token[0] == "{" and (match := _NAME.fullmatch(token)):
            name, path, colon, form, number = match.groups()
            if name and number:
                raise FmkitError(
                    f"{token} in a template: draw the thing first, then write its form for a number"
                )
            if name:
                here.append(Draw(name, tuple(path.split(".")), form if colon else "name"))
            else:
                here.append(Show(tuple(path.split(".")), tuple(number.split(".")) if number else ()))
        elif token[0] in "|]{" or "{" in token or "}" in token:
            raise FmkitError(f"the template {template!r} has a {token!r} that means nothing there")
        else:
            here.append(token)
    if len(open_) > 1:
        raise FmkitError(f"the template {template!r} has a '[' that is never closed")
    return _sequence(open_[0][0][0])


def _sequence(parts: list[Any]) -> Any:
    return "".join(parts) if all(isinstance(part, str) for part in parts) else tuple(parts)
