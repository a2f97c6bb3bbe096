"""Question banks for a course: what a platform draws a quiz from, and forms to print.

    1-pretraining.qti.zip       Canvas: a bank for each chapter, and a quiz that draws two questions of each
    1-pretraining.moodle.xml    Moodle: a category for each chapter, for random questions
    question-bank.moodle.xml    all of them in one file
    forms/                      paper: two disjoint draws of each module, as form A and B; two whole exams

The first draw asks about chapters that all courses of the syllabus have, the second about the whole module.

A module is a part of _toc.yml. A question belongs where its section is, whether a page shows it or not, and
one with variants is here with those that no page shows. Platforms grade by `partial` (see
`bookkit.quiz.exports`), the only rule that both have without plugins. Canvas shuffles, allows two attempts
and keeps the better one. A paper form asks for nothing that has to be measured.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from bookkit.quiz.bank import load
from bookkit.quiz.exports import moodle, qti, sheet
from bookkit.quiz.exports.questions import PARTIAL, Question, Quiz, read_quizzes
from bookkit.quiz.exports.text import plain
from bookkit.quiz.forms import FORMS, QUESTIONS, arranged, by_chance, full_forms, in_turn
from bookkit.quiz.items import NUMERIC
from bookkit.quiz.places import page_title
from bookkit.site.syllabus import in_every_course
from fmkit.errors import FmkitError

DRAWN = 2  # questions of each chapter in a module's quiz
ON_PAPER = 20  # questions of a module's form
WHOLE = "question-bank"


@dataclass(frozen=True)
class Module:
    """A part of the book with the questions of each of its chapters."""

    name: str
    title: str
    chapters: tuple[Quiz, ...]


def write_banks(root: Path, directory: Path) -> list[Path]:
    """Write the banks of the book at `root` into `directory`. The same bank gives the same bytes.

    Raises FmkitError for a faulty quiz, and for a directory that cannot be written.
    """
    *_, whole = read_quizzes(root)
    modules = read_modules(root, whole)
    try:
        (directory / "forms").mkdir(parents=True, exist_ok=True)
        common = in_every_course(root)
        paths = [path for module in modules for path in write_module(module, directory, common)]
        paths.append(write_moodle(WHOLE, modules, directory))
        return paths + write_exams(root, whole, directory / "forms")
    except OSError as error:
        raise FmkitError(f"{directory}: cannot be written: {error.strerror}") from None


def read_modules(root: Path, whole: Quiz) -> list[Module]:
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    modules = []
    for part in toc["parts"]:
        chapters = []
        for page in (chapter["file"] for chapter in part["chapters"]):
            asked = tuple(one for one in whole.questions if one.section and one.section.page == page)
            if asked:
                chapters.append(
                    replace(whole, name=page, title=plain(page_title(root, page)), questions=asked)
                )
        if chapters:
            modules.append(Module(chapters[0].name.split("/")[1], part["caption"], tuple(chapters)))
    return modules


def write_module(module: Module, directory: Path, common: set[str]) -> list[Path]:
    canvas = directory / f"{module.name}.qti.zip"
    banks = [replace(one, questions=with_variants(one)) for one in module.chapters]
    qti.write_draws(module.name, module.title, banks, DRAWN, canvas, PARTIAL)
    moodle_file = write_moodle(module.name, [module], directory)
    return [canvas, moodle_file, *write_forms(module, directory / "forms", common)]


def with_variants(chapter: Quiz) -> tuple[Question, ...]:
    """The questions; those with variants as the variants that no page shows."""
    questions = []
    for one in chapter.questions:
        numbered = enumerate(one.item.variants, start=2)
        questions += [replace(one, key=f"{one.key}-{number}", item=item) for number, item in numbered] or [
            one
        ]
    return tuple(questions)


def write_moodle(name: str, modules: list[Module], directory: Path) -> Path:
    path = directory / f"{name}.moodle.xml"
    chapters = [(module, chapter) for module in modules for chapter in module.chapters]
    questions = [
        replace(question, quiz=f"{module.title}/{chapter.title}")
        for module, chapter in chapters
        for question in with_variants(chapter)
    ]
    moodle.write(replace(chapters[0][1], name=name, questions=tuple(questions)), path, PARTIAL)
    return path


# --- paper ------------------------------------------------------------------------------------------------


def write_forms(module: Module, directory: Path, common: set[str]) -> list[Path]:
    """Two draws without a common question, spread over the chapters, the first over those in `common` if they
    have enough. Form B asks what form A asks, with other numbers where there are variants."""
    taught = {one.key for chapter in module.chapters if chapter.name in common for one in chapter.questions}
    every = [one for chapter in module.chapters for one in chapter.questions if one.item.type != NUMERIC]
    spread = in_turn(by_chance(every, module.name), lambda one: one.section)
    paths, count = [], min(ON_PAPER, len(spread) // 2)
    first = sorted(spread, key=lambda one: one.key not in taught)[:count]
    second = [one for one in spread if one not in first][:count]
    for draw, drawn in enumerate((first, second), start=1):
        for place, form in enumerate(FORMS):
            name = f"{module.name}-draw-{draw}-form-{form.lower()}"
            chosen = [
                replace(one, item=one.item.variants[place]) if one.item.variants else one for one in drawn
            ]
            title = f"{module.title}, draw {draw}, form {form}"
            paths += write_form(name, title, module.chapters[0], chosen, directory)
    return paths


def write_exams(root: Path, whole: Quiz, directory: Path) -> list[Path]:
    """The two whole exams of the page of the practice exam, if the bank is large enough for them."""
    known = {question.key: question for question in whole.questions}
    paths = []
    for form, items in full_forms(load(root)).items():
        if len(items) == QUESTIONS:
            chosen = [known[f"{quiz}-{item.id}"] for quiz, item in items]
            name = f"practice-exam-form-{form.lower()}"
            paths += write_form(name, f"Practice exam, form {form}", whole, chosen, directory)
    return paths


def write_form(name: str, title: str, book: Quiz, chosen: list[Question], directory: Path) -> list[Path]:
    """The form and its key; questions, options, steps and pairs in an order of the form's own."""
    mixed = [replace(one, item=arranged(one.item, f"{name} {one.key}")) for one in by_chance(chosen, name)]
    quiz = replace(book, name=name, title=title, questions=tuple(mixed))
    paths = [directory / f"{name}.html", directory / f"{name}-key.html"]
    for path, key in zip(paths, (False, True), strict=True):
        sheet.write(quiz, path, key)
    return paths
