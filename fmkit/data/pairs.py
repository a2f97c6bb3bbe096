"""Examples that teach nothing: a pair of equal answers, and two examples that say the opposite."""

import json
from collections.abc import Iterable
from typing import Any

from fmkit.data.splits import digest

Placed = tuple[str, dict[str, Any]]  # where an example is, as "line 7", and its normalized row
SHOWN = 3  # places


def advise_pairs(pairs: Iterable[Placed]) -> list[str]:
    """Say in a line each how many pairs have equal answers or contradict each other, where, and what to do.

    Two pairs contradict each other where the same prompt has the same two answers, once the other way round.
    """
    equal: list[str] = []
    opposed: list[str] = []
    first: dict[int, str] = {}  # where each pair is first
    count = 0
    for place, pair in pairs:
        count += 1
        prompt, chosen, rejected = (json.dumps(pair[name]) for name in ("prompt", "chosen", "rejected"))
        if chosen == rejected:
            equal.append(place)
            continue
        opposite = first.get(digest("\n".join((prompt, rejected, chosen))))
        if opposite is not None:
            opposed.append(f"{place} and {opposite}")
        first.setdefault(digest("\n".join((prompt, chosen, rejected))), place)
    found = []
    if equal:
        found.append(
            f"{len(equal):,} of {count:,} pairs have two equal answers ({list_places(equal)}): leave them out"
        )
    if opposed:
        what = f"{len(opposed):,} of {count:,} pairs contradict another ({list_places(opposed)})"
        found.append(f"{what}: keep the one that is right, or none")
    return found


def advise_labels(texts: Iterable[Placed]) -> list[str]:
    """Say in a line how many texts are there with another label, too, where, and what to do."""
    opposed: list[str] = []
    labels: dict[int, dict[str, str]] = {}  # of each text, and where each is first
    count = 0
    for place, row in texts:
        count += 1
        found = labels.setdefault(digest(row["text"]), {})
        other = next((where for label, where in found.items() if label != str(row["label"])), None)
        if other is not None:
            opposed.append(f"{place} and {other}")
        found.setdefault(str(row["label"]), place)
    if not opposed:
        return []
    what = f"{len(opposed):,} of {count:,} texts have another label elsewhere ({list_places(opposed)})"
    return [f"{what}: keep the one that is right, or none"]


def list_places(places: list[str]) -> str:
    """List the first places, and how many more there are."""
    more = len(places) - SHOWN
    return "; ".join(places[:SHOWN]) + (f"; and {more:,} more" if more > 0 else "")
