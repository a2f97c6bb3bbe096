"""Lesson plans: assets/lessons/NAME.yml says how to teach with the lab NAME.

A lab is a widget by which somebody can teach. Its name is the widget's, with the arguments of its directive
if there are any, as in `guess-next-word`; a lab of a notebook is called by its class, as in `training-lab`.
The file gives it pages of its own (see `bookkit.site.embeds`):

    title: Choose the threshold of a classifier
    purpose: One sentence that says what the lab shows.
    level: introductory | intermediate | advanced
    minutes: 20                       # the activities together
    chapter: ft-task                  # the label of the section that teaches it
    needs: [What students must know]
    activities:
      - {minutes: 20, do: What to do, see: What to look for, and what it means}
    questions:
      - {ask: A question, answer: Its answer}
    sections: [ft-task-costs]         # labels of sections to read
    sources: [hastie2009]             # keys of references.bib
"""

from dataclasses import dataclass
from pathlib import Path

from bookkit.site.entries import Entry, read

FOLDER = "assets/lessons"
LEVELS = ("introductory", "intermediate", "advanced")
NAME = r"[a-z][a-z0-9-]*"


@dataclass(frozen=True)
class Activity:
    """A step; `see` is what to look for, and what it means."""

    minutes: int
    do: str
    see: str


@dataclass(frozen=True)
class Lesson:
    """A lesson plan. The labels and keys are entries, so that one that leads nowhere is named by its line."""

    name: str
    title: str
    purpose: str
    level: str
    minutes: int
    chapter: Entry
    needs: list[str]
    activities: list[Activity]
    questions: list[tuple[str, str]]
    sections: list[Entry]
    sources: list[Entry]


def lesson_file(name: str) -> str:
    return f"{FOLDER}/{name}.yml"


def lesson_names(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / FOLDER).glob("*.yml"))


def read_lesson(root: Path, name: str) -> Lesson:
    """The plan of a lab; raises FmkitError with file, line and the first fault."""
    file = lesson_file(name)
    keys = ["title", "purpose", "level", "minutes", "chapter", "needs", "activities", "questions"]
    fields = read(root / file, file).fields("a lesson plan", [*keys, "sections", "sources"])
    activities = [read_activity(one) for one in some(fields["activities"], "activities")]
    minutes, taken = fields["minutes"].whole("minutes"), sum(one.minutes for one in activities)
    if minutes != taken:
        raise fields["minutes"].fault(f"the activities take {taken} minutes together, not {minutes}")
    return Lesson(
        name=name,
        title=fields["title"].text("title"),
        purpose=fields["purpose"].text("purpose"),
        level=fields["level"].text("level", "|".join(LEVELS), ", ".join(LEVELS)),
        minutes=minutes,
        chapter=read_key(fields["chapter"], "chapter"),
        needs=[one.text("a need") for one in some(fields["needs"], "needs")],
        activities=activities,
        questions=[read_question(one) for one in some(fields["questions"], "questions")],
        sections=[read_key(one, "a section") for one in fields["sections"].list("sections")],
        sources=[read_key(one, "a source") for one in some(fields["sources"], "sources")],
    )


def some(entry: Entry, name: str) -> list[Entry]:
    """The entries of a list that may not be empty."""
    entries = entry.list(name)
    if not entries:
        raise entry.fault(f"{name} is empty")
    return entries


def read_activity(entry: Entry) -> Activity:
    fields = entry.fields("an activity", ["minutes", "do", "see"])
    minutes = fields["minutes"].whole("minutes")
    if minutes < 1:
        raise fields["minutes"].fault("an activity takes a minute or more")
    return Activity(minutes, fields["do"].text("do"), fields["see"].text("see"))


def read_question(entry: Entry) -> tuple[str, str]:
    fields = entry.fields("a question", ["ask", "answer"])
    return fields["ask"].text("ask"), fields["answer"].text("answer")


def read_key(entry: Entry, name: str) -> Entry:
    """An entry that is the name of something else."""
    entry.text(name, NAME, "small letters, digits and hyphens")
    return entry
