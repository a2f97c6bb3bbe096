"""The `pipeline-explorer` directive: a model's life as one picture, from assets/explorer/pipeline.yml.

    ```{pipeline-explorer}
    ```

The page holds everything as text, in order, and so does a print. explorer.js makes it one picture: pointing
at a stage, or moving the focus there, shows what happens in it; a click or Enter opens its example.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.entries import Entry, read
from bookkit.site.page_widget import PageWidget

FILE = "assets/explorer/pipeline.yml"
TITLE = "The life of a foundation model in three stages"

# Drawn in a square of 24 by 24.
ICONS = {
    "pages": "M7 3h9l4 4v14H7zM16 3v4h4M10 11h7M10 14h7M10 17h5M4 6v15",
    "sliders": "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1M13 5v4h4V5zM7 10v4h4v-4zM15 15v4h4v-4z",
    "bubble": "M4 5h16v11h-9l-4 4v-4H4zM8 9h8M8 12h5",
    "arrow": "M1 12h21M16 6l6 6-6 6",
}
COLORS = ("pretraining", "finetuning", "use")


@dataclass(frozen=True)
class Example:
    """What goes in and what comes out, in pairs; `columns` are the heads of the two."""

    title: str
    columns: tuple[str, str]
    pairs: list[tuple[str, str]]
    note: str


@dataclass(frozen=True)
class Stage:
    """A stage; `arrow` is written on the arrow to the next one, and the last has none."""

    id: str
    name: str
    color: str
    icon: str
    lead: str
    facts: list[tuple[str, str]]
    example: Example
    arrow: str | None


def read_stages(path: Path, file: str) -> list[Stage]:
    """Read the stages; raises FmkitError with `file`, line and the first fault."""
    whole = read(path, file)
    entries = whole.list("the explorer")
    if not entries:
        raise whole.fault("the explorer needs a stage")
    return [read_stage(entry, last=entry == entries[-1]) for entry in entries]


def read_stage(entry: Entry, last: bool) -> Stage:
    required = ["id", "name", "color", "icon", "lead", "facts", "example"]
    fields = entry.fields("a stage", required if last else [*required, "arrow"])
    return Stage(
        id=fields["id"].text("id", r"[a-z-]+", "small letters and hyphens"),
        name=fields["name"].text("name"),
        color=fields["color"].text("color", "|".join(COLORS), ", ".join(COLORS)),
        icon=fields["icon"].text("icon", "|".join(ICONS), ", ".join(ICONS)),
        lead=fields["lead"].text("lead"),
        facts=[read_pair(fact, "a fact", "name", "text") for fact in fields["facts"].list("facts")],
        example=read_example(fields["example"]),
        arrow=None if last else fields["arrow"].text("arrow"),
    )


def read_example(entry: Entry) -> Example:
    fields = entry.fields("an example", ["title", "from", "to", "pairs", "note"])
    return Example(
        title=fields["title"].text("title"),
        columns=(fields["from"].text("from"), fields["to"].text("to")),
        pairs=[read_pair(pair, "a pair", "from", "to") for pair in fields["pairs"].list("pairs")],
        note=fields["note"].text("note"),
    )


def read_pair(entry: Entry, what: str, first: str, second: str) -> tuple[str, str]:
    fields = entry.fields(what, [first, second])
    return fields[first].text(first), fields[second].text(second)


class Explorer(PageWidget):
    """The picture."""

    widget = "explorer"

    def values(self) -> dict[str, Any]:
        return {"title": TITLE, "stages": read_stages(self.source(FILE), FILE), "icons": ICONS}


def setup(app: Sphinx) -> None:
    app.add_directive("pipeline-explorer", Explorer)
