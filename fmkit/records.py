"""Recorded runs, as a page shows them: grouped by a setting, with the range of their seeds; as the lines of a
figure, or as a table."""

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fmkit.assets import UnknownAsset, asset
from fmkit.errors import FmkitError
from fmkit.plots import Line

Run = dict[str, Any]


@dataclass(frozen=True)
class Seeds:
    """One number over several seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


def read_record(name: str) -> dict[str, Any]:
    """Read the record of an experiment: what all runs share (machine, model, training), and its `runs`.

    Raises `FmkitError` if it was never recorded, or cannot be had (see `fmkit.asset`).
    """
    try:
        path = asset(f"runs/{name}.json")
    except UnknownAsset:
        raise FmkitError(f"{name} was never recorded: python -m bookkit.experiments {name}") from None
    return dict(json.loads(path.read_text(encoding="utf-8")))


def read_runs(name: str) -> list[Run]:
    """Read the runs of an experiment; errors as in `read_record`."""
    return list(read_record(name)["runs"])


def by_setting(runs: list[Run], setting: str, value: Callable[[Run], float], **only: Any) -> dict[Any, Seeds]:
    """Group the runs with the settings `only` by the value of `setting`: `value` of each, over the seeds."""
    chosen = [run for run in runs if only.items() <= run["settings"].items()]
    groups: dict[Any, list[float]] = {}
    for run in chosen:
        groups.setdefault(run["settings"][setting], []).append(value(run))
    return {key: Seeds(tuple(values)) for key, values in groups.items()}


def score(name: str) -> Callable[[Run], float]:
    """A function that returns this score of a run; for `by_setting`."""
    return lambda run: float(run["scores"][name])


def made_by(name: str) -> str:
    """The command of an experiment and, below it, the number of runs and the CPU seconds of timed ones."""
    runs = read_runs(name)
    timed = sorted(run["cpu_seconds"] for run in runs if "cpu_seconds" in run)
    said = f"python -m bookkit.experiments {name}\n{len(runs)} runs"
    if not timed:
        return said
    few, many = f"{timed[0]:.0f}", f"{timed[-1]:.0f}"
    which = " in the one that was timed" if len(timed) == 1 else f" in the {len(timed)} that were timed"
    whole = len(timed) == len(runs)
    return f"{said}, {few if few == many else f'{few} to {many}'} CPU seconds{' each' if whole else which}"


def band(label: str, groups: dict[Any, Seeds], color: str, style: str = "-") -> Line:
    """A line of the means of `groups`, with a band from the lowest to the highest seed."""
    seeds = list(groups.values())
    spread = [s.low for s in seeds], [s.high for s in seeds]
    return Line(label, list(groups), [s.mean for s in seeds], color, style, "o", spread)


def bundle(label: str, curves: Sequence[Sequence[tuple[float, float]]], color: str, style: str = "-") -> Line:
    """A line of the means of several curves, given as points at the same places, with a band from the lowest
    to the highest of them."""
    columns = list(zip(*curves, strict=True))
    groups = {points[0][0]: Seeds(tuple(y for _, y in points)) for points in columns}
    return band(label, groups, color, style)


@dataclass(frozen=True)
class Text:
    """A cell of a table that is running text, with the passages marked that are wrong: spans of characters,
    from the first to one past the last."""

    text: str
    wrong: Sequence[tuple[int, int]] = ()

    def __str__(self) -> str:
        return self._with("»", "«", str)

    def to_html(self) -> str:
        """The text for a page, its line breaks kept."""
        return self._with('<mark class="fm-wrong">', "</mark>", html.escape)

    def _with(self, start: str, end: str, write: Callable[[str], str]) -> str:
        at, written = 0, ""
        for first, last in self.wrong:
            written += write(self.text[at:first]) + start + write(self.text[first:last]) + end
            at = last
        return written + write(self.text[at:])


Cell = str | Text


class Table:
    """Rows of text under a head, and the sentence that says what they show. On a page the first column names
    the rows, and what is wider than the page scrolls; with `cards`, a phone shows each row as a card instead,
    its cells named by the head. Columns that hold a `Text` are read from the left."""

    def __init__(
        self, sentence: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], cards: bool = False
    ) -> None:
        if {len(row) for row in rows} != {len(head)}:
            raise FmkitError(f"a table with {len(head)} columns needs rows of {len(head)} cells")
        self.sentence, self.head, self.rows, self.cards = sentence, head, rows, cards
        texts = [any(isinstance(cell, Text) for cell in column) for column in zip(*rows, strict=True)]
        self.reads = [True, *texts[1:]]  # which columns are read from the left

    def __repr__(self) -> str:
        written = [[str(cell) for cell in row] for row in (self.head, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*written, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if reads else cell.rjust(width)
                for cell, width, reads in zip(row, widths, self.reads, strict=True)
            )
            for row in written
        ]
        return "\n".join([*(line.rstrip() for line in lines), self.sentence])

    def _repr_html_(self) -> str:
        first, *others = self.head
        sides = [f' class="{"fm-marked" if reads else "text-end"}"' for reads in self.reads[1:]]
        head = f'<th scope="col">{html.escape(first)}</th>' if first else "<td></td>"
        columns = zip(others, sides, strict=True)
        head += "".join(f'<th scope="col"{side}>{html.escape(name)}</th>' for name, side in columns)
        names = [f' data-name="{html.escape(name)}"' if self.cards else "" for name in others]
        looks = [side + name for side, name in zip(sides, names, strict=True)]
        body = "".join(
            f'<tr><th scope="row">{_cell(name)}</th>'
            + "".join(f"<td{look}>{_cell(cell)}</td>" for cell, look in zip(cells, looks, strict=True))
            + "</tr>\n"
            for name, *cells in self.rows
        )
        rows = f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>"
        return (
            '<figure class="fm-figure"><div class="pst-scrollable-table-container" tabindex="0">'
            f'<table class="table table-sm{" fm-cards" if self.cards else ""}">\n{rows}</table></div>'
            f"<figcaption>{html.escape(self.sentence)}</figcaption></figure>"
        )


def _cell(cell: Cell) -> str:
    return cell.to_html() if isinstance(cell, Text) else html.escape(cell)
