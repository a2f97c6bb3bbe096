"""Math, typeset by KaTeX while the site is built: a page shows it without a script, and nothing moves.

All formulas of the book go through one process of Node.js. What KaTeX does not understand is a warning of the
build, at its place. Each formula holds MathML as well, which a screen reader reads.
"""

import re
import shutil
from collections.abc import Iterable
from html import unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from bookkit.site import node as nodejs
from bookkit.site.fonts import cut
from bookkit.site.templates import PACKAGE

logger = logging.getLogger(__name__)

KATEX = PACKAGE / "web/node_modules/katex/dist"
STYLE = "vendor/katex/katex.min.css"
OTHER_FONTS = re.compile(r'url\([^)]*\) format\("woff2"\),|,url\([^)]*\) format\("truetype"\)')
TAG = re.compile(r"<[^>]*>")

SCROLLED = "pst-scrollable-table-container"  # the theme lets the keyboard reach what scrolls sideways in it

NUMBERED = re.compile(r"(\\(?:begin|end)\{(?:equation|align|alignat|gather))\}")

Formula = tuple[str, bool]  # its TeX, and whether it is displayed on lines of its own
_typeset: dict[Formula, dict[str, str]] = {}  # {"html": …} or {"fault": …}; the same for every book


def typeset(formulas: Iterable[Formula]) -> None:
    new = sorted({*formulas} - _typeset.keys())
    if not new:
        return
    made = nodejs.run("typeset.mjs", [{"tex": tex, "display": display} for tex, display in new])
    _typeset.update(zip(new, made, strict=True))


def is_math(node: nodes.Node) -> bool:
    return isinstance(node, nodes.math | nodes.math_block)


def has_math(tree: nodes.Node | None) -> bool:
    return tree is not None and next(tree.findall(is_math), None) is not None


def formula(node: nodes.Node) -> Formula:
    """Of an environment that LaTeX would number, the form without: a page has its numbers from Sphinx."""
    return NUMBERED.sub(r"\1*}", node.astext().strip()), isinstance(node, nodes.math_block)


def typeset_book(app: Sphinx, env: BuildEnvironment) -> None:
    pages = (env.get_doctree(page) for page in sorted(env.found_docs))
    typeset(formula(node) for page in pages for node in page.findall(is_math))


def html(node: nodes.Node) -> str:
    typeset([formula(node)])  # one that came into the page after it was read
    made = _typeset[formula(node)]
    if "fault" in made:
        logger.warning("math: %s", made["fault"], location=node)
    return made.get("html", "")


def visit_inline(translator: Any, node: nodes.math) -> None:
    opening = translator.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    translator.body.append(f"{opening}{html(node)}</span>")
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    classes = f"math notranslate nohighlight {SCROLLED}"
    translator.body.append(translator.starttag(node, "div", CLASS=classes))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(f"{html(node)}</div>\n")
    raise nodes.SkipNode


def configure(app: Sphinx, config: Config) -> None:
    config.html_math_renderer, config.myst_update_mathjax = "katex", False


def copy_katex(app: Sphinx) -> None:
    target = Path(app.outdir) / "_static" / STYLE
    shutil.rmtree(target.parent, ignore_errors=True)
    (target.parent / "fonts").mkdir(parents=True)
    style = (KATEX / target.name).read_text(encoding="utf-8")
    target.write_text(OTHER_FONTS.sub("", style), encoding="utf-8")


def cut_fonts(app: Sphinx, error: Exception | None) -> None:
    """KaTeX's fonts with the characters of the book's formulas; a browser fetches those that a page uses."""
    if error or app.builder.name != "html":
        return
    texts = [unescape(TAG.sub("", made.get("html", ""))) for made in _typeset.values()]
    folder = (Path(app.outdir) / "_static" / STYLE).with_name("fonts")
    for font in KATEX.glob("fonts/*.ttf"):
        cut(font, folder / f"{font.stem}.woff", {ord(character) for text in texts for character in text})


def add_style(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if has_math(doctree):
        app.add_css_file(STYLE, priority=890)  # before book.css, which sets its size


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("config-inited", configure)
    app.connect("builder-inited", copy_katex)
    app.connect("env-updated", typeset_book)
    app.connect("html-page-context", add_style)
    app.connect("build-finished", cut_fonts)
