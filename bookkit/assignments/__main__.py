"""The problem sets' commands: `python -m bookkit.assignments course SEED` and `… week N SEED`."""

import argparse
import sys
from pathlib import Path

from bookkit.assignments import make, read_seed
from bookkit.assignments.week import write_week
from fmkit.errors import FmkitError

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m bookkit.assignments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    course = commands.add_parser("course", help="write the course of a class, for nbgrader")
    week = commands.add_parser("week", help="pack all that an instructor needs for a week")
    week.add_argument("number", help="the week, from 1 on")
    for command in (course, week):
        command.add_argument("seed", help="the seed of the class")
    options = parser.parse_args(arguments)
    try:
        seed = read_seed(options.seed)
        if options.command == "course":
            path = make(root, root / f"course-{seed}", seed)
            print(f"{path.relative_to(root)}: release/ is for students, README.md says how to grade")
        else:
            path = write_week(root, options.number, seed)
            print(f"{path.relative_to(root)}: {path.stat().st_size / 1e6:.1f} MB")
    except FmkitError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
