"""What is handed out: the students' site and notebooks, and the instructor's pack."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bookkit.editions import INSTRUCTOR, KEYS, STUDENT, TEACHING, chosen, contents
from bookkit.editions.text import to_hand_out
from bookkit.quiz.places import page_title
from bookkit.site.assets import PUBLISHED
from bookkit.site.build import build, place, site, toc_pages
from bookkit.site.offline import files, pack, write_zip
from bookkit.site.templates import render

NOTEBOOKS, PACK = "notebooks.zip", "instructor-pack.zip"
PACKAGE = ("pyproject.toml", "README.md", "LICENSE", "constraints.txt")  # what installs fmkit, beside fmkit/
SKIPPED = {"__pycache__", ".ipynb_checkpoints"}
PAGE, PARTS = "README.html", ("slides", "assignments", "banks")


@dataclass(frozen=True)
class Chapter:
    """What the pack has for a chapter; addresses are within it."""

    title: str
    plan: str
    keys: str
    slides: str


def make_student(root: Path) -> list[Path]:
    """Build the students' edition into _build/student; returns its files to hand out."""
    with chosen(STUDENT):
        build(root)
        return [write_zip(root), write_notebooks(root)]


def write_notebooks(root: Path) -> Path:
    """Pack the notebooks of the edition with fmkit and the data that they open, so that they run anywhere."""
    return pack(place(root) / NOTEBOOKS, sorted(notebook_files(root)))


def notebook_files(root: Path) -> Iterator[tuple[str, bytes]]:
    from sphinx_external_toc.parsing import create_toc_dict

    yield "READ ME.txt", render("editions/notebooks.txt").encode()
    # fmkit takes a folder with this file and assets/ for the book, and reads its data there.
    yield "_toc.yml", yaml.safe_dump(create_toc_dict(contents(root)), sort_keys=False).encode()
    for page in toc_pages(root):
        if (path := root / f"{page}.ipynb").is_file():
            yield f"{page}.ipynb", to_hand_out(path.name, path.read_text(encoding="utf-8")).encode()
    folders = ["fmkit", *(f"assets/{name}" for name in PUBLISHED)]
    for path in [root / name for name in PACKAGE] + [one for name in folders for one in below(root / name)]:
        yield path.relative_to(root).as_posix(), path.read_bytes()


def below(folder: Path) -> Iterator[Path]:
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (Path(path, name) for name in names)


def make_instructor(root: Path, seed: int) -> Path:
    """Build the instructor's pack for a class with this seed into _build/instructor; returns its zip."""
    with chosen(INSTRUCTOR):
        build(root)
        made = place(root)
        for name in PARTS:
            shutil.rmtree(made / name, ignore_errors=True)
        write_parts(root, made, seed)
        paths = [made / PAGE, *files(site(root)), *(path for name in PARTS for path in files(made / name))]
        names = (path.relative_to(made).as_posix() for path in paths)
        return pack(made / PACK, ((name, (made / name).read_bytes()) for name in names))


def write_parts(root: Path, directory: Path, seed: int) -> None:
    """Write what the pack has besides the site, and the page that says what to use when."""
    from bookkit import assignments, slides
    from bookkit.quiz import exports

    slides.write(root, directory / "slides")
    assignments.make(root, directory / "assignments", seed)
    exports.write_banks(root, directory / "banks")
    page = render("editions/readme.html", chapters=chapters(root), seed=seed)
    (directory / PAGE).write_text(page, encoding="utf-8")


def chapters(root: Path) -> list[Chapter]:
    """The chapters that have keys, in the order of the book."""
    names = [page.removeprefix(f"{KEYS}/") for page in toc_pages(root) if page.startswith(f"{KEYS}/")]
    return [
        Chapter(
            page_title(root, f"{TEACHING}{name}").removeprefix("Teaching ").replace("*", ""),
            f"html/{TEACHING}{name}.html",
            f"html/{KEYS}/{name}.html",
            f"slides/{name}.html",
        )
        for name in names
    ]
