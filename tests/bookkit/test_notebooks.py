"""The committed notebooks: executed, normalized, compared, readable."""

import ast
import builtins
import copy
import re
import statistics
from pathlib import Path
from typing import Any

import nbformat
import pytest

from bookkit.quiz.sections import markdown
from bookkit.site.notebooks import execute, normalize

CHAPTERS = Path(__file__).parents[2] / "chapters"
NOTEBOOKS = sorted(path for path in CHAPTERS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
NOT_COMPARED = {"nbval-skip", "nbval-ignore-output", "skip-execution"}
SOLUTION = re.compile(r"^(`{3,}){solution} (\S+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: str(path.relative_to(CHAPTERS)))
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def solutions(notebook: Any) -> list[tuple[str, str]]:
    """The code of the solutions, each block with the label of its exercise."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [(label, code) for _, label, inside in SOLUTION.findall(text) for code in CODE.findall(inside)]


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
    assert NOTEBOOKS
    assert any(solutions(nbformat.read(path, as_version=4)) for path in NOTEBOOKS)


def test_executed_and_normalized(notebook: Any) -> None:
    """As `make notebooks` leaves it."""
    normal = copy.deepcopy(notebook)
    normalize(normal)
    assert notebook == normal
    assert not [o for cell in code_cells(notebook) for o in cell.outputs if o.output_type == "error"]


def test_cells_are_short(notebook: Any) -> None:
    """Those that a page folds away, which only draw, may be longer than those that are read."""
    lengths = {cell.id: len(cell.source.splitlines()) for cell in code_cells(notebook)}
    assert max(lengths.values()) <= 30
    read = [
        lengths[cell.id] for cell in code_cells(notebook) if "hide-input" not in cell.metadata.get("tags", [])
    ]
    assert statistics.median(read) <= 6


def test_nearly_all_cells_are_compared(notebook: Any) -> None:
    cells = code_cells(notebook)
    uncompared = [cell.source for cell in cells if NOT_COMPARED & set(cell.metadata.get("tags", []))]
    uncompared += [
        cell.source for cell in cells if cell.source.startswith(("# NBVAL_SKIP", "# NBVAL_IGNORE"))
    ]
    assert len(uncompared) <= len(cells) * 0.1, uncompared


def test_views_of_widgets_have_their_state(notebook: Any) -> None:
    """Without it a page shows nothing, and no tool complains."""
    kind = "application/vnd.jupyter.widget"
    states = notebook.metadata.get("widgets", {}).get(f"{kind}-state+json", {}).get("state", {})
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    views = [
        o.data[f"{kind}-view+json"]["model_id"] for o in outputs if f"{kind}-view+json" in o.get("data", {})
    ]
    assert set(views) <= set(states)


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
    found = [nbformat.v4.new_code_cell(code) for _, code in solutions(notebook)]
    if not found:
        return
    notebook.cells += found
    execute(notebook, request.node.callspec.params["notebook"].parent)
    assert all(cell.outputs for cell in found), "a solution prints its answer"


def test_no_text_line_begins_with_percent() -> None:
    """MyST takes it for a comment, and the page lacks the line."""
    for path in [*CHAPTERS.rglob("*.md"), *NOTEBOOKS]:
        for text in markdown(path):
            assert not re.search(r"^\s*%", text, re.MULTILINE), path
