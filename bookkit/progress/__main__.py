"""What a class has answered: `python -m bookkit.progress merge FILES… -o table.csv`."""

import argparse
import sys
from pathlib import Path

from bookkit.progress.merge import merge
from fmkit.errors import FmkitError

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m bookkit.progress", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    merging = commands.add_parser("merge", help="merge saved progress files into one table and a summary")
    merging.add_argument("paths", nargs="+", type=Path, help="JSON files of the page of progress, or folders")
    merging.add_argument(
        "-o", "--out", type=Path, default=Path("progress.csv"), help="the table, a .csv file"
    )
    options = parser.parse_args(arguments)
    try:
        summary, said = merge(options.paths, options.out, root)
    except FmkitError as error:
        print(error, file=sys.stderr)
        return 2
    print(*said, sep="\n", file=sys.stderr, end="\n" if said else "")
    print(f"{options.out}\n{summary}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
