"""The progress files of a class, merged into one table.

A file is what *Save as JSON* on the page of progress writes (store.js says what it holds). It doesn't say
whose it is, so the student is the file's name, as an LMS or a person gave it, without what the page itself
called it; where nothing is left, the name of the student's own folder. Files of the same student are merged
as the page merges them: all attempts, each once. An answer from the students' edition, which knows no key, is
graded here.

Nothing is dropped silently: what is left out, or looks odd, is a line of the summary.
"""

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bookkit.quiz.exports.text import plain
from bookkit.quiz.items import Item, read_bank
from bookkit.quiz.objectives import Objective, read_objectives
from fmkit.errors import FmkitError

FORMAT, SCHEMA = "fmkit-progress", 1
LARGEST = 5_000_000  # bytes: more than that no browser keeps for a site
WORDING = 8  # characters of a version without its key (store.js)
END_OF_TIME = 4e12  # ms, as in store.js: the year 2096
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*")
SAVED_AS = re.compile(r"[\s_-]*fmkit-progress-\d{4}-\d\d-\d\d.*$")
FROM_LMS = re.compile(r"(_\d+_assignsubmission_file_*|_(LATE_)?\d+_\d+)$")  # Moodle and Canvas add these
UNSAFE = re.compile(r"\s*[=+\-@]|[\t\r]")  # a spreadsheet would run what begins so
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3}|\s\d{3})+(\.\d+)?")  # 1,500 and 1 500
HEAD = ("student", "by", "name", "answered", "of", "right", "right the first time", "attempts", "last answer")
FEWEST = 5  # answers that a row of "missed most" needs in a class of ten or more
SHOWN = 10  # rows of it
UNKNOWN = "not in this edition"


@dataclass
class Student:
    name: str
    items: dict[str, dict[str, Any]] = field(default_factory=dict)  # entries of the file by "quiz/id"
    pages: set[str] = field(default_factory=set)
    files: int = 0


@dataclass(frozen=True)
class Answer:
    """What a student made of a question; `first` and `last` are None where nobody can say."""

    student: str
    quiz: str
    name: str  # "quiz/id"
    objective: str
    attempts: int
    first: bool | None
    last: bool | None
    at: int


def merge(paths: Sequence[Path], table: Path, root: Path) -> tuple[Path, list[str]]:
    """Write the table as CSV and a summary as Markdown; returns the summary, and what is to be said."""
    if table.suffix != ".csv":
        raise FmkitError(f"{table}: the table is a .csv file: name it so")
    summary = table.with_suffix(".md")
    bank = {f"{quiz}/{item.id}": item for quiz, items in read_bank(root).items() for item in items}
    students, said = read_files(paths, {table.resolve(), summary.resolve()})
    if not students:
        raise FmkitError("\n".join([*said, "No file of progress among these: nothing was written."]))
    answers: list[Answer] = []
    for student in students.values():
        answers += (known := list(answers_of(student, bank)))
        if others := [one.name for one in known if one.objective == UNKNOWN]:
            said.append(
                f"{student.name}: not questions of this edition, kept in the table: {', '.join(others)}"
            )
    said += same_attempts(students.values())
    try:
        table.write_text(to_csv(rows(answers, bank)), encoding="utf-8", newline="")
        summary.write_text(
            to_markdown(students, answers, bank, read_objectives(root), said), encoding="utf-8"
        )
    except OSError as error:
        raise FmkitError(f"{error.filename or table}: cannot be written: {error.strerror}") from None
    return summary, said


# --- reading ---


def read_files(paths: Sequence[Path], left: set[Path]) -> tuple[dict[str, Student], list[str]]:
    """The students by name; `left` is what an earlier run has written."""
    students: dict[str, Student] = {}
    said = []
    for path, in_own_folder in files(paths):
        if path.resolve() in left:
            continue
        try:
            data = read(path)
        except FmkitError as error:
            said.append(f"{path}: left out: {error}")
            continue
        name = student_of(path, in_own_folder)
        student = students.setdefault(name, Student(name))
        student.files += 1
        if student.files > 1:
            said.append(f"{path}: one more file of {name}: merged")
        if damaged := take_in(student, data):
            said.append(f"{path}: damaged entries left out: {', '.join(damaged)}")
    return students, said


def files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """The files, and whether each may be named after its folder, because no other student's is in it."""
    for given in paths:
        if not given.is_dir():
            yield given, sum(other.parent == given.parent for other in paths) == 1
            continue
        for path in sorted(given.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path, path.parent != given


def read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise FmkitError(f"larger than {LARGEST // 1_000_000} MB, which no saved progress is")
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FmkitError(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        hint = ": unpack it first" if path.suffix == ".zip" else ""
        raise FmkitError(f"is not a JSON file, or is cut off{hint}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FmkitError("was not saved by a page of progress")
    if data.get("schema") != SCHEMA:
        raise FmkitError("comes from a newer edition of the book")
    return data


def student_of(path: Path, in_own_folder: bool) -> str:
    if not (own := SAVED_AS.search(path.stem)):
        return path.stem
    name = path.stem[: own.start()] or (path.resolve().parent.name if in_own_folder else path.stem)
    return FROM_LMS.sub("", name) or path.stem


def take_in(student: Student, data: dict[str, Any]) -> list[str]:
    """Merge the entries of a file into the student's; returns the names of those that are damaged."""
    damaged = []
    for kind in ("items", "pages"):
        entries = data.get(kind, {})
        if not isinstance(entries, dict):
            damaged.append(kind)
            continue
        for name, entry in entries.items():
            if kind == "pages" and is_time(entry.get("at") if isinstance(entry, dict) else None):
                student.pages.add(name)
            elif kind == "items" and NAME.fullmatch(name) and is_entry(entry):
                student.items[name] = merged(student.items.get(name), entry)
            else:
                damaged.append(name[:80])
    return damaged


def is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value < END_OF_TIME


def is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("version"), str):
        return False
    history, answer = entry.get("history"), entry.get("answer")
    attempts = isinstance(history, list) and all(
        isinstance(one, dict) and is_time(one.get("at")) and one.get("right") in (True, False, None)
        for one in history
    )
    numbers = isinstance(answer, list) and all(type(one) is int for one in answer)
    return attempts and (numbers or answer is None or isinstance(answer, str))


def newest(entry: dict[str, Any]) -> int:
    return max((one["at"] for one in entry["history"]), default=0)


def merged(old: dict[str, Any] | None, fresh: dict[str, Any]) -> dict[str, Any]:
    """As store.js does it: the newest answer, and all attempts at the same version of the question."""
    if old is None:
        return fresh
    latest, other = (fresh, old) if newest(fresh) > newest(old) else (old, fresh)
    if latest["version"] != other["version"]:
        return latest
    attempts = {one["at"]: one for one in [*other["history"], *latest["history"]]}
    return {**latest, "history": [attempts[at] for at in sorted(attempts)]}


# --- grading ---


def answers_of(student: Student, bank: dict[str, Item]) -> Iterator[Answer]:
    for name, entry in sorted(student.items.items()):
        history = sorted(entry["history"], key=lambda one: one["at"])
        if not history:
            continue
        item = bank.get(name)
        fits = item is not None and is_version(entry["version"], item)
        grades = [one["right"] for one in history]
        if item and fits and grades[-1] is None and entry["answer"] is not None:
            grades[-1] = is_right(item, entry["answer"])
        objective = item.objective if item and fits else UNKNOWN
        first, last, at = grades[0], grades[-1], history[-1]["at"]
        yield Answer(student.name, name.partition("/")[0], name, objective, len(history), first, last, at)


def is_version(version: str, item: Item) -> bool:
    return version == item.version or (len(version) == WORDING and item.version.startswith(version))


def is_right(item: Item, answer: Any) -> bool:
    """Grade what a page kept without grading it; the form of an answer is quiz.js's."""
    if item.answer:
        number = read_number(answer) if isinstance(answer, str) else None
        return number is not None and abs(number - item.answer.value) <= item.answer.tolerance * (1 + 1e-9)
    right = [place for place, option in enumerate(item.options) if option.correct]
    return bool(answer == (right or [one.place for one in item.steps] or [one.shown for one in item.pairs]))


def read_number(text: str) -> float | None:
    written = text.strip().replace("−", "-")
    if GROUPED.fullmatch(written):
        written = re.sub(r"[,\s]", "", written)
    return float(written.replace(",", ".")) if NUMBER.fullmatch(written) else None


def same_attempts(students: Iterable[Student]) -> Iterator[str]:
    """Files of two names with the same attempts, to the millisecond: one is a copy of the other."""
    owners = defaultdict(list)
    for student in students:
        times = frozenset(one["at"] for entry in student.items.values() for one in entry["history"])
        if times:
            owners[times].append(student.name)
    return (
        f"{', '.join(names)}: the same attempts at the same times" for names in owners.values() if names[1:]
    )


# --- writing ---


def rows(answers: list[Answer], bank: dict[str, Item]) -> Iterator[tuple[Any, ...]]:
    """A row for each student and objective, then one for each student and quiz."""
    sizes = {
        "objective": Counter(item.objective for item in bank.values()),
        "quiz": Counter(name.partition("/")[0] for name in bank),
    }
    groups = defaultdict(list)
    for one in answers:
        groups[one.student, "objective", one.objective].append(one)
        groups[one.student, "quiz", one.quiz].append(one)
    for (student, by, name), some in sorted(groups.items()):
        right, first = (sum(getattr(one, what) is True for one in some) for what in ("last", "first"))
        attempts, last = sum(one.attempts for one in some), day(max(one.at for one in some))
        yield student, by, name, len(some), sizes[by].get(name, ""), right, first, attempts, last


def to_csv(table: Iterable[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows([f"'{cell}" if UNSAFE.match(str(cell)) else cell for cell in row] for row in table)
    return text.getvalue()


def to_markdown(
    students: dict[str, Student],
    answers: list[Answer],
    bank: dict[str, Item],
    guide: dict[str, Objective],
    said: list[str],
) -> str:
    graded = [one for one in answers if one.last is not None and one.objective != UNKNOWN]
    lines = ["# Progress of the class", "", f"Students: {len(students)}. Questions answered: {len(answers)}."]
    lines += [
        "",
        "An answer counts by its first attempt where that was graded, and by its last otherwise.",
        "",
    ]
    lines += [
        "## Missed most",
        "",
        *table_of("objective", missed(graded, lambda one: one.objective), guide_of(guide)),
    ]
    lines += ["", "## Most often wrong", ""]
    lines += table_of("question", missed(graded, lambda one: one.name), lambda name: plain(bank[name].stem))
    lines += ["", "## Students", "", "| student | answered | right | chapters read | last answer |"]
    lines += ["|---|---|---|---|---|"]
    for name, student in sorted(students.items()):
        own = [one for one in answers if one.student == name]
        right = sum(one.last is True for one in own)
        last = day(max(one.at for one in own)) if own else "none"
        lines.append(f"| {cell(name)} | {len(own)} | {right} | {len(student.pages)} | {last} |")
    if said:
        lines += ["", "## To look at", "", *(f"- {cell(line)}" for line in said)]
    return "\n".join(lines) + "\n"


def missed(answers: list[Answer], key: Any) -> list[tuple[str, int, int]]:
    """The names with the largest share of wrong answers: name, wrong, answers."""
    groups = defaultdict(list)
    for one in answers:
        groups[key(one)].append(one.last if one.first is None else one.first)
    enough = FEWEST if len({one.student for one in answers}) >= 2 * FEWEST else 1
    counted = [(name, some.count(False), len(some)) for name, some in groups.items() if len(some) >= enough]
    wrong = [one for one in counted if one[1]]
    return sorted(wrong, key=lambda one: (-one[1] / one[2], -one[2], one[0]))[:SHOWN]


def table_of(what: str, counted: list[tuple[str, int, int]], title: Any) -> list[str]:
    if not counted:
        return ["Nothing was answered wrong."]
    head = [f"| {what} | | wrong | answers |", "|---|---|---|---|"]
    return head + [f"| {name} | {cell(title(name))} | {wrong} | {count} |" for name, wrong, count in counted]


def guide_of(guide: dict[str, Objective]) -> Any:
    return lambda name: guide[name].title


def cell(text: str) -> str:
    return re.sub(r"([|\\`*_<\[])", r"\\\1", " ".join(text.split()))


def day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
