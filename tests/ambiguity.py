"""The proof that no text of a grammar has two derivations, for the tests of the world and its domains."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from fmkit.world import Entity, Grammar
from fmkit.world.rules import Draw, OneOf, Show


class Unambiguous:
    """A proof that no text has two derivations.

    It forgets what is bound: a place may show the fact of anything that could be bound there, so it allows
    more than the grammar does. Where two ways to fill a place never lead to one text even so, they never do.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.bound: dict[str, dict[int, Entity]] = defaultdict(dict)
        self.stacks: dict[tuple[int, Any], tuple[Any, Any]] = {}  # one object for equal stacks
        self.keep: list[Any] = []
        size = -1
        while size != sum(map(len, self.bound.values())):
            size = sum(map(len, self.bound.values()))
            self.bind(grammar.rules["start"], set())

    def bind(self, part: Any, seen: set[int]) -> None:
        if id(part) in seen or isinstance(part, (str, Entity)):
            return
        seen.add(id(part))
        if isinstance(part, tuple):
            inner = list(part)
        elif isinstance(part, Show):
            inner = [v for v in self.values(part.path) if not isinstance(v, Entity)]
        elif isinstance(part, Draw):
            things = [thing for source in self.values(part.source, draw=True) for _, thing in source]
            self.bound[part.name].update((id(thing), thing) for thing in things)
            inner = [thing[part.form] for thing in things]
        else:
            inner = [way[2] for way in part.ways]
        for each in inner:
            self.bind(each, seen)

    def values(self, path: tuple[str, ...], draw: bool = False) -> list[Any]:
        bound = path[0] in self.bound and not (draw and len(path) == 1)
        values = list(self.bound[path[0]].values()) if bound else [self.grammar.rules[path[0]]]
        for key in path[1:]:
            values = list({id(v[key]): v[key] for v in values if key in v or key[0].isupper()}.values())
        return values

    def ways(self, part: OneOf | Draw) -> list[list[Any]]:
        """The ways to fill a place, one list for each list that it may draw from."""
        if isinstance(part, OneOf):
            return [[way[2] for way in part.ways]]
        return [[thing[part.form] for _, thing in source] for source in self.values(part.source, draw=True)]

    def push(self, part: Any, rest: Any) -> Any:
        parts = part if isinstance(part, tuple) else (part,)
        for each in reversed(parts):
            each = each["name"] if isinstance(each, Entity) else each
            if each != "":
                self.keep.append(each)
                key = each if isinstance(each, str) else id(each)
                rest = self.stacks.setdefault((key, id(rest)), (each, rest))
        return rest

    def opened(self, stack: Any, ahead: str = "") -> list[Any]:
        """What a stack can become when its first part is filled, if the text must go on with `ahead`."""
        part, rest = stack
        if isinstance(part, Show):
            values = self.values(part.path)
            if part.number:
                forms = {n if isinstance(n, str) else n["name"] for n in self.values(part.number)}
                values = sorted({v[form] for v in values for form in forms if form in v})
        else:
            values = [way for ways in self.ways(part) for way in ways]
        values = [value["name"] if isinstance(value, Entity) else value for value in values]
        fit = [v for v in values if isinstance(v, tuple) or v.startswith(ahead) or ahead.startswith(v)]
        return [self.push(value, rest) for value in fit]

    def contexts(self) -> Iterator[tuple[Any, Any]]:
        """Every place to fill, with what comes after it."""
        todo, seen = [self.push(self.grammar.rules["start"], None)], set()
        while todo:
            stack = todo.pop()
            if stack is None or id(stack) in seen:
                continue
            seen.add(id(stack))
            if isinstance(stack[0], str):
                todo.append(stack[1])
            else:
                if not isinstance(stack[0], Show):
                    yield stack
                todo.extend(self.opened(stack))

    def faults(self) -> list[str]:
        found, seen = [], set()
        for part, rest in self.contexts():
            for ways in self.ways(part):
                words = sorted(way for way in ways if isinstance(way, str))
                other = [way for way in ways if not isinstance(way, str)]
                pairs = [
                    (a, b)
                    for n, a in enumerate(words)
                    for b in itertools.takewhile(starts(a), words[n + 1 :])
                ]
                pairs += [*itertools.product(words, other), *itertools.combinations(other, 2)]
                for a, b in pairs:
                    if self.meet(self.push(a, rest), self.push(b, rest), seen):
                        found.append(f"{a!r} and {b!r} before {rest and rest[0]!r}")
        return found

    def meet(self, a: Any, b: Any, seen: set[tuple[int, int, str]]) -> bool:
        """Whether two stacks can lead to the same text."""
        todo = [(a, b, "")]  # the text of a is ahead by a string
        while todo:
            a, b, ahead = todo.pop()
            if not ahead and a is b:
                return True
            if (id(a), id(b), ahead) in seen:
                continue
            seen.add((id(a), id(b), ahead))
            if b is None:
                if not ahead and a is not None and not isinstance(a[0], str):
                    todo.extend((each, b, "") for each in self.opened(a))
            elif not isinstance(b[0], str):
                todo.extend((a, each, ahead) for each in self.opened(b, ahead))
            elif ahead.startswith(b[0]):
                todo.append((a, b[1], ahead[len(b[0]) :]))
            elif b[0].startswith(ahead):
                todo.append((b[1], a, b[0][len(ahead) :]))
        return False


def starts(a: str) -> Callable[[str], bool]:
    return lambda b: b.startswith(a)
