"""The search finds whole words: those that were asked for, then their other forms.

Sphinx's index has the stems of words, and its search takes a stem for any part of a word: *art* is found in
*start*, and before a page that says it. Here the index has words as they are written, and search.js, which
replaces Sphinx's own, knows which forms belong together.
"""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util import logging

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_name("search.js")
# Sphinx marks what was searched for on the page that is opened, also within other words.
PART, WHOLE = (
    "val.toLowerCase().indexOf(text)",
    r"[...val.matchAll(/[\p{L}\p{N}_]+/gu)].find(([word]) => word.toLowerCase() === text)?.index ?? -1",
)


class WholeWords(SearchEnglish):
    """English words, in lower case. The scripts of the language still have its stemmer."""

    def stem(self, word: str) -> str:
        return word.lower()

    def word_filter(self, word: str) -> bool:
        return super().word_filter(word.lower())


def mend(app: Sphinx, error: Exception | None) -> None:
    """Add search.js to Sphinx's script, and have the other one mark whole words."""
    if error or app.builder.name != "html":
        return
    scripts = Path(app.outdir, "_static")
    with (scripts / "searchtools.js").open("a", encoding="utf-8") as search:
        search.write(SCRIPT.read_text(encoding="utf-8"))
    marks = scripts / "sphinx_highlight.js"
    text = marks.read_text(encoding="utf-8")
    if PART not in text:
        logger.warning("Sphinx marks words in another way: mend %s anew", marks.name)
    marks.write_text(text.replace(PART, WHOLE), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_search_language(WholeWords)
    app.connect("build-finished", mend)
    return {"env_version": 1}  # of the index: one with stems is not added to
