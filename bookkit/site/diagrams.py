"""The `mermaid` directive: a diagram written as text, drawn in the reader's browser by a local Mermaid.

    ```{mermaid}
    :alt: Text becomes tokens, tokens become a model.
    :size: 640x80
    :narrow: 120x300
    flowchart LR
      text --> tokens --> model
    ```

`alt` is required: a screen reader says it, and a page shows it where no script runs. `size` is the drawing's
natural size in CSS pixels: the page keeps that room free, so nothing jumps when the drawing arrives. `narrow`
is the size of the same flowchart turned downwards, which a phone shows instead. The tests of the site print
the sizes they find.
"""

import re
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.application import Sphinx

SCRIPT = "diagrams.mjs"


class diagram(nodes.General, nodes.Element):
    """A diagram's source with its `alt` and `size`."""


def size(argument: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", argument.strip())
    if not match:
        raise ValueError("a size is two numbers, as in 640x80")
    return int(match[1]), int(match[2])


class Mermaid(Directive):
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "size": size,
        "narrow": size,
    }

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        if "alt" not in self.options:
            raise self.error("a diagram needs :alt:, the sentence that a screen reader says in its place")
        return [diagram(code="\n".join(self.content), **self.options)]


def visit_html(translator: Any, node: diagram) -> None:
    style = room("", node.get("size")) + room("narrow-", node.get("narrow"))
    classes = "fm-diagram fm-turns" if "narrow" in node else "fm-diagram"
    alt, code = translator.attval(node["alt"]), translator.encode(node["code"])
    box = f'<div class="{classes}" role="img" aria-label="{alt}" style="{style}">'
    translator.body.append(f"{box}<p>{alt}</p><pre>{code}</pre></div>\n")
    raise nodes.SkipNode


def room(prefix: str, extent: tuple[int, int] | None) -> str:
    return f"--{prefix}width: {extent[0]}; --{prefix}height: {extent[1]};" if extent else ""


def visit_text(translator: Any, node: diagram) -> None:
    translator.body.append(node["alt"])
    raise nodes.SkipNode


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mermaid weighs megabytes: only pages with a diagram load it."""
    if doctree is not None and doctree.next_node(diagram):
        app.add_js_file(SCRIPT, type="module")


def setup(app: Sphinx) -> None:
    app.add_node(diagram, html=(visit_html, None), latex=(visit_text, None))
    app.add_directive("mermaid", Mermaid)
    app.connect("html-page-context", add_script)
