"""A book of one page, built like the real one, for tests of a directive that no chapter needs to use."""

import shutil
from pathlib import Path

from fmkit.book.build import run_jupyter_book, site

ROOT = Path(__file__).parents[1]


def write(folder: Path, text: str) -> Path:
    """The sources of a book whose only page, chapters/intro, is `text`; its assets/ can be added to."""
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapters/intro\n")
    (folder / "chapters").mkdir()
    (folder / "chapters/intro.md").write_text(text)
    shutil.copytree(
        ROOT / "assets", folder / "assets", ignore=shutil.ignore_patterns("web", "models", "runs")
    )
    (folder / "assets/web").symlink_to(ROOT / "assets/web")
    return folder


def build(folder: Path) -> Path:
    run_jupyter_book(folder)
    return site(folder)
