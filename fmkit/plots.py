"""Figures in the book's colors, each with a sentence made from its data.

The sentence is the figure's caption and its alternative text, and what the notebooks' tests compare.
"""

import html
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from fmkit.errors import FmkitError

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import (
        EngFormatter,
        FixedLocator,
        LogLocator,
        MaxNLocator,
        NullFormatter,
        PercentFormatter,
        StrMethodFormatter,
    )
except ImportError:
    raise FmkitError("figures need matplotlib: pip install 'fmkit[notebook]'") from None

History = Sequence[Mapping[str, Any]]  # a record a step, as in `fmkit.run.TrainingRun.history`

INK = "#01020a"  # replaced by the page's own text color, light or dark
COLORS = {  # the same idea has the same color everywhere; bookkit/site/book.css has them for dark pages too
    "pretraining": "#0060a8",
    "finetuning": "#946300",
    "adaptation": "#00765a",
    "distillation": "#8a3fa0",
    "alignment": "#bf4400",
    "own-run": "#c4246b",
    "recorded-run": "#75634c",
    "evaluation": "#007c91",
    "floor": "#5f6670",
}
STYLE: Any = {
    "svg.fonttype": "none",  # letters stay letters: small files, the page's font, readable by machines
    "svg.hashsalt": "fmkit",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.alpha": 0.15,
    "grid.color": INK,
    "lines.linewidth": 1.8,
}


class Plot:
    """A matplotlib figure and the sentence that says what it shows."""

    def __init__(self, figure: Figure, sentence: str) -> None:
        self.figure, self.sentence = figure, sentence
        _show_at_end_of_cell(self)

    def __repr__(self) -> str:
        return self.sentence

    def save(self, path: str | Path) -> None:
        """Write the figure to a file, in the format of its extension (.svg, .png, .pdf)."""
        with matplotlib.rc_context(STYLE):
            self.figure.savefig(path, metadata=None)

    @cached_property
    def svg(self) -> str:
        """Draw the figure as an SVG element that takes the page's text color and font."""
        buffer = io.StringIO()
        with matplotlib.rc_context(STYLE):
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        svg = buffer.getvalue()
        svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
        for name, color in COLORS.items():
            svg = svg.replace(color, f"var(--fm-{name}, {color})")
        # The drawing is part of a page: no style rules for all of it, no description but the sentence.
        svg = re.sub(r"\s*<(metadata|style).*?</\1>", "", svg, flags=re.DOTALL)
        svg = re.sub(
            r" font-family: [^;\"]*;?", "", re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
        )
        return re.sub(r'(width|height)="([\d.]+)pt"', _larger, svg, count=2)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        if self in _waiting:
            _waiting.remove(self)
        sentence = html.escape(self.sentence, quote=True)
        svg = self.svg.replace("<svg", f'<svg role="img" aria-label="{sentence}"', 1)
        figure = f'<figure class="fm-figure">\n{svg}<figcaption>{sentence}</figcaption></figure>'
        return {"text/html": figure, "text/plain": self.sentence}


def _larger(match: re.Match[str]) -> str:
    """A figure's size on the page: letters as large as the text's, where there is room."""
    return f'{match[1]}="{1.6 * float(match[2]):.0f}"'


# In a notebook a plot appears whether or not it is the last value of its cell, and once only.
_waiting: list[Plot] = []


def _show_at_end_of_cell(plot: Plot) -> None:
    try:
        from IPython.core.getipython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return

    def show() -> None:
        shell.events.unregister("post_execute", show)
        if plot in _waiting:
            display(plot)

    _waiting.append(plot)
    shell.events.register("post_execute", show)


def plot_loss(history: History, sentence: str, floor: float | None = None) -> Plot:
    """Draw training loss, its running mean, validation loss and, where it is known, the floor."""
    if not history:
        raise FmkitError("this run has no steps to plot")
    tokens = [record["tokens"] for record in history]
    loss = [record["loss"] for record in history]
    checked = [record for record in history if "validation_loss" in record]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.0, 2.9), layout="constrained")
        axes = figure.add_subplot()
        color = COLORS["own-run"]
        axes.plot(tokens, loss, color=color, alpha=0.3, linewidth=0.8)
        axes.plot(tokens, running_mean(loss), color=color)
        early = len(tokens) // 25  # where the curve is steep, there is room right of it
        at = (tokens[early], running_mean(loss)[early])
        axes.annotate("training", at, (8, 8), textcoords="offset points", color=color)
        ends = []
        if checked:
            x, y = [r["tokens"] for r in checked], [r["validation_loss"] for r in checked]
            axes.plot(x, y, "o", color=COLORS["evaluation"], markersize=5, clip_on=False)
            ends.append((y[-1], tokens[-1], f"validation {y[-1]:.2f}", COLORS["evaluation"]))
        axes.set(xlabel="tokens seen", ylabel="loss (nats per token)", xlim=(0, tokens[-1]), ylim=(0, None))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        if floor is not None:
            _draw_level(axes, floor)
            ends.append((floor, tokens[-1], f"floor {floor:.2f}", COLORS["floor"]))
        _name_at_the_ends(axes, ends)
    above = f"; the floor is {floor:.2f}" if floor is not None else ""
    return Plot(figure, sentence + above)


def plot_accuracy(histories: Mapping[str, History], level: tuple[float, str]) -> Plot:
    """Draw the accuracy on held-out examples over the steps of fine-tuning runs, each with its name.

    `level` is what needs no training, and its name: chance, or a rule. The sentence compares: it is the same
    on every processor.
    """
    looks = (("finetuning", "-"), ("own-run", "--"), ("evaluation", ":"), ("distillation", "-."))
    lines = []
    for (name, history), (color, style) in zip(histories.items(), looks, strict=False):
        checks = [record for record in history if "accuracy" in record]
        x, y = [record["step"] for record in checks], [record["accuracy"] for record in checks]
        lines.append(Line(name, x, y, color, style, "o"))
    order = " > ".join(line.label for line in sorted(lines, key=lambda line: -line.y[-1]))
    sentence = f"accuracy on held-out examples at the last step: {order} > {level[1]}"
    return plot_lines(lines, sentence, "steps", "right on held-out examples", percent=True, level=level)


@dataclass(frozen=True)
class Line:
    """A line, named at its end if it has a label.

    `spread` is its lowest and highest y over seeds, a band; `names` are written beside its points.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    color: str = "own-run"
    style: str = "-"
    marker: str = ""
    spread: tuple[Sequence[float], Sequence[float]] | None = None
    names: Sequence[str] = ()


def plot_lines(
    lines: Sequence[Line],
    sentence: str,
    xlabel: str,
    ylabel: str,
    percent: bool = False,
    log_x: bool = False,
    level: tuple[float, str] | None = None,
    log_y: bool = False,
    width: float = 5.0,
) -> Plot:
    """Draw several lines, each with its name at its end, where there is room for it.

    `percent` draws shares from 0 to 1 as 0 to 100%; `level` is a dashed line and its name: chance, a floor.
    A phone shows a `width` of 4 inches whole; a wider figure has to be scrolled there.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, 2.9), layout="constrained")
        axes = figure.add_subplot()
        for line in lines:
            color = COLORS[line.color]
            style, marker = line.style, line.marker
            axes.plot(
                line.x, line.y, color=color, linestyle=style, marker=marker, markersize=4, clip_on=not marker
            )
            if line.spread:
                axes.fill_between(line.x, *line.spread, color=color, alpha=0.18, linewidth=0)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if percent:
            axes.set_ylim(0, 1.02)
        elif log_y:
            axes.set_yscale("log")
        elif min(min(line.spread[0] if line.spread else line.y) for line in lines) >= 0:
            axes.set_ylim(0, None)
        if log_x:
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
            low, high = axes.get_xlim()
            if high < 100 * low:  # few powers of ten to name
                axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        points = sorted({float(x) for line in lines for x in line.x})
        last = points[-1]
        axes.set_xlim(right=last)  # names begin where the axes end, clear of dashed lines and of the axis
        for line in lines:
            _name_points(axes, line)
        if last >= 1000:
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        elif log_x:
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        elif all(point.is_integer() for point in points):  # counts
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        if last < 1000 and _can_be_numbered(points, log_x):
            axes.xaxis.set_major_locator(FixedLocator(points))
        if percent:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ends = [(line.y[-1], line.x[-1], line.label, COLORS[line.color]) for line in lines if line.label]
        if level:
            height, name = level
            _draw_level(axes, height)
            ends.append((height, last, name, COLORS["floor"]))
        _name_at_the_ends(axes, ends)
    return Plot(figure, sentence)


@dataclass(frozen=True)
class Bar:
    """A bar of a figure, with its label above it and `text` at its end; bars in a row may share a label."""

    label: str
    length: float
    text: str
    color: str = "own-run"
    hatch: str = ""


def plot_bars(
    bars: Sequence[Bar],
    sentence: str,
    xlabel: str,
    percent: bool = False,
    log_x: bool = False,
    level: tuple[float, str] | None = None,
    width: float = 5.0,
) -> Plot:
    """Draw horizontal bars, each with its label above it, so that long labels fit a narrow page.

    `percent`, `level` and `width` as in `plot_lines`; the level is a vertical line. With `log_x` the
    bars are dots.
    """
    groups = [(label, list(group)) for label, group in groupby(bars, key=lambda bar: bar.label)]
    rows = 1.3 * len(groups) + len(bars)
    with matplotlib.rc_context({**STYLE, "axes.grid.axis": "x", "hatch.linewidth": 0.6}):
        figure = Figure(figsize=(width, 0.7 + 0.19 * rows), layout="constrained")
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylim=(-rows - 0.2, 1.3 if level else 0.3), yticks=[])
        axes.spines["left"].set_visible(False)
        if percent:
            axes.set_xlim(0, 1)
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        elif log_x:
            axes.set_xscale("log")
            axes.set_xlim(min(bar.length for bar in bars) / 10, 2 * max(bar.length for bar in bars))
        elif all(float(bar.length).is_integer() for bar in bars):  # counts
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        write = partial(axes.annotate, textcoords="offset points", va="center", annotation_clip=False)
        y, edges = -0.4, [1.3]  # of the level's line: it leaves out the labels, which it would cross
        for label, group in groups:
            write(label, (0, y), (0, 0), xycoords=axes.get_yaxis_transform())
            edges += [y + 0.5, y - 0.5]
            for bar in group:
                y -= 1
                color = COLORS[bar.color]
                if log_x:  # which has no zero, so that a bar's length would say nothing
                    axes.plot(bar.length, y, "D" if bar.hatch else "o", color=color, markersize=6)
                else:
                    axes.barh(y, bar.length, 0.8, color=color, alpha=0.35, zorder=2)
                    axes.barh(y, bar.length, 0.8, fill=False, edgecolor=color, hatch=bar.hatch, zorder=3)
                write(bar.text, (bar.length, y), (9 if log_x else 5, 0), color=color)
            y -= 1.3
        if level:
            pieces = [*edges, -rows - 0.2]
            line: Any = {"color": COLORS["floor"], "linestyle": "--", "linewidth": 1.2, "zorder": 1}
            axes.vlines([level[0]] * (len(pieces) // 2), pieces[::2], pieces[1::2], **line)
            write(level[1], (level[0], 0.8), (7, 0), color=COLORS["floor"])
    return Plot(figure, sentence)


def plot_shares(
    shares: Mapping[str, float],
    sentence: str,
    xlabel: str,
    color: str = "own-run",
    level: tuple[float, str] | None = None,
) -> Plot:
    """Draw shares from 0 to 1 as bars of 0 to 100%, each with its name; `level` as in `plot_bars`."""
    bars = [Bar(name, share, f"{share:.0%}", color) for name, share in shares.items()]
    return plot_bars(bars, sentence, xlabel, percent=True, level=level)


def plot_stacks(
    stacks: Mapping[str, Sequence[Bar]], sentence: str, xlabel: str, *, width: float = 5.0
) -> Plot:
    """Draw a bar for each name, made of parts end to end: what a whole consists of.

    The parts of the longest have their labels below them, on two lines in turn; those of others are known by
    color and hatch. The `text` of a last part is written at the end of its bar. `width` as in `plot_lines`.
    """
    longest = max(stacks, key=lambda name: sum(part.length for part in stacks[name]))
    rows = 2.3 * len(stacks) + 1.9
    with matplotlib.rc_context({**STYLE, "axes.grid.axis": "x", "hatch.linewidth": 0.6}):
        figure = Figure(figsize=(width, 0.7 + 0.19 * rows), layout="constrained")
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylim=(-rows - 0.2, 0.3), yticks=[])
        axes.spines["left"].set_visible(False)
        write = partial(axes.annotate, textcoords="offset points", va="center", annotation_clip=False)
        y = -0.4
        for name, parts in stacks.items():
            write(name, (0, y), (0, 0))
            y -= 1
            start = 0.0
            for number, part in enumerate(parts):
                color = COLORS[part.color]
                axes.barh(y, part.length, 0.9, left=start, color=color, alpha=0.35, zorder=2)
                outline = axes.barh(y, part.length, 0.9, left=start, fill=False, edgecolor=color, zorder=3)
                outline[0].set_hatch(part.hatch)
                if name == longest:
                    write(part.label, (start, y - 1 - 0.9 * (number % 2)), (2, 0), color=color)
                start += part.length
            write(parts[-1].text, (start, y), (5, 0))
            y -= 3.2 if name == longest else 1.3
    return Plot(figure, sentence)


@dataclass(frozen=True)
class Matrix:
    """A matrix of a figure: its name and its rows; `before` is the sign on its left."""

    label: str
    rows: Sequence[Sequence[float]]
    before: str = ""


def plot_matrices(matrices: Sequence[Matrix], sentence: str) -> Plot:
    """Draw matrices beside one another, to one scale: a cell for each number, its color by sign, its strength
    by size, compared with the largest number of the same matrix. The shape is written below each name."""
    heights, widths = zip(*((len(one.rows), len(one.rows[0])) for one in matrices), strict=True)
    gap = 0.22 * max(heights)
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        tallest, total = max(heights), sum(widths) + gap * (len(widths) - 1)
        figure = Figure(figsize=(5.0, 5.0 * 1.35 * tallest / total), layout="constrained")
        axes = figure.add_subplot()
        axes.set_axis_off()
        write = partial(axes.annotate, textcoords="offset points", ha="center")
        x = 0.0
        for one, height, width in zip(matrices, heights, widths, strict=True):
            top = (tallest - height) / 2
            left, right, bottom = x, x + width, top + height
            axes.imshow(_tint(one.rows), extent=(left, right, bottom, top), interpolation="none")
            frame = [left, right, right, left, left], [top, top, bottom, bottom, top]
            axes.plot(*frame, color=INK, linewidth=0.6)
            write(one.before, (left - gap / 2, tallest / 2), (0, 0), va="center", fontsize=14)
            write(f"{one.label}\n{height} × {width}", ((left + right) / 2, bottom), (0, -4), va="top")
            x += width + gap
        axes.set(xlim=(-gap / 8, total + gap / 8), ylim=(1.3 * tallest, -gap / 8), aspect="equal")
    return Plot(figure, sentence)


def plot_matches(
    similar: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], sentence: str
) -> Plot:
    """Draw a matrix of cosines, a cell for each pair of tokens: a square frames the largest of each row, a
    circle that of each column. The numbers are hundredths."""
    height, width = len(rows), len(columns)
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(5.0, 1.4 + 0.3 * height), layout="constrained")
        axes = figure.add_subplot()
        pale = [[(*color, 0.6 * strength) for *color, strength in row] for row in _tint(similar)]
        axes.imshow(pale, aspect="auto")  # so that the numbers can be read
        axes.set_xticks(range(width), columns, rotation=45, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(height), rows)
        axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0, labelsize=10)
        axes.spines[:].set_visible(False)
        for y, row in enumerate(similar):
            for x, value in enumerate(row):
                axes.annotate(f"{round(100 * value)}", (x, y), ha="center", va="center", fontsize=10)
        mark = partial(axes.plot, linestyle="", fillstyle="none", markeredgewidth=1.6)
        best = [max(range(width), key=row.__getitem__) for row in similar]
        mark(best, range(height), marker="s", markersize=17, color=COLORS["own-run"])
        best = [max(range(height), key=column.__getitem__) for column in zip(*similar, strict=True)]
        mark(range(width), best, marker="o", markersize=15, color=COLORS["evaluation"])
        write = partial(axes.annotate, xycoords="axes fraction", textcoords="offset points", va="top")
        write("□ best of its row", (0, 0), (0, -6), color=COLORS["own-run"])
        write("○ best of its column", (1, 0), (0, -6), color=COLORS["evaluation"], ha="right")
    return Plot(figure, sentence)


def _tint(rows: Sequence[Sequence[float]]) -> list[list[tuple[float, float, float, float]]]:
    """Colors of numbers: one hue above zero and one below, the fainter the nearer to it."""
    most = max(abs(value) for row in rows for value in row) or 1.0
    above, below = (matplotlib.colors.to_rgb(COLORS[name]) for name in ("pretraining", "alignment"))
    return [[(*(above if value > 0 else below), abs(value) / most) for value in row] for row in rows]


def _name_at_the_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write the names of lines right of their ends (y, x, name, color), pushed apart if these are close."""
    scale = axes.yaxis.get_transform()  # into what is drawn in equal steps: a logarithm, or the number itself
    low, high = scale.transform(axes.get_ylim())
    apart = 0.075 * (high - low)
    lowest = -math.inf
    for height, x, name, color in sorted(ends):
        inside = x < axes.get_xlim()[1]  # where a name must be clear of the lower axis
        lowest = max(float(scale.transform(height)), lowest + apart, low + apart / 2 if inside else lowest)
        axes.annotate(
            name,
            (x, float(scale.inverted().transform(lowest))),
            (7, 0),
            textcoords="offset points",
            va="center",
            color=color,
            annotation_clip=False,
        )


def _name_points(axes: Axes, line: Line) -> None:
    """Write the names of a line's points on their left, or on their right next to the left axis."""
    low, high = axes.get_xlim()
    for x, y, name in zip(line.x, line.y, line.names, strict=False):
        away = 4 if x - low < 0.12 * (high - low) else -4
        write = partial(axes.annotate, textcoords="offset points", ha="left" if away > 0 else "right")
        write(name, (x, y), (away, 4), color=COLORS[line.color], annotation_clip=False)


def _can_be_numbered(points: Sequence[float], log: bool) -> bool:
    """Whether points on an axis are whole numbers, and so few and far apart that each can have its own."""
    if not all(point.is_integer() for point in points) or (log and points[0] <= 0):
        return False
    places = [math.log(point) for point in points] if log else points
    least = (places[-1] - places[0]) / 8
    return 1 < len(points) <= 8 and all(b - a > least for a, b in pairwise(places))


def _draw_level(axes: Axes, height: float) -> None:
    """Draw the dashed line of what needs no model or stops every model: the same in every figure."""
    axes.axhline(height, color=COLORS["floor"], linestyle="--", linewidth=1.2)


def running_mean(values: list[float], share: float = 0.03) -> list[float]:
    """Compute an exponential running mean over about `share` of the values, unbiased at the start."""
    keep = 1 - 1 / max(1.0, share * len(values))
    total = weight = 0.0
    means = []
    for value in values:
        total, weight = keep * total + value, keep * weight + 1
        means.append(total / weight)
    return means
