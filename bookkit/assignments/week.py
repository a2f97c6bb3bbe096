"""A week for an instructor, in one zip file: plans, keys, slides, problem set and quiz bank of a module."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin

from bookkit import slides
from bookkit.assignments import make, read_set, read_sets
from bookkit.quiz.exports import write_banks
from bookkit.quiz.exports.files import write_zip
from bookkit.quiz.exports.text import Html, readable
from bookkit.quiz.places import page_title
from bookkit.site.build import toc_pages
from bookkit.site.templates import render
from fmkit.errors import FmkitError

TEACHING = "chapters/teaching/"
CHAPTER = re.compile(r"\{doc\}`\.\./([\w/-]+)`")
PAGE = "README.html"


@dataclass(frozen=True)
class Plan:
    """A chapter of the week: its title, and the name of its plan, keys and slides."""

    title: str
    name: str


def write_week(root: Path, number: str, seed: int) -> Path:
    """Pack a week for the class of this seed into `_build`; returns the zip file.

    Raises `FmkitError` for a week that the course does not have.
    """
    sets = root / "bookkit" / "assignments"
    weeks = [each.name.removeprefix("week") for each in read_sets(sets)]
    if number not in weeks:
        given = f"N={number:.20} is not" if number else "N is missing:"
        raise FmkitError(f"{given} one of the weeks {', '.join(weeks)}, as in N={weeks[0]} SEED={seed}")
    name = f"week{number}"
    plans = list(read_plans(root, number))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        make(root, folder / "course", seed, only=name)
        (folder / "course" / "gradebook.db").unlink()  # a course keeps one gradebook for all of its weeks
        write_plans(root, folder, plans)
        slides.write(root, folder / "slides")
        write_banks(root, folder / "bank")
        keep(folder / "slides", {plan.name for plan in plans})
        keep(folder / "bank", set(), f"{number}-")
        page = render("assignments/week.html", set=read_set(sets / f"{name}.ipynb"), plans=plans, seed=seed)
        (folder / PAGE).write_text(page)
        files = {
            path.relative_to(scratch).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    path = root / "_build" / f"{name}-class-{seed}.zip"
    path.parent.mkdir(exist_ok=True)
    write_zip(path, files)
    return path


def read_plans(root: Path, number: str) -> Iterator[Plan]:
    """The plans of a module's chapters, in the order of the book."""
    for page in toc_pages(root):
        if page.startswith(TEACHING):
            chapter = CHAPTER.search((root / f"{page}.md").read_text())
            if chapter and chapter[1].startswith(f"{number}-"):
                yield Plan(page_title(root, f"chapters/{chapter[1]}"), page.removeprefix(TEACHING))


def write_plans(root: Path, folder: Path, plans: list[Plan]) -> None:
    for kind, place in (("plans", root / TEACHING), ("keys", root / "instructor")):
        (folder / kind).mkdir(parents=True)
        for plan in plans:
            body = to_html(root, place / f"{plan.name}.md")
            page = render("assignments/plan.html", title=plan.title, name=plan.name, body=body)
            (folder / kind / f"{plan.name}.html").write_text(page)


def to_html(root: Path, path: Path) -> Markup:
    """A page of a plan to read or print by itself: without links into the book, and math as text."""
    text = CHAPTER.sub(lambda chapter: f"*{page_title(root, f'chapters/{chapter[1]}')}*", path.read_text())
    markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=Html).enable("table")
    markdown.use(dollarmath_plugin)
    markdown.add_render_rule("math_inline", lambda self, tokens, i, *_: escape(readable(tokens[i].content)))
    return Markup(markdown.render(text))


def keep(folder: Path, names: set[str], start: str | None = None) -> None:
    """Delete the files of other chapters and modules, with the folders that are then empty."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            shutil.rmtree(path) if not any(path.iterdir()) else None
        elif path.stem not in names and not (start and path.name.startswith(start)):
            path.unlink()
