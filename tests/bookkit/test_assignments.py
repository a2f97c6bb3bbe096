"""The graded problem sets, released and graded by nbgrader itself, for two made-up classes."""

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from bookkit.assignments import SEED_CELL, commands, make, read_sets
from bookkit.assignments.__main__ import main
from bookkit.assignments.mistakes import submissions

ROOT = Path(__file__).parents[2]
SETS = {each.name: each for each in read_sets()}
SEED, OTHER = 7, 8
STUBS = {"code": "# YOUR CODE HERE", "markdown": "*YOUR ANSWER HERE*"}
WATCH = """
import json, time
from pathlib import Path

spent, began = [0.0], [0.0]
def begin(info):
    began[0] = time.process_time()
def end(result):
    if "BEGIN HIDDEN TESTS" in result.info.raw_cell:
        spent[0] += time.process_time() - began[0]
        Path("tests.json").write_text(json.dumps(spent[0]))
get_ipython().events.register("pre_run_cell", begin)
get_ipython().events.register("post_run_cell", end)
"""  # a cell that a student adds: nbgrader keeps it


@pytest.fixture(autouse=True, scope="module")
def nbgrader_runs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, commands():
        patch.setenv("TQDM_DISABLE", "1")
        yield


@dataclass
class Graded:
    """A problem set of one class: what students got, what ran, and how nbgrader graded it."""

    course: Path
    untouched: Any
    says: dict[str, dict[str, str]]  # of each wrong submission, for each test that it must fail

    def points(self, student: str, name: str) -> dict[str, tuple[float, float]]:
        """For each graded cell the points, and the most that there are."""
        with Gradebook(f"sqlite:///{self.course / 'gradebook.db'}") as gradebook:
            grades = gradebook.find_submission_notebook(name, name, student).grades
            return {grade.cell.name: (grade.score, grade.max_score) for grade in grades}

    def feedback(self, student: str, name: str) -> str:
        return unescape((self.course / "feedback" / student / name / f"{name}.html").read_text())


def execute(notebook: Any, directory: Path) -> Any:
    """Run all of a notebook where it is; an error in any cell fails."""
    directory.mkdir(parents=True, exist_ok=True)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(directory)}}).execute()
    return notebook


def nbgrader(course: Path, *command: str) -> None:
    done = subprocess.run(["nbgrader", *command], cwd=course, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module", params=SETS)
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """A class hands in: the solution, and every mistake; all with the models that one of them trained."""
    each = SETS[request.param]
    course = make(ROOT, tmp_path_factory.mktemp("class") / "course", SEED)
    student = tmp_path_factory.mktemp("student")
    untouched = execute(read(course, "release", each.name), student)

    source = read(course, "source", each.name)
    wrong = submissions(source, each.facts["wrong"])
    solution = read(course, "source", each.name)
    solution.cells.insert(0, new_code_cell(WATCH))
    handed_in = {"solution": solution} | {f"wrong{i}": notebook for i, (notebook, _) in enumerate(wrong)}
    for name, notebook in handed_in.items():
        place = course / "submitted" / name / each.name
        shutil.copytree(student / "run", place / "run")
        nbformat.write(notebook, place / f"{each.name}.ipynb")
    nbgrader(course, "autograde", each.name)
    nbgrader(course, "generate_feedback", each.name)
    return Graded(course, untouched, {f"wrong{i}": says for i, (_, says) in enumerate(wrong)})


def read(course: Path, kind: str, name: str) -> Any:
    return nbformat.read(course / kind / name / f"{name}.ipynb", as_version=4)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["graded"])


def machine_graded(name: str) -> set[str]:
    """The cells that nbgrader grades by itself."""
    marks = [cell.metadata.get("nbgrader", {}) for cell in SETS[name].notebook.cells]
    return {mark["grade_id"] for mark in marks if mark.get("grade") and not mark["solution"]}


@pytest.mark.slow
def test_untouched_runs_through(graded: Graded, name: str) -> None:
    counts = [cell.execution_count for cell in graded.untouched.cells if cell.cell_type == "code"]
    assert len(counts) > 5
    assert all(counts)


@pytest.mark.slow
def test_solution_gets_all_points(graded: Graded, name: str) -> None:
    points = graded.points("solution", name)
    missed = {cell: found for cell, found in points.items() if found[0] != found[1]}
    assert sum(most for _, most in points.values()) == 20
    assert set(missed) == set(points) - machine_graded(name)


@pytest.mark.slow
def test_mistakes_fail_their_tests(graded: Graded, name: str) -> None:
    for student, says in graded.says.items():
        points = graded.points(student, name)
        failed = {cell for cell in machine_graded(name) if points[cell][0] < points[cell][1]}
        assert failed == set(says), student


@pytest.mark.slow
def test_mistakes_are_explained(graded: Graded, name: str) -> None:
    for student, says in graded.says.items():
        feedback = " ".join(graded.feedback(student, name).split())
        unsaid = {test: words for test, words in says.items() if words not in feedback}
        assert unsaid == {}, student


@pytest.mark.slow
def test_hidden_tests_are_quick(graded: Graded, name: str) -> None:
    spent = json.loads((graded.course / "autograded" / "solution" / name / "tests.json").read_text())
    print(f"{name}: hidden tests took {spent:.1f} CPU seconds")
    assert spent <= 20


@pytest.mark.slow
def test_only_marked_parts_differ(graded: Graded, name: str) -> None:
    source, release = (read(graded.course, kind, name) for kind in ("source", "release"))
    assert [cell.id for cell in source.cells] == [cell.id for cell in release.cells]
    for cell, given in zip(source.cells, release.cells, strict=True):
        assert given.source.split() == without_answers(cell).split(), cell.id


def without_answers(cell: Any) -> str:
    """What is outside of nbgrader's marks, with the stub where a solution was."""
    kept, inside = [], False
    for line in cell.source.splitlines():
        if "### BEGIN" in line:
            inside = True
            kept += [STUBS[cell.cell_type]] if "SOLUTION" in line else []
        elif "### END" in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


@pytest.mark.slow
def test_classes_differ(graded: Graded, name: str, tmp_path: Path) -> None:
    """Up to the training, since its text comes from the seed, too."""
    ids = [cell.id for cell in graded.untouched.cells]
    early = graded.untouched.cells[: ids.index("run")]
    other = nbformat.from_dict(graded.untouched)
    other.cells = nbformat.from_dict(graded.untouched).cells[: ids.index("run")]
    other.cells[ids.index(SEED_CELL)].source = f"SEED = {OTHER}"
    execute(other, tmp_path)
    drawn = [i for i, cell in enumerate(early) if "SEED" in cell.source and cell.get("outputs")]
    assert drawn
    assert "SEED" in graded.untouched.cells[ids.index("run")].source
    for i in drawn:
        assert early[i].outputs != other.cells[i].outputs, ids[i]


@pytest.mark.slow
def test_week_has_all_its_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ROOT.iterdir():
        if path.name != "_build":
            (tmp_path / path.name).symlink_to(path)
    assert main(["week", "2", "7"], root=tmp_path) == 0
    packed = zipfile.ZipFile(tmp_path / "_build" / "week2-class-7.zip")
    names = {name.removeprefix("week2/") for name in packed.namelist()}
    chapters = {path.stem for path in (ROOT / "chapters" / "2-finetuning").glob("*.ipynb")}
    for kind in ("plans", "keys", "slides"):
        assert {f"{kind}/{chapter}.html" for chapter in chapters} <= names
    wanted = ("course/source/week2/week2.ipynb", "course/release/week2/week2.ipynb", "course/README.md")
    assert {*wanted, "bank/2-finetuning.qti.zip", "bank/2-finetuning.moodle.xml"} <= names
    links = re.findall(r'href="([^"]+)"', packed.read("week2/README.html").decode())
    assert all(any(name.startswith(link) for name in names) for link in links if link != "#chapters")
    released = packed.read("week2/course/release/week2/week2.ipynb").decode()
    assert "SEED = 7" in released
    assert not re.search("SOLUTION|HIDDEN", released)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["course", ""], "SEED is missing"),
        (["course", "seven"], "SEED=seven is not a whole number"),
        (["course", "0"], "from 1 to 999,999"),
        (["week", "5", "7"], "N=5 is not one of the weeks"),
        (["week", "", "7"], "N is missing"),
    ],
)
def test_bad_arguments_get_a_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "bookkit" / "assignments", tmp_path / "bookkit" / "assignments")
    assert main(arguments, root=tmp_path) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.slow
def test_changed_course_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "bookkit" / "assignments", tmp_path / "bookkit" / "assignments")
    assert main(["course", "7"], root=tmp_path) == 0
    changed = next((tmp_path / "course-7" / "source").rglob("*.ipynb"))
    changed.write_text(changed.read_text().replace("(3 points)", "(4 points)"))
    mine = changed.read_text()
    assert main(["course", "7"], root=tmp_path) == 2
    assert "differs from what the book makes" in capsys.readouterr().err
    assert changed.read_text() == mine
