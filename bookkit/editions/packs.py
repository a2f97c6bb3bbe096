"""What is handed out: the students' site and notebooks, and the instructor's pack."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bookkit.editions import INSTRUCTOR, KEYS, STUDENT, TEACHING, chosen, contents
from bookkit.editions.text import to_hand_out
from bookkit.site.assets import PUBLISHED
from bookkit.site.build import build, place, site, toc_pages
from bookkit.site.offline import files, pack, write_zip
from bookkit.site.templates import render

NOTEBOOKS, PACK = "notebooks.zip", "instructor-pack.zip"
PACKAGE = ("pyproject.toml", "README.md", "LICENSE", "constraints.txt")  # what installs fmkit, beside fmkit/
SKIPPED = {"__pycache__", ".ipynb_checkpoints"}
PAGE = "README.html"


@dataclass(frozen=True)
class Chapter:
    """What the pack has for a chapter; addresses are within it, empty where there is nothing."""

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
    from bookkit import assignments, slides
    from bookkit.quiz import exports

    with chosen(INSTRUCTOR):
        build(root)
        made = place(root)
        folders = {name: made / name for name in ("slides", "assignments", "banks")}
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        slides.write(root, folders["slides"])
        assignments.make(root, folders["assignments"], seed)
        exports.write_banks(root, folders["banks"])
        page = render("editions/readme.html", chapters=chapters(root), seed=seed)
        (made / PAGE).write_text(page, encoding="utf-8")
        packed = [made / PAGE]
        for folder in (site(root), *folders.values()):
            packed += files(folder)
        return pack(made / PACK, ((file.relative_to(made).as_posix(), file.read_bytes()) for file in packed))


def chapters(root: Path) -> list[Chapter]:
    """The chapters that have a plan, in the order of the book."""
    made, found = place(root), []
    for page in toc_pages(root):
        if page.startswith(TEACHING):
            name = page.removeprefix(TEACHING)
            heading = (root / f"{page}.md").read_text(encoding="utf-8").partition("\n")[0]
            title = heading.lstrip("# ").removeprefix("Teaching ").replace("*", "")
            places = (f"html/{page}.html", f"html/{KEYS}/{name}.html", f"slides/{name}.html")
            found.append(Chapter(title, *(one if (made / one).is_file() else "" for one in places)))
    return found
