"""Slides: one self-contained HTML deck a chapter, from the chapter's notebook and its teaching page.

A deck is opened in a browser and needs no network: reveal.js, fonts and figures are inside. Each figure and
table of the notebook has a slide with its sentence; boxes, takeaways and three questions of the quiz have
theirs. Nothing is written twice: `chapter.py` reads what the notebook holds, `text.py` turns its Markdown
into HTML, `deck.html` arranges it. The speaker's notes are the rows of the teaching page's plan.
"""

import base64
import re
import tempfile
from html import unescape
from pathlib import Path

from markupsafe import Markup

from bookkit.site.fonts import cut
from bookkit.site.formulas import KATEX, OTHER_FONTS, TAG
from bookkit.site.templates import PACKAGE, render
from bookkit.slides.chapter import read_decks
from bookkit.slides.text import Cited, to_html, typeset
from fmkit.errors import FmkitError

REVEAL = PACKAGE / "web/node_modules/reveal.js/dist"
KATEX_HTML = 'class="katex"'
FONT_FILE = re.compile(r"url\(fonts/([\w-]+)\.woff\)")


def write(root: Path, directory: Path) -> list[Path]:
    """Write a deck for every chapter that has a teaching page, named like that page; returns the files."""
    if not REVEAL.is_dir():
        raise FmkitError(
            "slides need reveal.js, and it is not installed: run `make slides`, which installs it"
        )
    decks, cited = read_decks(root), Cited(root)
    typeset(text for deck in decks for text in deck.texts)
    written = [[[slide.html(cited) for slide in stack] for stack in deck.stacks] for deck in decks]
    formulas = [slide for stacks in written for stack in stacks for slide in stack if KATEX_HTML in slide]
    math = math_style(unescape(TAG.sub("", " ".join(formulas))))
    directory.mkdir(parents=True, exist_ok=True)
    return [
        write_deck(TAG.sub("", to_html(deck.title, cited)), stacks, math, directory / f"{deck.name}.html")
        for deck, stacks in zip(decks, written, strict=True)
    ]


def write_deck(title: str, stacks: list[list[Markup]], math: str, path: Path) -> Path:
    own, plugin = PACKAGE / "slides", "plugin/notes.js"
    has_math = any(KATEX_HTML in slide for stack in stacks for slide in stack)
    styles = [read(REVEAL / "reveal.css"), *([math] if has_math else []), read(own / "slides.css")]
    scripts = [read(REVEAL / "reveal.js"), read(REVEAL / plugin), read(own / "slides.js")]
    html = render("slides/deck.html", title=Markup(title), stacks=stacks, styles=styles, scripts=scripts)
    path.write_text(html, encoding="utf-8")
    return path


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def math_style(text: str) -> str:
    """KaTeX's style with its fonts inside, cut down to the characters of the formulas."""
    style = OTHER_FONTS.sub("", read(KATEX / "katex.min.css"))
    characters = {ord(character) for character in text}

    def font(found: re.Match[str]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "font.woff")
            cut(KATEX / f"fonts/{found[1]}.ttf", target, characters)
            data = base64.b64encode(target.read_bytes()).decode()
        return f"url(data:font/woff;base64,{data})"

    return FONT_FILE.sub(font, style)
