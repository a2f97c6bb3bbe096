"""The files of grammars/: what a domain says and knows, in TOML, for people to read and edit.

A file has these tables, and further ones that the module of its domain reads:

- `about`, `language`, `repeats` and `[columns]`: the text of the data card;
- `[rules]`: templates by name, in the language that `fmkit.world.rules` explains;
- `[words]`: lists to draw from, from common to rare: ``'red, green, blue'``;
- `[nouns]`: the same, with articles and plurals: ``'pear, goose/geese'``;
- `[things.NAME]`: the same, each thing with facts: ``mom = {call = 'Mom', gender = 'girl'}``;
- `[plots]`: templates by name, all equally likely;
- `[facts]`: what the module deals out to the things of a world, and the numbers that it computes with.

A text may have several lines. A line break with the spaces around it is one space, and none at all after
``[``, ``[=`` or ``|``, before ``|`` or ``]``, and at either end; ``\\n`` is a line break of the text itself.
Texts are in single quotes, which leave backslashes alone.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from fmkit.world.rules import Entity
from fmkit.world.words import nouns, split

_NO_SPACE = re.compile(r"(?:(?<=[\[|])|(?<=\[=)|(?<=\\n))\s*\n\s*|\s*\n\s*(?=[|\]])")


@functools.cache
def read(name: str) -> Mapping[str, Any]:
    """A file of grammars/, its texts in one line each."""
    path = importlib.resources.files("fmkit.world") / "grammars" / f"{name}.toml"
    table: Mapping[str, Any] = _joined(tomllib.loads(path.read_text(encoding="utf-8")))
    return table


def _joined(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _joined(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_joined(inner) for inner in value]
    if not isinstance(value, str):
        return value
    if "\n" in value:
        value = re.sub(r"\s*\n\s*", " ", _NO_SPACE.sub("", value.strip()))
    return value.replace("\\n", "\n")


def rules(name: str) -> dict[str, Any]:
    """The templates and lists of a file. The things are new ones: a world adds its own facts to them."""
    file = read(name)
    return {
        **file.get("rules", {}),
        **{key: split(text) for key, text in file.get("words", {}).items()},
        **{key: nouns(text) for key, text in file.get("nouns", {}).items()},
        **{key: things(table) for key, table in file.get("things", {}).items()},
    }


def things(table: Mapping[str, Mapping[str, str]]) -> list[Entity]:
    """Things with facts."""
    return [Entity(name, **facts) for name, facts in table.items()]


def plots(texts: Mapping[str, str], **facts: Any) -> list[tuple[float, Entity]]:
    """Plots by name, all equally likely, each with the facts given."""
    return [(1.0, Entity(name, text=text, **facts)) for name, text in texts.items()]
