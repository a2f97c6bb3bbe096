"""The book's commands: `python -m bookkit build|serve|zip|…|notebooks`, called by the Makefile."""

import argparse
import sys
from pathlib import Path

from bookkit.editions.packs import make_instructor, make_student
from bookkit.site.build import build
from bookkit.site.offline import write_zip
from bookkit.site.serve import serve
from fmkit.errors import FmkitError

ROOT = Path(__file__).parents[1]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bookkit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the site into _build/html, if anything changed")
    serving = commands.add_parser("serve", help="serve the built site on this machine")
    serving.add_argument("--port", type=int, help="this port or none; otherwise the first free one from 8000")
    commands.add_parser("zip", help="build the site and pack it into one file, to be read without a network")
    commands.add_parser("pdf", help="build the site and print it into one PDF, by Chromium")
    commands.add_parser("student", help="build the students' edition, without answers, and its notebooks")
    teaching = commands.add_parser(
        "instructor", help="build the instructor's pack, with all answers, as one zip"
    )
    teaching.add_argument("seed", help="the seed of the class, from which its problem sets are made")
    commands.add_parser("slides", help="write a deck of slides for each chapter into _build/slides")
    executing = commands.add_parser("notebooks", help="re-execute notebooks and normalize them")
    executing.add_argument("paths", nargs="*", type=Path, help="notebooks; all of chapters/ if none is given")
    options = parser.parse_args(arguments)
    try:
        if options.command == "build":
            build(ROOT)
        elif options.command == "serve":
            serve(ROOT / "_build" / "html", options.port)
        elif options.command == "zip":
            build(ROOT)
            tell([write_zip(ROOT)])
        elif options.command == "pdf":
            from bookkit.site.pdf import write_pdf

            build(ROOT)
            tell([write_pdf(ROOT)])
        elif options.command == "student":
            tell(make_student(ROOT))
        elif options.command == "instructor":
            from bookkit.assignments import read_seed

            tell([make_instructor(ROOT, read_seed(options.seed))])
        elif options.command == "slides":
            from bookkit.slides import write

            print(*(path.relative_to(ROOT) for path in write(ROOT, ROOT / "_build" / "slides")), sep="\n")
        else:
            from bookkit.site.notebooks import execute_all

            return execute_all(options.paths or sorted((ROOT / "chapters").rglob("*.ipynb")))
    except FmkitError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def tell(paths: list[Path]) -> None:
    for path in paths:
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
