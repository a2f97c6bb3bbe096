"""The editions of the book, from the same pages. The environment variable `FMKIT_EDITION` chooses one:

    public       the self-paced learner's, with answers; this is the one without the variable
    student      nothing in it says what is right: no keys, reasons or solutions, and no pages for teachers
    instructor   the public one, and in a part of its own instructor/: keys, expected figures, rubrics

`edition()` is the only place that reads the variable. What becomes of a page for students:

- quizzes are asked and their answers kept, but not graded (bookkit/quiz); the progress page saves them
- solutions of exercises are gone before Sphinx reads the page, and so is what a page has between the comments
  `% not for students` and `% for all`, each on a line of its own (`bookkit.editions.text`)
- pages that are nothing without keys are left out; links to them are only text (`bookkit.editions.pages`)

`bookkit.editions.packs` makes the files to hand out.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from fmkit.errors import FmkitError

SETTING = "FMKIT_EDITION"
PUBLIC, STUDENT, INSTRUCTOR = EDITIONS = ("public", "student", "instructor")
# What is nothing without keys, or is for the teacher alone.
NOT_FOR_STUDENTS = (
    "chapters/teaching/*",
    "chapters/back/exam",
    "chapters/back/quizzes",
    "chapters/back/review",
)
TEACHING = "chapters/teaching/"
KEYS = "instructor"  # the folder, which has pages of the same names as the teaching pages
PART = "Keys and rubrics"


def edition() -> str:
    """The edition that is being made; raises FmkitError for one that does not exist."""
    name = os.environ.get(SETTING) or PUBLIC
    if name not in EDITIONS:
        raise FmkitError(f"{SETTING}={name}: there is no such edition; it is {', '.join(EDITIONS)}")
    return name


def shows_keys() -> bool:
    return edition() != STUDENT


@contextmanager
def chosen(name: str) -> Iterator[None]:
    """Make this edition, here and in the processes that are started meanwhile."""
    before = os.environ.get(SETTING)
    os.environ[SETTING] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ[SETTING]
        else:
            os.environ[SETTING] = before


def left_out(page: str) -> bool:
    """Whether this edition does without a page such as `chapters/back/exam`."""
    return not shows_keys() and any(fnmatch(page, pattern) for pattern in NOT_FOR_STUDENTS)


def contents(root: Path) -> Any:
    """The table of contents of this edition, a `sphinx_external_toc.api.SiteMap`."""
    from sphinx_external_toc.parsing import parse_toc_yaml

    return adapt(root, parse_toc_yaml(root / "_toc.yml"))


def adapt(root: Path, site_map: Any) -> Any:
    """Take out of a table of contents what this edition does without, and add what it alone has."""
    from sphinx_external_toc.api import Document, FileItem, TocTree

    for page in [page for page in site_map if left_out(page)]:
        del site_map[page]
    parts = site_map.root.subtrees
    for part in parts:
        part.items = [item for item in part.items if not left_out(item)]
    parts[:] = [part for part in parts if part.items]
    if edition() == INSTRUCTOR:
        keys = [page.replace(TEACHING, f"{KEYS}/") for page in site_map if page.startswith(TEACHING)]
        keys = [page for page in keys if (root / f"{page}.md").is_file()]
        for page in keys:
            site_map[page] = Document(page)
        if keys:
            parts.append(TocTree([FileItem(page) for page in keys], caption=PART))
    return site_map


def setup(app: Any) -> None:
    from bookkit.editions import pages

    pages.setup(app)
