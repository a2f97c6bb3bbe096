"""The story world in a page: the rules of a grammar as data, which world.js reads.

    {"rules": {name: part}, "things": [[shape, part, ...], ...], "shapes": [[names, ...], ...],
     "weights": [[number, ...], ...]}

Things are in a table, since they may be facts of each other, and a thing is written as its number there. Its
facts are named by its shape: one list of names for each part, since the nine forms of a noun are only two.
A part is a text, the number of a thing, a list of parts one after the other, or one of these:

    {"show": "hero.pet"}, {"show": "fruit", "number": "part.gone"}
    {"draw": "toy", "source": "toy", "form": "name"}
    {"oneOf": [part, ...], "weights": 3}
    {"things": [thing, ...], "weights": 3}

Lists of weights are in a table, too: there are few.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.scripts import PLACE, define
from fmkit.world import Grammar, World
from fmkit.world.rules import Draw, Entity, OneOf, Show, Things, dotted


def compile_world(grammar: Grammar) -> dict[str, Any]:
    """The rules of a grammar as data for JSON."""
    tables = Tables()
    rules = {name: tables.part(rule) for name, rule in grammar.rules.items()}
    return {"rules": rules, "things": tables.things, "shapes": [*tables.shapes], "weights": [*tables.weights]}


class Tables:
    """The tables of what has a number, filled while parts are compiled."""

    def __init__(self) -> None:
        self.things: list[list[Any]] = []
        self.numbers: dict[int, int] = {}  # of things, by their id: things may be equal and yet two
        self.shapes: dict[tuple[tuple[str, ...], ...], int] = {}
        self.weights: dict[tuple[float, ...], int] = {}

    def part(self, part: Any) -> Any:
        """A part of a rule or a fact, as data."""
        if isinstance(part, Entity):
            return self.thing(part)
        if isinstance(part, tuple):
            return [self.part(inner) for inner in part]
        if isinstance(part, Show):
            return {"show": dotted(part.path)} | ({"number": dotted(part.number)} if part.number else {})
        if isinstance(part, Draw):
            return {"draw": part.name, "source": dotted(part.source), "form": part.form}
        if isinstance(part, OneOf):
            inner = [self.part(way) for _, _, way, _ in part.ways]
            return {"oneOf": inner, "weights": self.weigh(weight for weight, *_ in part.ways)}
        if isinstance(part, Things):
            inner = [self.thing(thing) for _, thing in part]
            return {"things": inner, "weights": self.weigh(weight for weight, _ in part)}
        return part

    def thing(self, thing: Entity) -> int:
        """The number of a thing."""
        if id(thing) in self.numbers:
            return self.numbers[id(thing)]
        number = self.numbers[id(thing)] = len(self.things)
        self.things.append([])  # before its facts: two things may be facts of each other
        facts: dict[str, tuple[list[str], Any]] = {}
        for name, fact in thing.items():
            if name:  # every thing has the fact "", which is empty
                part = self.part(fact)
                facts.setdefault(repr(part), ([], part))[0].append(name)
        shape = tuple(tuple(names) for names, _ in facts.values())
        self.things[number] = [number_in(self.shapes, shape), *(part for _, part in facts.values())]
        return number

    def weigh(self, weights: Iterable[float]) -> int:
        """The number of a list of weights."""
        return number_in(self.weights, tuple(weights))


def number_in(table: dict[Any, int], key: Any) -> int:
    """The number of what is in a table, or is put there now."""
    return table.setdefault(key, len(table))


def write_worlds(app: Sphinx) -> None:
    folder = Path(app.outdir) / "_static" / PLACE / "worlds"
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(compile_world(World()), separators=(",", ":"))
    (folder / "stories.js").write_text(define("worlds/stories", [], f"() => ({data})"), encoding="utf-8")
