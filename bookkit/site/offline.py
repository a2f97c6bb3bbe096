"""The site where there is no network: as one zip file, to be unpacked and opened as files.

The same site gives the same bytes: names are sorted, and every file has the same time.
"""

import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

from bookkit.site.build import place, site

logger = logging.getLogger(__name__)

NAME = "training-foundation-models"  # of the zip, and of the folder in it
FIRST = "READ ME.txt"
TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file knows
MODE = 0o100644 << 16  # a file that its owner may change and anybody may read
SERVED = {"404.html", "sitemap.xml", ".buildinfo"}  # what only a server, or the next build, has a use for
TEXT = """TRAINING FOUNDATION MODELS

Open index.html in this folder: a double click will do. Any current browser
shows the whole book, its labs, models and quizzes, without a network, a
server or an installation.

Unpack the whole zip file first. Opened inside of it, pages find neither
their pictures nor their labs.

What you answer and mark as read is kept by your browser on this machine.
The page "Your progress" saves it to a file, to take it elsewhere.
"""

# A page that was opened as a file cannot fetch: there, what the search finds has no summary.
SEARCH = "_static/searchtools.js"
SUMMARY, WHERE_SERVED = (
    "else if (showSearchSummary)",
    'else if (showSearchSummary && location.protocol !== "file:")',
)


def write_zip(root: Path) -> Path:
    """Pack the site, which must have been built; returns the zip file."""
    pages = ((file.relative_to(site(root)).as_posix(), file.read_bytes()) for file in files(site(root)))
    first = (FIRST, TEXT.replace("\n", "\r\n").encode())  # also for an old Notepad
    return pack(place(root) / f"{NAME}.zip", chain([first], pages))


def pack(path: Path, content: Iterable[tuple[str, bytes]]) -> Path:
    """Write a zip file of these files, in a folder that is named like it; returns its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name, data in content:
            entry = zipfile.ZipInfo(f"{path.stem}/{name}", TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, MODE
            entry.create_system = 3  # Unix
            target.writestr(entry, data)
    return path


def files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in SERVED:
            yield path


def mend_search(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    script = Path(app.outdir, SEARCH)
    text = script.read_text(encoding="utf-8")
    if SUMMARY not in text:
        logger.warning("Sphinx's search fetches its summaries in another way: mend %s anew", SEARCH)
    script.write_text(text.replace(SUMMARY, WHERE_SERVED), encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", mend_search)
