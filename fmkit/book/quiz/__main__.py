"""The bank's commands: `python -m fmkit.book.quiz lint|report`."""

import argparse
import sys

from fmkit.book.__main__ import ROOT
from fmkit.book.quiz.lint import RULES, lint, load
from fmkit.book.quiz.report import report
from fmkit.errors import FmkitError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fmkit.book.quiz", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lint", help="check every item against the rules, one line for each finding")
    commands.add_parser("report", help="what the bank covers and gives away, as Markdown")
    options = parser.parse_args(arguments)
    try:
        bank = load(ROOT)
        if options.command == "report":
            print(report(bank))
            return 0
        findings = lint(bank)
    except FmkitError as error:
        print(error, file=sys.stderr)
        return 2
    print(*findings, sep="\n", end="\n" if findings else "")
    print(f"{len(bank.items)} items, {len(RULES)} rules, {len(findings)} findings", file=sys.stderr)
    return 1 if any(not finding.warning for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
