"""The plans of the models: the entries of assets/models/commands.yml."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from fmkit.errors import FmkitError


@dataclass(frozen=True)
class Plan:
    """An entry of commands.yml. `commands` end with one that writes a directory of the model's name; others
    may write directories that later ones read, and any may read the models made before it."""

    name: str
    purpose: str
    use: str
    limits: str
    commands: tuple[str, ...]
    measures: tuple[str, ...]
    base: str | None = None  # the model that it continues, or learns from
    beside: str | None = None  # the directory whose model is measured beside it


def read_plans(file: Path) -> dict[str, Plan]:
    """The plans of commands.yml by name, in the order in which they can be made.

    Raises `FmkitError` for an entry that lacks something or has too much.
    """
    known = {field.name for field in fields(Plan)}
    plans = {}
    for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        try:
            plans[name] = Plan(name, **values)
        except TypeError:
            needed = ", ".join(sorted(known - {"name"}))
            raise FmkitError(f"{file.name}: {name} has {', '.join(entry)}; an entry has {needed}") from None
    return plans
