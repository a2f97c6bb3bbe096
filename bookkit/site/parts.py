"""The `parts` directive: the transformer in one drawing that returns, with the part that a section is about
marked.

    ```{parts} attention
    ```

Without a part it shows the whole. On a phone the drawing turns downward.
"""

from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from bookkit.site.diagrams import Point, triangle, written
from bookkit.site.templates import render

WHOLE = (
    "Token ids become vectors; three blocks add to these, first by attention, then by an MLP; "
    "a norm and a head make logits of the sum."
)
# Each box: its text, its place along the residual stream, whether it is beside the stream, and its part.
BOXES = (
    ("embedding", 0, False, "embedding"),
    ("norm", 1, True, "norm"),
    ("attention", 2, True, "attention"),
    ("norm", 3, True, "norm"),
    ("MLP", 4, True, "MLP"),
    ("norm", 5, False, "norm"),
    ("head", 6, False, "head"),
)
JOINS = (2, 4)  # where attention and MLP are added to the stream
PARTS = (*dict.fromkeys(part for *_, part in BOXES), "residual stream")
WIDE, HIGH = 88, 34  # px, of a box
RADIUS = 11  # px, of a join


class Parts(Directive):
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        part = self.arguments[0] if self.arguments else ""
        if part and part not in PARTS:
            raise self.error(f"no part {part!r} of the transformer: choose from {', '.join(PARTS)}")
        here = f"You are here: {part}." if part else ""
        drawings = [draw(part, down) for down in (False, True)]
        html = render("site/parts.html", drawings=drawings, here=here, about=WHOLE)
        return [nodes.raw("", html, format="html")]


def draw(part: str, down: bool) -> dict[str, Any]:
    """The drawing from left to right or, for a phone, downward: numbers and texts for the template."""
    step, away = (HIGH + 20, 144) if down else (WIDE + 8, -66)
    start = (66, 42) if down else (84, 122)

    def at(along: float, beside: float = 0.0) -> Point:
        x, y = start
        return (x + beside * away, y + along * step) if down else (x + along * step, y + beside * away)

    boxes = [
        {"text": text, "x": x, "y": y, "here": name == part}
        for text, along, beside, name in BOXES
        for x, y in [at(along, beside)]
    ]
    end = 0.45 if down else 0.56  # of a step, from the outer boxes to the texts at the stream's ends
    short = RADIUS / abs(away)  # of a branch, which ends at the edge of its join
    heads = [written(triangle(at(along, 1), at(along, short))) for along in JOINS]
    branches = [path(at(along - 1), at(along - 1, 1), at(along, 1), at(along, 2 * short)) for along in JOINS]
    (left, top), (right, bottom) = (at(0.5, -0.34), at(4.5, 1.36)) if down else (at(0.5, 1.7), at(4.5, -0.3))
    return {
        "look": "fm-narrow" if down else "fm-wide",
        "width": 276 if down else 758,
        "height": 412 if down else 158,
        "boxes": boxes,
        "stream": path(at(-end), at(6 + end)),
        "branches": branches,
        "heads": heads,
        "joins": [at(along) for along in JOINS],
        "frame": (left, top, right - left, bottom - top),
        "times": (start[0] + 14 if down else left + 8, top + 14),
        "ends": [("ids", *at(-end - 0.2)), ("logits", *at(6 + end + 0.2))],
        "stream_here": part == "residual stream",
        "wide": WIDE,
        "high": HIGH,
        "radius": RADIUS,
    }


def path(*points: Point) -> str:
    return "M" + " L".join(f"{x:g},{y:g}" for x, y in points)


def setup(app: Sphinx) -> None:
    app.add_directive("parts", Parts)
