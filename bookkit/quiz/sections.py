"""The sections that items refer to: a label, `(label)=`, on the line above a heading of a chapter."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LABELED = re.compile(r"^\(([a-z0-9-]+)\)=\s*\n#+ +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A section of the book; `page` is as in _toc.yml."""

    title: str
    page: str


def read_sections(root: Path) -> dict[str, Section]:
    """The sections of the chapters by their labels. A label above anything else leads nowhere on the site."""
    return {
        label: Section(heading, path.relative_to(root).with_suffix("").as_posix())
        for path in sorted((root / "chapters").rglob("*"))
        for text in markdown(path)
        for label, heading in LABELED.findall(text)
    }


def markdown(path: Path) -> Iterator[str]:
    """The Markdown of a page: the whole of it, or the cells of a notebook."""
    if path.suffix == ".md":
        yield path.read_text(encoding="utf-8")
    elif path.suffix == ".ipynb" and ".ipynb_checkpoints" not in path.parts:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                yield "".join(cell["source"])
