"""The plan of a module says of each chapter what the chapter itself says."""

import re
from pathlib import Path

import nbformat
import pytest

PAGES = Path(__file__).parents[2] / "chapters"
PLANS = sorted(PAGES.glob("[1-9]-*/overview.ipynb"))
ROW = re.compile(r"^\| \[[^\]]+\]\(([a-z]+-[\w-]+)\) \| [^|]+ \| (\d+) \| (\d+) \|$", re.MULTILINE)


@pytest.fixture(params=PLANS, ids=lambda path: path.parent.name)
def overview(request: pytest.FixtureRequest) -> Path:
    return request.param


def plan(overview: Path) -> dict[str, tuple[str, str]]:
    """The minutes and CPU seconds of each chapter, by its label, in the order of the plan."""
    text = "\n".join(cell.source for cell in nbformat.read(overview, as_version=4).cells)
    return {label: (minutes, cpu) for label, minutes, cpu in ROW.findall(text)}


def heads(overview: Path) -> dict[str, tuple[str, str]]:
    found = {}
    for path in overview.parent.glob("*.ipynb"):
        first = nbformat.read(path, as_version=4).cells[0].source
        label, minutes, cpu = (
            re.search(pattern, first, re.MULTILINE)
            for pattern in (r"^\(([\w-]+)\)=$", r"^:minutes: (\d+)$", r"^:cpu: (\d+)$")
        )
        assert label, path
        assert minutes, path
        assert cpu, path
        found[label[1]] = (minutes[1], cpu[1])
    return found


def test_modules_have_plans() -> None:
    assert len(PLANS) >= 2


def test_the_plan_repeats_the_heads(overview: Path) -> None:
    assert plan(overview) == heads(overview)


def test_a_chapter_computes_for_a_minute(overview: Path) -> None:
    """45 seconds on average, 90 at most; but one chapter trains a model until it's near the floor."""
    seconds = [int(cpu) for label, (_, cpu) in plan(overview).items() if label != "pt-predicting"]
    assert max(seconds) <= 90
    assert sum(seconds) / len(seconds) <= 45
