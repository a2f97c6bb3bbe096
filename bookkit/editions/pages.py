"""What Sphinx does for an edition: which pages it has, their text, links, and the sources that they offer."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import docname_join, logging

from bookkit.editions import INSTRUCTOR, KEYS, NOT_FOR_STUDENTS, adapt, edition, shows_keys
from bookkit.editions.text import LEFT, to_hand_out, without_answers
from bookkit.quiz.sections import LABELED

logger = logging.getLogger(__name__)

TITLE = re.compile(r"^# +(.+?) *$", re.MULTILINE)


def configure(app: Sphinx, config: Config) -> None:
    """The pages of this edition; after sphinx_external_toc has read the table of contents."""
    if not shows_keys():
        config.exclude_patterns = [*config.exclude_patterns, *(f"{page}.md" for page in NOT_FOR_STUDENTS)]
    if edition() == INSTRUCTOR:
        config.include_patterns = [*config.include_patterns, f"{KEYS}/**"]
    if getattr(config, "external_site_map", None):
        config.external_site_map = adapt(Path(app.srcdir), config.external_site_map)


def read(app: Sphinx, page: str, source: list[str]) -> None:
    path = str(app.env.doc2path(page))
    source[0] = without_answers(path, source[0])
    if mark := LEFT.search(source[0]):
        logger.warning("students would see it: %r is indented, or has no end", mark[0], location=page)


def unlink(app: Sphinx, doctree: nodes.document) -> None:
    """A link to a page that was left out, or to a section of it, is only its text."""
    headings = headings_left_out(Path(app.srcdir))
    for link in list(doctree.findall(addnodes.pending_xref)):
        target = link.get("reftarget", "")
        page = target if link.get("refdomain") == "doc" else docname_join(app.env.docname, target)
        heading = headings.get(page) or headings.get(target)
        if heading:
            link.replace_self(link[0].children if link["refexplicit"] else [nodes.Text(heading)])


@cache
def headings_left_out(root: Path) -> dict[str, str]:
    """The headings of the pages that are left out, by the page, and of their sections, by the label."""
    headings: dict[str, str] = {}
    for path in [path for pattern in NOT_FOR_STUDENTS for path in root.glob(f"{pattern}.md")]:
        text = path.read_text(encoding="utf-8")
        headings |= dict(LABELED.findall(text))
        page = path.relative_to(root).with_suffix("").as_posix()
        title = TITLE.search(text)
        headings[page] = title[1] if title else page
    return headings


def finish(app: Sphinx, error: Exception | None) -> None:
    """The sources that a page offers are those that were read, and open without Sphinx, too."""
    if error or app.builder.name != "html":
        return
    for path in Path(app.outdir, "_sources").rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        path.write_text(to_hand_out(path.name, text), encoding="utf-8")


def setup(app: Any) -> None:
    app.connect("config-inited", configure, priority=910)  # sphinx_external_toc's has 900
    if not shows_keys():
        app.connect("source-read", read)
        app.connect("doctree-read", unlink)
        app.connect("build-finished", finish)
