"""The `soften` directive: a teacher's probabilities at three places of a story, at several temperatures.

    ```{soften}
    ```

reads assets/runs/soft-targets.json. A slider chooses the temperature, and three buttons the place. The page
holds a table for each place, of which soften.js shows one column; on paper, and with scripts off, all columns
are there.
"""

import json
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError

RECORD = "assets/runs/soft-targets.json"
NAMES = {"open": "many could follow", "half open": "one is likely", "certain": "one is certain"}
START = "1.0"


class Soften(PageWidget):
    """A slider over the temperature, beside what a teacher then expects."""

    widget = "soften"

    def values(self) -> dict[str, Any]:
        record = read(self.source(RECORD).read_text(encoding="utf-8"), RECORD)
        return {"places": [describe(run, record) for run in record["runs"]], "command": record["command"]}


def read(text: str, file: str) -> dict[str, Any]:
    """The record; raises FmkitError for a place that has no name here."""
    record: dict[str, Any] = json.loads(text)
    for run in record["runs"]:
        if run["settings"]["place"] not in NAMES:
            raise FmkitError(f"{file}:1: unknown place {run['settings']['place']!r}: name it in this widget")
    return record


def describe(run: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """What the template shows of a place."""
    place, tokens, at = run["settings"]["place"], run["tokens"], run["probabilities"]
    story, length = record["story"], record["places"][place]
    others = record["vocabulary"] - len(tokens)
    rest = {t: max(0.0, 1 - sum(p)) for t, p in at.items()}
    rows = [
        {
            "token": token.strip(),
            "came": story.startswith(token, length),
            "at": [p[number] for p in at.values()],
        }
        for number, token in enumerate(tokens)
    ]
    rows.append({"token": f"the other {others:,}", "came": False, "at": list(rest.values())})
    true = next(row for row in rows if row["came"])
    readouts = [
        f"Temperature {float(t):g}: {percent(p)} for “{true['token']}”, which the text has, "
        f"{percent(left)} for the {others:,} tokens beyond the first {len(tokens)}."
        for t, p, left in zip(at, true["at"], rest.values(), strict=True)
    ]
    return {
        "name": NAMES[place],
        "read": story[:length],
        "comes": true["token"],
        "temperatures": [{"name": f"{float(t):g}", "now": t == START} for t in at],
        "rows": [{**row, "cells": [(100 * p, percent(p)) for p in row["at"]]} for row in rows],
        "readouts": readouts,
    }


def percent(p: float) -> str:
    """A share as a short text: with a digit after the point near 0 and 1."""
    return "<0.1%" if 0 < p < 0.0005 else f"{p:.0%}" if 0.0995 <= p < 0.9945 else f"{p:.1%}"


def setup(app: Sphinx) -> None:
    app.add_directive("soften", Soften)
