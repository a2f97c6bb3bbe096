"""Where the book shows its quizzes: their names for readers, in the order of the book."""

import re
from collections.abc import Collection
from pathlib import Path

from bookkit.quiz.sections import markdown
from bookkit.site.build import toc_pages

HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
SHOWN = re.compile(r"^```+\{quiz\} *(\S+) *$", re.MULTILINE)


def page_text(root: Path, page: str) -> str:
    files = [root / f"{page}{ending}" for ending in (".md", ".ipynb")]
    return "\n\n".join(part for file in files if file.is_file() for part in markdown(file))


def page_title(root: Path, page: str) -> str:
    """The first heading of a page, as Markdown; its name where it has none."""
    heading = HEADING.search(page_text(root, page))
    return heading[1] if heading else page.rpartition("/")[2]


def shown(root: Path) -> set[str]:
    """The quizzes that a page of the book shows. The others are its reserve."""
    return {quiz for page in toc_pages(root) for quiz in SHOWN.findall(page_text(root, page))}


def quiz_titles(root: Path, quizzes: Collection[str]) -> dict[str, str]:
    """The quizzes in the order of the book, each with a title; those that no page shows come last.

    The title is that of the page, with that of the section where a page shows several quizzes.
    """
    titles = {}
    for page in toc_pages(root):
        text = page_text(root, page)
        found = list(SHOWN.finditer(text))
        for quiz in found:
            headings = HEADING.findall(text[: quiz.start()])
            titles[quiz[1]] = headings[0] if len(found) == 1 else f"{headings[0]}: {headings[-1]}"
    known = {quiz: title for quiz, title in titles.items() if quiz in quizzes}
    return known | {quiz: quiz.replace("-", " ").capitalize() for quiz in quizzes if quiz not in known}
