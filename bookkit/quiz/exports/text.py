"""The Markdown and $math$ of an item, as other programs read them.

`rich` is HTML with TeX between \\( and \\), which Canvas, Moodle and Anki typeset; `printed` is HTML with the
math as readable text; `plain` is text without any markup, for the menus of a matching question. HTML in an
item is text like any other and is escaped: an item cannot bring markup of its own, let alone a script.
"""

import re
from collections.abc import Callable, Sequence
from html import escape

from docutils.utils.math import tex2unichar
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin

UNPRINTABLE = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")  # the two that YAML may hold and XML may not
SYMBOLS = {
    name: character
    for table in (tex2unichar.mathalpha, tex2unichar.mathbin, tex2unichar.mathop, tex2unichar.mathord)
    for name, character in table.items()
} | tex2unichar.mathrel
RAISED = "↑"  # replaces a ^ that is done, so that it is not read again
SUPERSCRIPT = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")


class Html(RendererHTML):
    """Links lead out of the book only, and an image is its description."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        address = str(tokens[idx].attrs["href"])
        return f'<a href="{escape(address)}">' if address.startswith(("https://", "http://")) else "<a>"

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escape(tokens[idx].content)


class Text(RendererHTML):
    """The tags of emphasis, code and links are left out."""

    def renderToken(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return ""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return tokens[idx].content

    code_inline = image = text

    def softbreak(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return " "

    hardbreak = softbreak


def _markdown(renderer: type[RendererHTML], math: Callable[[str], str]) -> MarkdownIt:
    def rule(
        self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return math(tokens[idx].content)

    markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=renderer).use(dollarmath_plugin)
    markdown.add_render_rule("math_inline", rule)
    return markdown


def rich(text: str) -> Markup:
    return Markup(RICH.renderInline(text.translate(UNPRINTABLE)))


def printed(text: str) -> Markup:
    return Markup(PRINTED.renderInline(text.translate(UNPRINTABLE)))


def plain(text: str) -> str:
    return PLAIN.renderInline(text.translate(UNPRINTABLE))


def readable(tex: str) -> str:
    r"""TeX as a line of text: `2 \times 10^{10}` is "2 × 10¹⁰", `\frac{a}{b+1}` is "a/(b+1)"."""
    before = None
    while tex != before:  # from the innermost braces outward
        before = tex
        tex = re.sub(r"\\(?:text|math[a-z]+|operatorname)\s*\{([^{}]*)\}", r"\1", tex)
        tex = re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", _fraction, tex)
        tex = re.sub(r"\\sqrt\s*\{([^{}]*)\}", lambda found: f"√{_one(found[1])}", tex)
        tex = re.sub(r"\^(?:\{([^{}]*)\}|([^\s{}()\\]))", _power, tex)
        tex = re.sub(r"_\{([^{}]*)\}", lambda found: f"_{_one(found[1])}", tex)
    tex = re.sub(r"\\([A-Za-z]+)", lambda found: SYMBOLS.get(found[1], found[1]), tex)
    tex = re.sub(r"\\[,;:! ]", " ", tex)
    return re.sub(r"[{}\\]", "", tex).translate({ord("-"): "−", ord(RAISED): "^"})


def _fraction(found: re.Match[str]) -> str:
    return f"{_one(found[1])}/{_one(found[2])}"


def _power(found: re.Match[str]) -> str:
    part = (found[1] or found[2] or "").strip()
    digits = re.fullmatch(r"[0-9+−-]+", part)
    return part.translate(SUPERSCRIPT) if digits else f"{RAISED}{_one(part)}"


def _one(part: str) -> str:
    """A part that reads as one thing."""
    return part if re.fullmatch(r"[\w.]*|\\[A-Za-z]+", part) else f"({part})"


RICH = _markdown(Html, lambda tex: rf"\({escape(tex)}\)")
PRINTED = _markdown(Html, lambda tex: f"<i>{escape(readable(tex))}</i>")
PLAIN = _markdown(Text, readable)
