"""The numbers of exercises."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

EXTENSIONS = ["myst_parser", "sphinx_exercise", "bookkit.site.exercises"]
EXERCISE = "```{{exercise}} Try\n:label: ex-{name}\nText.\n```\n"


def test_each_chapter_counts_from_one(tmp_path: Path) -> None:
    pages = {"index": "# Book\n\n```{toctree}\none\ntwo\n```\n\nSee {ref}`ex-two-b`.\n"}
    for page in ("one", "two"):
        pages[page] = "# Page\n\n" + "\n".join(EXERCISE.format(name=f"{page}-{n}") for n in "ab")
    for name, text in pages.items():
        (tmp_path / f"{name}.md").write_text(text)
    out = tmp_path / "out"
    with docutils_namespace():
        Sphinx(tmp_path, None, out, tmp_path / "trees", "html", {"extensions": EXTENSIONS}, None).build()
    for page in ("one", "two"):
        assert re.findall(r"Exercise (\d+)", (out / f"{page}.html").read_text()) == ["1", "2"]
    assert "Exercise 2" in (out / "index.html").read_text()
