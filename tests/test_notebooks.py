"""The committed notebooks: executed, normalized, compared, readable."""

import copy
import statistics
from pathlib import Path
from typing import Any

import nbformat
import pytest

from fmkit.book.notebooks import normalize

CHAPTERS = Path(__file__).parents[1] / "chapters"
NOTEBOOKS = sorted(path for path in CHAPTERS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
NOT_COMPARED = {"nbval-skip", "nbval-ignore-output", "skip-execution"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: str(path.relative_to(CHAPTERS)))
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def test_executed_and_normalized(notebook: Any) -> None:
    """As `make notebooks` leaves it."""
    normal = copy.deepcopy(notebook)
    normalize(normal)
    assert notebook == normal
    assert not [o for cell in code_cells(notebook) for o in cell.outputs if o.output_type == "error"]


def test_cells_are_short(notebook: Any) -> None:
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    assert max(lengths) <= 30
    assert statistics.median(lengths) <= 6


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
