"""The Markdown of a chapter as HTML for a slide.

Formulas are set by KaTeX as on the pages. A cross-reference is its text, since a deck has no other page to
lead to; a citation is names and year.
"""

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from docutils import nodes
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from pybtex.database import parse_file

from bookkit.site import formulas
from bookkit.site.sources import authors

REFERENCES = "chapters/back/references.bib"
TITLED = re.compile(r"(.*?)\s*<[^<>]*>", re.DOTALL)  # text <target>
INITIAL = re.compile(r"\b\w\. ")
MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .use(dollarmath_plugin)
    .use(colon_fence_plugin)
    .use(myst_block_plugin)
    .use(myst_role_plugin)
)


class Cited:
    """The book's sources, as a citation names them."""

    def __init__(self, root: Path) -> None:
        self.entries = parse_file(str(root / REFERENCES)).entries

    def __call__(self, keys: str, in_text: bool) -> str:
        named = [self._named(key.strip(), in_text) for key in keys.split(",")]
        return "; ".join(named) if in_text else f"({'; '.join(named)})"

    def _named(self, key: str, in_text: bool) -> str:
        entry = self.entries[key]
        names, year = INITIAL.sub("", authors(entry)), entry.fields["year"]
        return f"{names} ({year})" if in_text else f"{names} {year}"


def parse(text: str) -> list[Token]:
    return MARKDOWN.parse(text)


def formulas_of(tokens: Iterable[Token]) -> Iterable[formulas.Formula]:
    for token in tokens:
        if token.type.startswith("math_"):
            yield token.content.strip(), token.type == "math_block"
        elif token.type == "colon_fence":
            yield from formulas_of(parse(token.content))
        yield from formulas_of(token.children or ())


def typeset(texts: Iterable[str]) -> None:
    """Set all formulas of these texts in one run of KaTeX; each is then at hand when it is written."""
    formulas.typeset(one for text in texts for one in formulas_of(parse(text)))


def to_html(text: str, cited: Cited) -> Markup:
    return write(parse(text), cited)


def write(tokens: list[Token], cited: Cited) -> Markup:
    return Markup(MARKDOWN.renderer.render(simpler(tokens, cited), MARKDOWN.options, {}))


def simpler(tokens: Iterable[Token], cited: Cited) -> list[Token]:
    """The tokens without what only a page of the site can show."""
    made = []
    for token in tokens:
        if token.type in ("myst_target", "myst_line_comment", "myst_block_break"):
            continue
        if token.type in ("link_open", "link_close"):
            continue
        if token.type == "myst_role":
            token = raw(role(token, cited))
        elif token.type.startswith("math_"):
            block = token.type == "math_block"
            node = (nodes.math_block if block else nodes.math)("", token.content.strip())
            if block:
                node["number"] = None
            token = raw(formulas.html(node))
        elif token.children:
            token.children = simpler(token.children, cited)
        made.append(token)
    return made


def raw(html: str) -> Token:
    return Token("html_inline", "", 0, content=html)


def role(token: Token, cited: Cited) -> str:
    name = token.meta["name"]
    if name in ("cite:t", "cite:p"):
        return escape(cited(token.content, name == "cite:t"))
    titled = TITLED.fullmatch(token.content)
    return escape(titled[1] if titled else token.content)
