"""The head of a chapter and its boxes: what a reader can tell apart at a glance, defined once.

    :::{chapter}
    :minutes: 45
    :cpu: 180
    :needs: [A first run](first-run)

    - explain where the labels of pre-training come from (1.1.5)
    :::

prints the facts of a chapter on one line and its objectives below. The boxes are directives, too: `:::{cost}`
has the title *Cost* and the mark and color of its kind. An argument is added to the title; a `question` has
no other title, and is folded.
"""

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

BOXES = {  # the kind, which is its class in boxes.css, and its title
    "no-code": "If you read without code",
    "by-hand": "By hand",
    "break-it": "Break it",
    "papers": "The papers and our results",
    "cost": "Cost",
    "responsible": "Responsible AI",
    "takeaways": "Takeaways",
    "question": "",
}
FOLDED = {"question"}


class Box(SphinxDirective):
    """A box of the kind that the directive is named after."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        given = self.arguments[0] if self.arguments else ""
        title = ": ".join(filter(None, (BOXES[self.name], given)))
        parsed, messages = self.state.inline_text(title, self.lineno)
        box = nodes.admonition("", nodes.title(title, "", *parsed), classes=["fm-box", f"fm-box-{self.name}"])
        if self.name in FOLDED:
            box["classes"].append("dropdown")
        self.set_source_info(box)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box, *messages]


class Chapter(SphinxDirective):
    """The head of a chapter: minutes to read, seconds to compute, what it needs, its objectives."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "minutes": directives.positive_int,
        "cpu": directives.nonnegative_int,
        "needs": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        if missing := [name for name in self.option_spec if name not in self.options]:
            raise self.error(f"a chapter's head needs :{missing[0]}:")
        head = nodes.container(classes=["fm-chapter"])
        facts = f"{self.options['minutes']} minutes to read"
        if self.options["cpu"]:
            facts += f" · {_duration(self.options['cpu'])} of computing on one CPU core"
        needs, messages = self.state.inline_text(f"You need {self.options['needs']}", self.lineno)
        head += nodes.paragraph("", f"{facts}. ", *needs, nodes.Text("."), classes=["fm-chapter-facts"])
        lead = nodes.strong("", "You will be able to")
        head += nodes.paragraph("", "", lead, classes=["fm-chapter-lead"])
        self.state.nested_parse(self.content, self.content_offset, head)
        return [head, *messages]


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"


def setup(app: Sphinx) -> None:
    for name in BOXES:
        app.add_directive(name, Box)
    app.add_directive("chapter", Chapter)
    app.add_css_file("boxes.css", priority=905)
