"""The `mermaid` directive: a flowchart written as text, drawn while the site is built.

    ```{mermaid}
    :alt: Text becomes tokens, tokens become a model.
    flowchart LR
      T[Text] --> S[Tokens] --> M[Model]
      M -->|writes| T
    ```

It knows the part of Mermaid's flowcharts that a book needs: boxes `A[text]`, `A(text)` and `A{text}`, with
`<br>` between lines, and the arrows `-->`, `-.->` and `---`, which may have a `|label|`. Whatever else a line
holds is an error at its place. `alt` is required: a screen reader says it. A flowchart from left to right is
drawn twice; a phone, too narrow for a row of boxes, shows the one that turns downward.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from html import escape
from itertools import pairwise
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from matplotlib.textpath import TextPath
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from bookkit.site import node as nodejs
from bookkit.site.templates import macros

FIRST = re.compile(r"\s*(?:flowchart|graph)\s+(LR|TB|TD)\s*")
BOX = re.compile(r"\s*(\w+)(?:\[([^\]]+)\]|\(([^)]+)\)|\{([^}]+)\})?\s*")
ARROW = re.compile(r"(-->|-\.->|---)(?:\|([^|]+)\|)?")
SHAPES = ("square", "round", "diamond")
LETTERS, LINE = 15, 20  # px: the size of letters, and the height of a line
HEAD = (9, 4)  # px: the length of an arrow's head, and half its width

Point = tuple[float, float]


@dataclass
class Box:
    lines: list[str]
    shape: str = "square"

    @property
    def size(self) -> dict[str, float]:
        width, height = extent(self.lines)
        if self.shape == "diamond":  # which has its full width at half its height only
            return {"width": 1.7 * width + 16, "height": 2.4 * height}
        return {"width": width + 28, "height": height + 16}


@dataclass
class Arrow:
    start: str
    end: str
    kind: str
    lines: list[str]

    @property
    def size(self) -> dict[str, float]:
        width, height = extent(self.lines)
        return {"width": width + 8 if width else 0, "height": height}


@dataclass
class Flowchart:
    direction: str
    boxes: dict[str, Box] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)


def parse(code: str) -> Flowchart:
    """Read a flowchart. Raises ValueError with the line that is not understood."""
    first, *rest = code.splitlines()
    match = FIRST.fullmatch(first)
    if not match:
        raise ValueError(f"a diagram begins with `flowchart LR` or `flowchart TB`, not with: {first.strip()}")
    flow = Flowchart(match[1].replace("TD", "TB"))
    for line in filter(str.strip, rest):
        if (end := parse_line(line, flow)) < len(line):
            raise ValueError(f"not understood in a diagram: {line[end:].strip() or line.strip()}")
    if not flow.boxes:
        raise ValueError("a diagram without a box")
    return flow


def parse_line(line: str, flow: Flowchart) -> int:
    """Add the boxes and arrows of a line to the flowchart; returns where its understanding ends."""
    understood, end, before, arrow = 0, 0, "", None
    while match := BOX.match(line, end):
        name, *texts = match.groups()
        given = [(text, shape) for text, shape in zip(texts, SHAPES, strict=True) if text]
        if given or name not in flow.boxes:
            text, shape = given[0] if given else (name, "square")
            flow.boxes[name] = Box(split(text), shape)
        if arrow:
            flow.arrows.append(Arrow(before, name, arrow[1], split(arrow[2] or "")))
        before, understood = name, match.end()
        arrow = ARROW.match(line, understood)
        if not arrow:
            break
        end = arrow.end()
    return understood


def split(text: str) -> list[str]:
    return [line.strip() for line in text.strip().strip('"').split("<br>") if line.strip()]


@cache
def width(line: str) -> float:
    """In DejaVu Sans, the widest of the fonts that a page may be shown in."""
    return float(TextPath((0, 0), line, size=LETTERS).get_extents().width)


def extent(lines: list[str]) -> tuple[float, float]:
    return max(map(width, lines), default=0), LINE * len(lines)


_drawings: dict[str, str] = {}  # by a diagram's source; the same for every book


def draw(sources: Iterable[str]) -> None:
    """Draw what was not drawn before, all of it in one process."""
    new = sorted({*sources} - _drawings.keys())
    if not new:
        return
    drawings = [(source, look, flow) for source in new for look, flow in looks(parse(source)).items()]
    placed = nodejs.run("layout.mjs", [to_place(flow) for _, _, flow in drawings])
    drawing = macros("site/diagram.html").drawing
    for (source, look, flow), place in zip(drawings, placed, strict=True):
        _drawings[source] = _drawings.get(source, "") + drawing(shapes(flow, place), look)


def looks(flow: Flowchart) -> dict[str, Flowchart]:
    """The drawings of a flowchart, by the class that says where each is shown."""
    if flow.direction == "TB":
        return {"fm-always": flow}
    return {"fm-wide": flow, "fm-narrow": replace(flow, direction="TB")}


def to_place(flow: Flowchart) -> dict[str, Any]:
    order = [*flow.boxes]
    arrows = []
    for one in flow.arrows:
        size = one.size
        if flow.direction == "LR" and size["width"] and order.index(one.end) <= order.index(one.start):
            size["width"] = 1.0  # the way back is long enough for its label: no box moves aside
        arrows.append({"from": one.start, "to": one.end, **size})
    boxes = {name: box.size for name, box in flow.boxes.items()}
    return {"direction": flow.direction, "boxes": boxes, "arrows": arrows}


def shapes(flow: Flowchart, place: dict[str, Any]) -> dict[str, Any]:
    """What the template draws: numbers and texts."""
    boxes, arrows, texts, labels = [], [], [], []
    for name, box in flow.boxes.items():
        at = place["boxes"][name]
        x, y, wide, high = at["x"], at["y"], at["width"], at["height"]
        corners = [(x, y - high / 2), (x + wide / 2, y), (x, y + high / 2), (x - wide / 2, y)]
        boxes.append(
            {
                "x": number(x - wide / 2),
                "y": number(y - high / 2),
                "width": number(wide),
                "height": number(high),
                "round": number(high / 2 if box.shape == "round" else 3),
                "corners": written(corners) if box.shape == "diamond" else "",
            }
        )
        texts += written_lines(box.lines, x, y)
    for arrow, at in zip(flow.arrows, place["arrows"], strict=True):
        points = [(point["x"], point["y"]) for point in at["points"]]
        for name, end in ((arrow.start, 0), (arrow.end, -1)):
            if flow.boxes[name].shape == "diamond":
                points[end] = on_diamond(place["boxes"][name], points[1 if end == 0 else -2])
        head = arrow.kind != "---"
        tip = points[-1]
        if head:
            points[-1] = back(points[-2], tip, HEAD[0] - 1)
        arrows.append(
            {
                "path": curve(points),
                "dashed": arrow.kind == "-.->",
                "head": written(triangle(points[-2], tip)) if head else "",
            }
        )
        if arrow.lines:
            labels += written_lines(arrow.lines, at["x"], at["y"])
    size = {name: number(place[name]) for name in ("width", "height")}
    return {**size, "boxes": boxes, "arrows": arrows, "texts": texts, "labels": labels}


def written_lines(lines: list[str], x: float, y: float) -> list[dict[str, str]]:
    top = y - LINE * (len(lines) - 1) / 2
    return [{"x": number(x), "y": number(top + LINE * n), "line": line} for n, line in enumerate(lines)]


def on_diamond(box: dict[str, float], other: Point) -> Point:
    """Where the line from the diamond's center to another point leaves it."""
    x, y = other[0] - box["x"], other[1] - box["y"]
    share = 1 / (abs(x) / (box["width"] / 2) + abs(y) / (box["height"] / 2))
    return box["x"] + share * x, box["y"] + share * y


def back(before: Point, tip: Point, length: float) -> Point:
    (x, y), (a, b) = before, tip
    share = length / (((a - x) ** 2 + (b - y) ** 2) ** 0.5 or 1)
    return a - share * (a - x), b - share * (b - y)


def triangle(before: Point, tip: Point) -> list[Point]:
    """An arrow's head."""
    length, half = HEAD
    x, y = back(before, tip, length)
    along, across = (tip[0] - x) / length, (tip[1] - y) / length
    return [tip, (x - half * across, y + half * along), (x + half * across, y - half * along)]


def curve(points: list[Point]) -> str:
    """A path along the points that cuts their corners."""
    middles = [((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in pairwise(points)]
    parts = [f"M{written(points[:1])} L{written(middles[:1])}"]
    parts += [f"Q{written([*pair])}" for pair in zip(points[1:-1], middles[1:], strict=True)]
    return " ".join([*parts, f"L{written(points[-1:])}"])


def written(points: list[Point]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


class diagram(nodes.General, nodes.Element):
    """A diagram's source with its `alt`."""


class Mermaid(Directive):
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        if "alt" not in self.options:
            raise self.error("a diagram needs :alt:, the sentence that a screen reader says in its place")
        code = "\n".join(self.content)
        try:
            parse(code)
        except ValueError as error:
            raise self.error(str(error)) from None
        return [diagram(code=code, **self.options)]


def draw_book(app: Sphinx, env: BuildEnvironment) -> None:
    pages = (env.get_doctree(page) for page in sorted(env.found_docs))
    draw(one["code"] for page in pages for one in page.findall(diagram))


def html(code: str, alt: str) -> str:
    draw([code])  # where that has not been done before
    return f'<div class="fm-diagram" role="img" aria-label="{escape(alt)}">\n{_drawings[code]}</div>\n'


def visit_html(translator: Any, node: diagram) -> None:
    translator.body.append(html(node["code"], node["alt"]))
    raise nodes.SkipNode


def visit_text(translator: Any, node: diagram) -> None:
    translator.body.append(node["alt"])
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_node(diagram, html=(visit_html, None), latex=(visit_text, None))
    app.add_directive("mermaid", Mermaid)
    app.connect("env-updated", draw_book)
