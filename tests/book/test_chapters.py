"""The book's notebooks, every one of them: executed, compared and readable; and what makes one a chapter."""

import ast
import builtins
import copy
import re
import statistics
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookkit.quiz.objectives import read_objectives
from bookkit.quiz.sections import markdown
from bookkit.site.notebooks import execute, normalize

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "chapters"
NOTEBOOKS = sorted(path for path in PAGES.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
CHAPTERS = [path for path in NOTEBOOKS if re.match(r"\d", path.parent.name)]
NOT_COMPARED = {"nbval-skip", "nbval-ignore-output", "skip-execution"}
WIDGET = "application/vnd.jupyter.widget"
SOLUTION = re.compile(r"^(`{3,}){solution} (\S+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^(`{3,}|:{3,})\{([\w-]+)\}.*?^\1$", re.MULTILINE | re.DOTALL)
# The directives that show something to look at: the diagrams, and the widgets of the pages.
SHOWING = {"mermaid", "image", "figure"} | {
    name
    for path in ROOT.glob("bookkit/widgets/*/__init__.py")
    for name in re.findall(r'add_directive\("([\w-]+)"', path.read_text(encoding="utf-8"))
}
# What every chapter has, once or more; the front chapter computes nothing by hand.
PARTS = {"no-code", "by-hand", "break-it", "papers", "cost", "responsible", "takeaways", "quiz", "sources"}
ONCE = ("chapter", "guide", "takeaways", "sources")
FIRST_FIGURE = 450  # words before it, at most
BARE = re.compile(r"^(?:[\w ]+: *)?\(?(?:True|False)(?:, (?:True|False))*\)?$", re.MULTILINE)


@cache
def read(path: Path) -> Any:
    """The notebook there; copy it to change it."""
    return nbformat.read(path, as_version=4)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: str(path.relative_to(PAGES)))
def notebook(request: pytest.FixtureRequest) -> Any:
    return read(request.param)


@pytest.fixture(params=CHAPTERS, ids=lambda path: str(path.relative_to(PAGES)))
def chapter(request: pytest.FixtureRequest) -> Path:
    return request.param


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def text_of(notebook: Any) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def directives(text: str) -> list[str]:
    return re.findall(r"^(?:`{3,}|:{3,})\{([\w-]+)\}", text, re.MULTILINE)


def solutions(notebook: Any) -> list[tuple[str, str]]:
    """The code of the solutions, each block with the label of its exercise."""
    found = SOLUTION.findall(text_of(notebook))
    return [(label, code) for _, label, inside in found for code in CODE.findall(inside)]


def names(code: str) -> tuple[set[str], set[str]]:
    """What Python code binds somewhere, and what it reads."""
    bound, read = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return bound, read


def test_there_are_notebooks() -> None:
    assert CHAPTERS
    assert any(solutions(read(path)) for path in NOTEBOOKS)


def test_executed_and_normalized(notebook: Any) -> None:
    """As `make notebooks` leaves it."""
    normal = copy.deepcopy(notebook)
    normalize(normal)
    assert notebook == normal
    assert not [output for output in outputs(notebook) if output.output_type == "error"]


def test_nothing_warns(notebook: Any) -> None:
    """What a cell writes to stderr would stand on the page in red."""
    assert [output.text for output in outputs(notebook) if output.get("name") == "stderr"] == []


def test_few_bare_answers(notebook: Any) -> None:
    """A reader learns little from True: a figure, a table or a number says more."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs(notebook)
    ]
    assert sum(len(BARE.findall(text.strip())) for text in texts) <= 3


def test_cells_are_short(notebook: Any) -> None:
    """Those that a page folds away, which only draw, may be longer than those that are read."""
    lengths = {cell.id: len(cell.source.splitlines()) for cell in code_cells(notebook)}
    assert max(lengths.values()) <= 30
    folded = {"hide-input", "remove-input", "remove-cell"}
    read = [
        lengths[cell.id] for cell in code_cells(notebook) if not folded & {*cell.metadata.get("tags", [])}
    ]
    assert not read or statistics.median(read) <= 6  # a page for those who read no code folds all of it


def test_nearly_all_cells_are_compared(notebook: Any) -> None:
    cells = code_cells(notebook)
    uncompared = [cell.source for cell in cells if NOT_COMPARED & set(cell.metadata.get("tags", []))]
    uncompared += [
        cell.source for cell in cells if cell.source.startswith(("# NBVAL_SKIP", "# NBVAL_IGNORE"))
    ]
    assert len(uncompared) <= len(cells) * 0.1, uncompared


def test_views_of_widgets_have_their_state(notebook: Any) -> None:
    """Without it a page shows nothing, and no tool complains."""
    states = notebook.metadata.get("widgets", {}).get(f"{WIDGET}-state+json", {}).get("state", {})
    shown = [output.get("data", {}).get(f"{WIDGET}-view+json") for output in outputs(notebook)]
    assert {view["model_id"] for view in shown if view} <= set(states)


def test_solutions_name_only_what_there_is(notebook: Any) -> None:
    """On the page, or in the solutions before it: a reader goes on where the last cell ended."""
    known = set(dir(builtins)).union(*(names(cell.source)[0] for cell in code_cells(notebook)))
    for label, code in solutions(notebook):
        bound, read = names(code)
        known |= bound
        assert read <= known, f"{label}: {read - known}"
        assert max(map(len, code.splitlines())) <= 64, f"{label}: its box is narrower than a cell"


@pytest.mark.soak
def test_solutions_run(notebook: Any, request: pytest.FixtureRequest) -> None:
    """After the cells of their page, as a reader runs them."""
    found = [new_code_cell(code) for _, code in solutions(notebook)]
    if not found:
        return
    notebook = copy.deepcopy(notebook)
    notebook.cells += found
    execute(notebook, request.node.callspec.params["notebook"].parent)
    assert all(cell.outputs for cell in found), "a solution prints its answer"


def without_code(text: str) -> str:
    return re.sub(r"^```\w+$.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def test_no_text_line_begins_with_percent() -> None:
    """MyST takes it for a comment, and the page lacks the line. Two comments tell the editions apart."""
    for path in [*PAGES.rglob("*.md"), *NOTEBOOKS]:
        for text in map(without_code, markdown(path)):
            assert not re.search(r"^\s*%(?! not for students$| for all$)", text, re.MULTILINE), path


# --- what makes a notebook a chapter ----------------------------------------------------------------------


def test_a_chapter_begins_with_its_head(chapter: Path) -> None:
    """Its title, then what it takes and teaches; every objective that it names is one of the exam's."""
    first = read(chapter).cells[0]
    head = re.search(r"^(:{3,})\{chapter\}\n(.*?)^\1$", first.source, re.MULTILINE | re.DOTALL)
    assert re.search(r"^# \S", first.source, re.MULTILINE)
    assert head, "the first cell has the head of the chapter"
    named = re.findall(r"\b[1-5]\.\d\.\d+\b", head[2])
    assert named
    assert {*named} <= read_objectives(ROOT).keys()


def test_a_chapter_has_its_parts(chapter: Path) -> None:
    found = directives(text_of(read(chapter)))
    optional = {"by-hand"} if chapter.parent.name.startswith("0-") else set()
    assert sorted(PARTS - optional - {*found}) == []
    assert {name: found.count(name) for name in ONCE} == dict.fromkeys(ONCE, 1)


def test_a_chapter_ends_with_its_sources(chapter: Path) -> None:
    assert directives(text_of(read(chapter)))[-1] == "sources"


def test_exercises_have_solutions(chapter: Path) -> None:
    found = directives(text_of(read(chapter)))
    assert found.count("exercise") == found.count("solution") >= 3


def test_the_first_figure_comes_soon(chapter: Path) -> None:
    """Or a widget, a table or a diagram: something to look at before the reader has to go on faith."""
    assert words_before_figure(read(chapter)) <= FIRST_FIGURE


def words_before_figure(notebook: Any) -> float:
    """How many words a reader has read when the first thing to look at comes; boxes do not count."""
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            shown = next((found for found in BLOCK.finditer(cell.source) if found[2] in SHOWING), None)
            prose = BLOCK.sub("", cell.source[: shown.start()] if shown else cell.source)
            count += len(re.findall(r"\w[\w'’-]*", prose))
            if shown or "![" in cell.source:
                return count
        elif any(is_figure(output.get("data", {})) for output in cell.outputs):
            return count
    return float("inf")


def is_figure(data: dict[str, Any]) -> bool:
    html = data.get("text/html", "")
    return f"{WIDGET}-view+json" in data or any(mark in html for mark in ("fm-figure", "fm-marked", "<table"))


def test_words_before_a_figure_are_counted() -> None:
    prose = new_markdown_cell("# Two words\n\nThree more words.\n\n:::{question} Not these\nNor these.\n:::")
    widget = new_markdown_cell("One.\n\n```{guess} once\n```\n\nNot these.")
    drawn = new_output("display_data", data={"text/html": "<figure class='fm-figure'></figure>"})
    figure = new_code_cell("plot()", outputs=[drawn])
    for cells, words in (([prose, figure], 5), ([prose, widget], 6), ([figure], 0), ([prose], float("inf"))):
        assert words_before_figure(new_notebook(cells=cells)) == words
