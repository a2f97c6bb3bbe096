"""HTML elements as nodes of a page: what the directives of the book build their parts of.

A tree of `tag(…)` goes through Sphinx like any other text, so the Markdown, the math and the references
inside are treated as everywhere else. A tree with an `asset`, such as "quiz", brings quiz.js and quiz.css to
its page and to no other; with several, such as "store quiz", it brings what there is of each.
"""

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from fmkit.errors import FmkitError

logger = logging.getLogger(__name__)

VOID = {"input", "br"}
INLINE = {"a", "b", "span", "br", "input"}  # around any other element white space shows nothing
PACKAGE = Path(__file__).parents[1]


class html(nodes.General, nodes.TextElement):
    """One HTML element with its attributes."""


def report(error: FmkitError) -> None:
    """A fault of a file, "file:line: what is wrong", as a warning of the build at its place."""
    location, _, fault = str(error).partition(": ")
    logger.warning(fault, location=location)


def tag(name: str, /, *children: nodes.Node | str, asset: str | None = None, **attributes: Any) -> html:
    """`tag("li", "text", class_="wide", data_id=3)`: True is an attribute without value, None is none."""
    written = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    element = html(name=name, written=written, asset=asset)
    element += [nodes.Text(child) if isinstance(child, str) else child for child in children]
    return element


def opening(node: html) -> str:
    attributes = "".join(
        f" {key}" if value is True else f' {key}="{escape(str(value))}"'
        for key, value in node["written"].items()
        if value is not None and value is not False
    )
    return f"<{node['name']}{attributes}>"


def closing(node: html) -> str:
    """With a line's end after a block: where a search takes out the tags, words must not run together."""
    end = "" if node["name"] in INLINE else "\n"
    return end if node["name"] in VOID else f"</{node['name']}>{end}"


def render(node: nodes.Node) -> str:
    """A tree of nothing but elements and plain text, for a page that Sphinx does not make."""
    if isinstance(node, html):
        return opening(node) + "".join(map(render, node.children)) + closing(node)
    return escape(node.astext())


def visit(translator: Any, node: html) -> None:
    translator.body.append(opening(node))


def depart(translator: Any, node: html) -> None:
    translator.body.append(closing(node))


def add_assets(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    found = list(doctree.findall(html)) if doctree is not None else []
    for asset in dict.fromkeys(name for node in found for name in (node["asset"] or "").split()):
        if any(PACKAGE.rglob(f"{asset}.css")):
            app.add_css_file(f"{asset}.css", priority=910)  # after book.css, whose colors it uses
        app.add_js_file(f"{asset}.js", defer="defer")


def setup(app: Sphinx) -> None:
    app.add_node(html, html=(visit, depart))
    app.connect("html-page-context", add_assets)
