"""The `syllabus` directive: a course of so many weeks as a table, whose numbers are those of its chapters.

    ```{syllabus} 14
    ```

The sessions are in assets/syllabus.yml. Minutes of reading and seconds of computing come from the heads of
the chapters (`{chapter}`), the numbers of questions from their quizzes: no number is written twice.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bookkit.quiz.items import FOLDER, read_quiz
from bookkit.quiz.sections import markdown
from bookkit.site.entries import Entry, read
from bookkit.site.page_widget import report
from fmkit.errors import FmkitError

FILE = "assets/syllabus.yml"
WORK = r"problem set [1-4]|test of module [1-4]|exam"
MINUTES, CPU = re.compile(r"^:minutes: (\d+)$", re.MULTILINE), re.compile(r"^:cpu: (\d+)$", re.MULTILINE)
QUIZ = re.compile(r"\{quiz\} ([\w-]+)")
HEAD = ("week", "session", "minutes to read", "CPU minutes", "quiz", "given out")


@dataclass(frozen=True)
class Session:
    week: int
    chapters: tuple[str, ...]
    work: str
    skip: str


@dataclass(frozen=True)
class Facts:
    """What a chapter takes: minutes to read, CPU seconds to run, questions in its quizzes."""

    minutes: int
    cpu: int
    questions: int


def read_courses(root: Path) -> dict[str, list[Session]]:
    """The courses by their number of weeks; a fault is an FmkitError with file and line."""
    courses = {}
    for key, sessions in read(root / FILE, FILE).node.value:
        courses[str(key.value)] = [_session(one, root) for one in Entry(sessions, FILE).list("a course")]
    return courses


def in_every_course(root: Path) -> set[str]:
    """The pages of the chapters that no course leaves out; none in a book without courses."""
    if not (root / FILE).is_file():
        return set()
    courses = [[page for one in course for page in one.chapters] for course in read_courses(root).values()]
    return {f"chapters/{page}" for page in set.intersection(*map(set, courses))}


def _session(entry: Entry, root: Path) -> Session:
    fields = entry.fields("a session", ("week", "chapters"), ("work", "skip"))
    chapters = fields["chapters"].list("chapters")
    for one in chapters:
        if not (root / f"chapters/{one.text('a chapter')}.ipynb").is_file():
            raise one.fault(f"there is no chapter {one.text('a chapter')!r}")
    return Session(
        fields["week"].whole("week"),
        tuple(one.text("a chapter") for one in chapters),
        fields["work"].text("work", WORK, "a problem set, a test or the exam") if "work" in fields else "",
        fields["skip"].text("skip") if "skip" in fields else "",
    )


def facts(root: Path, chapter: str) -> Facts:
    text = "\n".join(markdown(root / f"chapters/{chapter}.ipynb"))
    minutes, cpu = (pattern.search(text) for pattern in (MINUTES, CPU))
    if not minutes or not cpu:
        raise FmkitError(f"chapters/{chapter}.ipynb:1: has no head {{chapter}} with minutes and cpu")
    quizzes = [f"{FOLDER}/{name}.yml" for name in QUIZ.findall(text)]
    return Facts(int(minutes[1]), int(cpu[1]), sum(len(read_quiz(root / file, file)) for file in quizzes))


def table(root: Path, sessions: list[Session]) -> list[str]:
    """The course as lines of a Markdown table."""
    lines = [_row(HEAD), _row("---" for _ in HEAD)]
    for number, session in enumerate(sessions, start=1):
        every = [facts(root, chapter) for chapter in session.chapters]
        takes = [""] * 3
        if every:
            minutes, cpu = sum(one.minutes for one in every), sum(one.cpu for one in every) / 60
            takes = [str(minutes), f"{cpu:.1f}", str(sum(one.questions for one in every))]
        pages = " · ".join(f"{{doc}}`/chapters/{chapter}`" for chapter in session.chapters)
        skip = f"(leave out first: {session.skip})" if session.skip else ""
        what = " ".join(filter(None, (f"{number}.", pages or "The exam.", skip)))
        lines.append(_row((str(session.week), what, *takes, session.work)))
    return lines


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


class Syllabus(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # it depends on chapters and quizzes
        root = Path(self.env.srcdir)
        try:
            courses = read_courses(root)
            if self.arguments[0] not in courses:
                raise self.error(f"no course of {self.arguments[0]} weeks: {FILE} has {', '.join(courses)}")
            lines = table(root, courses[self.arguments[0]])
        except FmkitError as error:
            report(error)
            return []
        box = nodes.container()
        self.state.nested_parse(StringList(lines, self.env.docname), self.content_offset, box)
        return box.children


def setup(app: Sphinx) -> None:
    app.add_directive("syllabus", Syllabus)
