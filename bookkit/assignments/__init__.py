"""Graded problem sets: a course for nbgrader whose world, data and numbers come from the class's seed.

`week1.ipynb` … are nbgrader's instructor version, with solutions and hidden tests between its marks. Beside
it, `week1.yml` has what students get wrong (see `bookkit.assignments.mistakes`) and what the week takes: the
`minutes` of a student, and the CPU minutes of `grading` thirty submissions.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config, PyFileConfigLoader

from bookkit.site.templates import render
from fmkit.errors import FmkitError

HERE = Path(__file__).parent
SEED_CELL, PLACEHOLDER = "class-seed", "SEED = 0"
CONFIG, PAGE = "nbgrader_config.py", "README.md"


@dataclass(frozen=True)
class ProblemSet:
    """A problem set as it is committed: its name (`week1`), its notebook, and what its YAML file says."""

    name: str
    notebook: Any
    facts: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.notebook.cells[0].source.splitlines()[0].lstrip("# "))

    @property
    def points(self) -> int:
        return sum(mark["points"] for mark in self._grades)

    @property
    def by_hand(self) -> int:
        """The points that a person gives, for what students write in cells that are graded themselves."""
        return sum(mark["points"] for mark in self._grades if mark["solution"])

    @property
    def grading(self) -> str:
        minutes = self.facts.get("grading")
        return f"{minutes} minutes of CPU time" if minutes else "not measured"

    @property
    def _grades(self) -> list[dict[str, Any]]:
        marks = [cell.metadata.get("nbgrader", {}) for cell in self.notebook.cells]
        return [mark for mark in marks if mark.get("grade")]


def read_sets(folder: Path = HERE) -> list[ProblemSet]:
    """The problem sets of the book, in the order of the weeks."""
    return [read_set(path) for path in sorted(folder.glob("week?.ipynb"))]


def read_set(path: Path) -> ProblemSet:
    notebook = nbformat.read(path, as_version=4)
    return ProblemSet(path.stem, notebook, yaml.safe_load(path.with_suffix(".yml").read_text()))


def make(root: Path, directory: Path, seed: int, only: str = "") -> Path:
    """Write the course of a class into `directory`; nbgrader itself makes the notebooks that students get.

    `only` is the name of a single problem set. What is in the directory otherwise, such as submissions and
    grades, is left alone. Raises `FmkitError` where a notebook of the course was changed since, by hand or
    with the book.
    """
    sets = read_sets(root / "bookkit" / "assignments")
    chosen = [each for each in sets if only in ("", each.name)]
    for each in chosen:
        _write(directory / "source" / each.name / f"{each.name}.ipynb", with_seed(each, seed))
    _write(directory / CONFIG, (HERE / CONFIG).read_text())
    (directory / PAGE).write_text(render("assignments/course.md", sets=sets, seed=seed))
    release(directory, [each.name for each in chosen])
    return directory


def with_seed(each: ProblemSet, seed: int) -> str:
    """The notebook with the seed of a class in it."""
    notebook = nbformat.from_dict(each.notebook)
    for cell in notebook.cells:
        if cell.id == SEED_CELL:
            cell.source = cell.source.replace(PLACEHOLDER, f"SEED = {seed}")
    return str(nbformat.writes(notebook)) + "\n"


def release(directory: Path, names: list[str]) -> None:
    """Have nbgrader make the students' version of problem sets, and enter them in the gradebook."""
    config = Config(PyFileConfigLoader(CONFIG, path=str(directory)).load_config())
    config.CourseDirectory.root = str(directory.resolve())
    nbgrader = NbGraderAPI(config=config)
    nbgrader.log.setLevel(logging.ERROR)
    for name in names:
        with commands():
            result = nbgrader.generate_assignment(name)
        if not result["success"]:
            raise FmkitError(f"{directory}: nbgrader cannot make {name}: {result.get('log', '')[-300:]}")


@contextmanager
def commands() -> Iterator[None]:
    """Put the environment's commands on the path: nbgrader starts kernels, and alembic for its database."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def read_seed(text: str) -> int:
    """The seed of a class. Raises `FmkitError` for anything but a whole number in range."""
    if not (re.fullmatch("[0-9]{1,6}", text) and int(text) > 0):
        given = f"SEED={text:.20} is not" if text else "SEED is missing:"
        raise FmkitError(f"{given} a whole number from 1 to 999,999 for your class, as in SEED=7")
    return int(text)


def _write(path: Path, content: str) -> None:
    """Write a file of the course, unless another is there."""
    if path.exists() and path.read_text() != content:
        raise FmkitError(
            f"{path}: differs from what the book makes: keep using this course, or move its folder away"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
