"""The plan of a module says of each chapter what the chapter itself says."""

import re
from pathlib import Path

import nbformat

PAGES = Path(__file__).parents[2] / "chapters"
PLAN = PAGES / "2-finetuning/overview.ipynb"
ROW = re.compile(r"^\| \[[^\]]+\]\((ft-[\w-]+)\) \| [^|]+ \| (\d+) \| (\d+) \|$", re.MULTILINE)


def plan() -> dict[str, tuple[str, str]]:
    """The minutes and CPU seconds of each chapter, by its label, in the order of the plan."""
    text = "\n".join(cell.source for cell in nbformat.read(PLAN, as_version=4).cells)
    return {label: (minutes, cpu) for label, minutes, cpu in ROW.findall(text)}


def heads() -> dict[str, tuple[str, str]]:
    found = {}
    for path in PLAN.parent.glob("*.ipynb"):
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


def test_the_plan_repeats_the_heads() -> None:
    assert plan() == heads()


def test_a_chapter_computes_for_a_minute() -> None:
    """45 seconds on average, 90 at most."""
    seconds = [int(cpu) for _, cpu in plan().values()]
    assert max(seconds) <= 90
    assert sum(seconds) / len(seconds) <= 45
