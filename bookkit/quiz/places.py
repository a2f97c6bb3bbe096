"""Where the book shows its quizzes: their names for readers, in the order of the book."""

import re
from collections.abc import Collection
from pathlib import Path

from bookkit.quiz.sections import markdown
from bookkit.site.build import toc_pages

HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
SHOWN = re.compile(r"^```+\{quiz\} *(\S+) *$", re.MULTILINE)


def quiz_titles(root: Path, quizzes: Collection[str]) -> dict[str, str]:
    """The quizzes in the order of the book, each with a title; those that no page shows come last.

    The title is that of the page, with that of the section where a page shows several quizzes.
    """
    titles = {}
    for page in toc_pages(root):
        files = [root / f"{page}{ending}" for ending in (".md", ".ipynb")]
        text = "\n\n".join(part for file in files if file.is_file() for part in markdown(file))
        shown = list(SHOWN.finditer(text))
        for quiz in shown:
            headings = HEADING.findall(text[: quiz.start()])
            titles[quiz[1]] = headings[0] if len(shown) == 1 else f"{headings[0]}: {headings[-1]}"
    known = {quiz: title for quiz, title in titles.items() if quiz in quizzes}
    return known | {quiz: quiz.replace("-", " ").capitalize() for quiz in quizzes if quiz not in known}
