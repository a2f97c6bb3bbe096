"""A week for an instructor, in one zip file."""

import tempfile
from pathlib import Path

from bookkit.assignments import make, read_sets
from bookkit.quiz.exports.files import write_zip
from fmkit.errors import FmkitError


def write_week(root: Path, number: str, seed: int) -> Path:
    """Pack a week for the class of this seed into `_build`; returns the zip file.

    Raises `FmkitError` for a week that the course does not have.
    """
    weeks = [each.name.removeprefix("week") for each in read_sets(root / "bookkit" / "assignments")]
    if number not in weeks:
        given = f"N={number} is not one of the weeks" if number else "N is missing: choose a week"
        raise FmkitError(f"{given}, {', '.join(weeks)}: make week N={weeks[0]} SEED={seed}")
    name = f"week{number}"
    with tempfile.TemporaryDirectory() as scratch:
        course = make(root, Path(scratch), seed)
        files = {
            f"{name}/course/{path.relative_to(course)}": path.read_bytes()
            for path in sorted(course.rglob("*"))
            if path.is_file() and (path.parent.name == name or path.suffix == ".py")
        }
    path = root / "_build" / f"{name}-class-{seed}.zip"
    path.parent.mkdir(exist_ok=True)
    write_zip(path, files)
    return path
