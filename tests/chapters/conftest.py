"""Runs the notebooks of chapters/: nbval executes each cell again and compares its output, cell by cell.

`pytest tests/chapters -k first-run` runs one of them. All cells of a notebook go to one worker, because
their ids begin with the notebook's path.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile

CHAPTERS = Path(__file__).parents[2] / "chapters"
SANITIZE = Path(__file__).with_name("nbval-sanitize.cfg")


class Notebook(IPyNbFile):
    """One notebook, compared after what `nbval-sanitize.cfg` replaces."""

    def get_sanitize_files(self) -> list[Path]:
        return [SANITIZE]


class Notebooks(pytest.File):
    """All notebooks of the book."""

    def collect(self) -> Iterator[Notebook]:
        for path in sorted(CHAPTERS.rglob("*.ipynb")):
            if ".ipynb_checkpoints" not in path.parts:
                notebook = Notebook.from_parent(self, path=path)
                notebook.add_marker("slow")
                yield notebook


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Notebooks | None:
    """Take the settings of the comparison for the file that holds the notebooks' tests."""
    return Notebooks.from_parent(parent, path=file_path) if file_path == SANITIZE else None
