"""Diagrams: drawn while the site is built, in the page's colors; refused where they are not understood."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny
from playwright.sync_api import Browser

from bookkit.site import diagrams, node
from bookkit.site.build import site
from bookkit.site.diagrams import parse

LOOP = "flowchart LR\n  A[Read] --> B(Guess<br>again) -.-> C{Enough?}\n  C -->|no| A\n  C --- B"
PAGE = f"# Loop\n\n```{{mermaid}}\n:alt: Read, guess, and read on.\n{LOOP}\n```\n"


def test_boxes_and_arrows() -> None:
    flow = parse(LOOP)
    assert {name: (box.lines, box.shape) for name, box in flow.boxes.items()} == {
        "A": (["Read"], "square"),
        "B": (["Guess", "again"], "round"),
        "C": (["Enough?"], "diamond"),
    }
    assert [(one.start, one.kind, one.lines, one.end) for one in flow.arrows] == [
        ("A", "-->", [], "B"),
        ("B", "-.->", [], "C"),
        ("C", "-->", ["no"], "A"),
        ("C", "---", [], "B"),
    ]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("sequenceDiagram\n  A --> B", "begins with `flowchart LR`"),
        ("flowchart LR\n  A ==> B", "not understood in a diagram: ==> B"),
        ("flowchart LR\n  A -->", "not understood in a diagram: -->"),
        ("flowchart LR\n  subgraph one", "not understood in a diagram: one"),
        ("flowchart LR", "without a box"),
    ],
)
def test_what_is_not_understood(code: str, fault: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fault)):
        parse(code)


def test_a_wrong_diagram_is_an_error(tmp_path: Path) -> None:
    _, warnings = tiny.read(tiny.write(tmp_path, PAGE.replace("-.->", "==>")), "site.diagrams")
    assert "chapters/intro.md:3: ERROR: not understood in a diagram: ==> C{Enough?}" in warnings


def test_two_drawings_and_one_name(tmp_path: Path) -> None:
    page, warnings = tiny.read(tiny.write(tmp_path, PAGE), "site.diagrams")
    assert not warnings
    assert '<div class="fm-diagram" role="img" aria-label="Read, guess, and read on.">' in page
    drawings = re.findall(r'(?s)<svg class="(fm-\w+)"[^>]* aria-hidden="true">(.*?)</svg>', page)
    assert [look for look, _ in drawings] == ["fm-wide", "fm-narrow"]
    for _, drawing in drawings:
        assert re.findall(r">([^<\n]+)</text>", drawing) == ["Read", "Guess", "again", "Enough?", "no"]
        assert drawing.count("<path") == 4
        assert drawing.count("stroke-dasharray") == 1
        assert "#" not in drawing, "a color of its own"


def test_all_diagrams_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    run, calls = node.subprocess.run, []
    monkeypatch.setattr(node.subprocess, "run", lambda *a, **k: calls.append(a) or run(*a, **k))
    diagrams.draw(f"flowchart TB\n  A[{name}] --> B" for name in "abc")
    diagrams.draw(["flowchart TB\n  A[a] --> B"])
    assert len(calls) == 1


# The texts that are not within a box, and the labels that touch one or leave the drawing.
FITS = """() => [...document.querySelectorAll(".fm-diagram svg")].flatMap((svg) => {
    if (!svg.clientWidth) return []; // shown at another width
    const extents = (part) => [...svg.querySelectorAll(part)].map((one) => [one.getBBox(), one.textContent]);
    const boxes = extents(".fm-box").map(([box]) => box);
    const inside = (a, b) => a.x >= b.x && a.y >= b.y
        && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;
    const apart = (a, b) => a.x + a.width < b.x || b.x + b.width < a.x
        || a.y + a.height < b.y || b.y + b.height < a.y;
    const {width, height} = svg.viewBox.baseVal, sheet = {x: 0, y: 0, width, height};
    const lost = extents("text:not(.fm-label)").filter(([one]) => !boxes.some((box) => inside(one, box)));
    const touching = extents(".fm-label")
        .filter(([one]) => !inside(one, sheet) || !boxes.every((box) => apart(one, box)));
    return [...lost, ...touching].map(([, text]) => text);
})"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    tree = "flowchart TB\n  Q{Enough<br>labels?} -->|yes| F[Fine-tune]\n  Q --> P"
    tree = f"\n```{{mermaid}}\n:alt: Ask first.\n{tree}\n```\n"
    book = tiny.write(tmp_path_factory.mktemp("book"), PAGE + tree)
    tiny.read(book, "site.diagrams")
    with tiny.opened(site(book)) as both:
        yield both


@pytest.mark.slow
@pytest.mark.parametrize("width", [tiny.DESK, tiny.PHONE])
def test_texts_fit_their_boxes(address: tuple[Browser, str], width: int) -> None:
    """And labels of arrows are clear of them; each drawing where it belongs, without a script."""
    browser, url = address
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        page.goto(f"{url}/chapters/intro.html")
        page.add_style_tag(path=tiny.ROOT / "bookkit/site/book.css")
        assert page.evaluate(FITS) == []
        looks = [one.get_attribute("class") for one in page.locator(".fm-diagram svg:visible").all()]
    assert looks == ["fm-wide" if width == tiny.DESK else "fm-narrow", "fm-always"]
