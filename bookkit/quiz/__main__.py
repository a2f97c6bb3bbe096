"""The bank's commands: `python -m bookkit.quiz lint|report|export|banks`."""

import argparse
import sys
from pathlib import Path

from bookkit.quiz.bank import load
from bookkit.quiz.exports import GRADINGS, export, write_banks
from bookkit.quiz.lint import RULES, lint
from bookkit.quiz.report import report
from fmkit.errors import FmkitError

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run a command on the bank of the book at `root`; 1 for findings, 2 for a file that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m bookkit.quiz", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lint", help="check every item against the rules, one line for each finding")
    commands.add_parser("report", help="what the bank covers and gives away, as Markdown")
    exporting = commands.add_parser("export", help="write the quizzes for Canvas, Moodle, Anki and paper")
    exporting.add_argument("directory", type=Path)
    exporting.add_argument(
        "--grading",
        choices=GRADINGS,
        default=GRADINGS[0],
        help="exam (the default): all or nothing, as on AIF-C01; partial: a share for each right place",
    )
    banks = commands.add_parser("banks", help="write question banks to draw from, and forms A and B on paper")
    banks.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "lint":
            return run_lint(root)
        if options.command == "report":
            print(report(load(root)))
        elif options.command == "banks":
            print(*write_banks(root, options.directory), sep="\n")
        else:
            print(*export(root, options.directory, options.grading), sep="\n")
    except FmkitError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def run_lint(root: Path) -> int:
    bank = load(root)
    findings = lint(bank)
    for finding in findings:
        print(finding)
    print(f"{len(bank.items)} items, {len(RULES)} rules, {len(findings)} findings", file=sys.stderr)
    return 1 if any(not finding.warning for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
