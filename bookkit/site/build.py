"""Build the site: only when something changed, strictly, and with every page of the table of contents.

The public edition is built into _build/html, another (see `bookkit.editions`) into _build/EDITION/html.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bookkit import editions
from fmkit.errors import FmkitError

SOURCES = (
    "_config.yml",
    "_toc.yml",
    "constraints.txt",
    "chapters",
    "instructor",
    "assets",
    "bookkit",
    "fmkit",
)
# The environment variables that the pages depend on.
SETTINGS = ("FMKIT_PUBLIC_URL", "FMKIT_REPOSITORY", editions.SETTING)
SKIPPED = {"node_modules", "__pycache__", ".ipynb_checkpoints"}
COLOR = re.compile(r"\x1b\[[\d;]*m")  # of a terminal
WARNING = re.compile(r"(?:^|: )(?:WARNING|ERROR|CRITICAL): ")


def place(root: Path) -> Path:
    """The folder of what is made of this edition."""
    made = root / "_build"
    return made if editions.edition() == editions.PUBLIC else made / editions.edition()


def site(root: Path) -> Path:
    return place(root) / "html"


def build(root: Path) -> None:
    """Bring the site up to date."""
    started = time.monotonic()
    stamp, now = place(root) / "fingerprint", fingerprint(root)
    fresh = stamp.exists() and stamp.read_text() == now
    if not fresh:
        stamp.unlink(missing_ok=True)
        # Always the whole site: an incremental build leaves old titles in the sidebars of other pages.
        shutil.rmtree(site(root), ignore_errors=True)
        run_jupyter_book(root)
    if missing := missing_pages(root):
        raise FmkitError(f"pages of _toc.yml that did not come out: {', '.join(missing)}")
    stamp.write_text(now)
    seconds = time.monotonic() - started
    index = site(root).relative_to(root) / "index.html"
    print(f"{'Nothing changed' if fresh else 'Built the book'} ({seconds:.0f} s): {index}")


def run_jupyter_book(root: Path) -> None:
    command = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    options = ["-W", "-n", "--keep-going", "--all", "-q"]
    work = place(root) / "work"
    if editions.edition() != editions.PUBLIC:
        options += ["--path-output", str(work)]  # Jupyter Book makes a folder _build in it
    result = subprocess.run(
        [sys.executable, "-c", command, "build", *options, "."],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if result.returncode:
        # All of it for whoever looks for more, and at the end, where a log is cut off last, the causes.
        output = COLOR.sub("", result.stdout)
        print(output, *warnings(output), sep="\n", file=sys.stderr)
        raise FmkitError("The book was not built: a warning counts as an error, see above.")
    if editions.edition() != editions.PUBLIC:
        (work / "_build" / "html").replace(site(root))
        shutil.rmtree(work)


def warnings(output: str) -> list[str]:
    """The lines of a build's output that warn, each once."""
    return [*dict.fromkeys(line for line in output.splitlines() if WARNING.search(line))]


def fingerprint(root: Path) -> str:
    """A hash of everything that the site is made from."""
    digest = hashlib.sha256(repr([os.environ.get(name) for name in SETTINGS]).encode())
    for path in source_files(root):
        digest.update(f"\0{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def source_files(root: Path) -> Iterator[Path]:
    for source in SOURCES:
        path = root / source
        if path.is_file():
            yield path
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(set(folders) - SKIPPED)
            yield from (Path(folder, name) for name in sorted(files))


def toc_pages(root: Path) -> list[str]:
    """The pages that `_toc.yml` names, such as `chapters/intro`, as far as this edition has them."""
    pages = editions.contents(root)
    return [str(page).removesuffix(".md").removesuffix(".ipynb") for page in pages]


def toc_parts(root: Path) -> dict[str, list[str]]:
    """The pages of each part of `_toc.yml`, by its caption; the first page of the book is a part without."""
    from sphinx_external_toc.parsing import parse_toc_yaml

    top = parse_toc_yaml(root / "_toc.yml").root
    return {"": [top.docname]} | {part.caption or "": [*map(str, part.items)] for part in top.subtrees}


def missing_pages(root: Path) -> list[str]:
    return [page for page in toc_pages(root) if not (site(root) / f"{page}.html").is_file()]
