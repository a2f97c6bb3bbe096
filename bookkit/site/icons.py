"""The font of the theme's icons, cut down to those that the site shows: of 156 kB 4 remain."""

import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

from bookkit.site.fonts import cut

logger = logging.getLogger(__name__)

FONT = "vendor/fontawesome/webfonts/fa-solid-900"
STYLE = "styles/pydata-sphinx-theme.css"
SOURCE = f'url(../{FONT}.woff2) format("woff2"),url(../{FONT}.ttf) format("truetype")'
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
NAME = re.compile(r"\bfa-[a-z0-9-]+")
CODE = re.compile(r"\\(f[0-9a-f]{3})\b|([\uf000-\uf8ff])")  # written as a number or as itself


def shown(site: Path) -> set[int]:
    """The code points of the icons: those that a page or a script names, and those that a style has."""
    pages = [*site.rglob("*.html"), *(site / "_static").rglob("*.js")]
    named = {name for page in pages for name in NAME.findall(page.read_text(encoding="utf-8"))}
    return {code for style in (site / "_static").rglob("*.css") for code in codes(style, named)}


def codes(style: Path, named: set[str]) -> Iterator[int]:
    for selector, declarations in RULE.findall(style.read_text(encoding="utf-8")):
        names = NAME.findall(selector)
        if not names or named.intersection(names):
            for number, character in CODE.findall(declarations):
                yield int(number, 16) if number else ord(character)


def cut_down(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    style = site / "_static" / STYLE
    text = style.read_text(encoding="utf-8")
    if SOURCE not in text:
        logger.warning("%s has no longer the font of icons that is cut down", STYLE)
        return
    font = site / "_static" / FONT
    cut(font.with_suffix(".ttf"), font.with_suffix(".woff"), shown(site))
    style.write_text(text.replace(SOURCE, f'url(../{FONT}.woff) format("woff")'), encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", cut_down, priority=900)  # after the pages that others add
