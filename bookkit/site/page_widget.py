"""Page widgets: directives that fill a template and bring its script and style to their page.

A widget is a folder: `Guess` in bookkit/widgets/guess/ has guess.html (the template), guess.js and
guess.css beside its Python. Sphinx finds every folder of bookkit/widgets; no other file names a widget.

A template writes HTML. What Sphinx has to process is written by functions: `markdown(text)` for a text with
math and links, `ref(label)` for a link with the title of its target, `code(text, language)` for a block of
code. The root element has `data-widget="guess"`, by which its script finds it (see `bookkit.site.scripts`).
"""

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from markupsafe import Markup
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from bookkit.editions import shows_keys
from bookkit.site.lessons import lesson_file, lesson_names, read_lesson
from bookkit.site.scripts import PLACE, assets, write_scripts
from bookkit.site.templates import PACKAGE, render
from fmkit.errors import FmkitError

logger = logging.getLogger(__name__)

MARK = re.compile("\0(\\d+)\0")  # a place in a filled template; the text of a file has no null character


class page_widget(nodes.General, nodes.TextElement):
    """Raw HTML, and between its parts the nodes that Sphinx renders.

    `widget` is the name of its script, `data` that of a record, `lesson` that of its lesson plan.
    """


def report(error: FmkitError) -> None:
    """A fault of a file, "file:line: what is wrong", as a warning of the build at its place."""
    location, _, fault = str(error).partition(": ")
    logger.warning(fault, location=location)


class PageWidget(SphinxDirective, ABC):
    """Base of the directives that show a widget; a subclass says its `values`."""

    widget: ClassVar[str]  # the name of its template, its script and its style
    written: ClassVar[tuple[str, ...]] = ("markdown", "ref", "code")  # by which a template has Sphinx write
    data: ClassVar[str] = ""  # the name of a script with its data, which the template names in data-data

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """What the template needs; may raise FmkitError, "file:line: what is wrong"."""

    def run(self) -> list[nodes.Node]:
        try:
            values = self.values()
        except FmkitError as error:
            report(error)
            return []
        folder = Path(inspect.getfile(type(self))).parent.relative_to(PACKAGE).as_posix()
        shown = self.fill(f"{folder}/{self.widget}.html", **values)
        shown["widget"] = self.widget
        if self.data:
            shown["data"] = self.data
        return with_lesson(self.env, shown, "-".join([self.widget, *self.arguments]))

    def source(self, file: str) -> Path:
        """The path of a file that the page depends on, `file` being relative to the book's root."""
        path = Path(self.env.srcdir, file)
        self.env.note_dependency(str(path))
        return path

    def fill(self, template: str, **values: Any) -> page_widget:
        """The nodes of a filled template."""
        parts: list[list[nodes.Node]] = []

        def place(make: Callable[..., list[nodes.Node]]) -> Callable[..., Markup]:
            def placed(*arguments: Any, **options: Any) -> Markup:
                parts.append(make(*arguments, **options))
                return Markup(f"\0{len(parts) - 1}\0")

            return placed

        functions = {name: place(getattr(self, name)) for name in self.written}
        pieces = MARK.split(render(template, **functions, **values))
        whole = page_widget()
        for number, piece in enumerate(pieces):
            whole += parts[int(piece)] if number % 2 else nodes.raw("", piece, format="html")
        return whole

    def markdown(self, text: str) -> list[nodes.Node]:
        """Markdown of one paragraph. HTML in it stays text: a file may come from anywhere."""
        paragraph = nodes.inline("", "", *self.state.inline_text(text, self.lineno)[0])
        for raw in list(paragraph.findall(nodes.raw)):
            raw.parent.replace(raw, nodes.Text(raw.astext()))
        return list(paragraph.children)

    def ref(self, target: str, kind: str = "ref", title: str = "", **more: Any) -> list[nodes.Node]:
        """A link to a label, or to a page (kind "doc"), under its own title if none is given."""
        link = addnodes.pending_xref(
            "",
            nodes.inline("", title or target),
            refdomain="std",
            reftype=kind,
            reftarget=target,
            refexplicit=bool(title),
            refwarn=True,
            refdoc=self.env.docname,
            **more,
        )
        return [link]

    def code(self, text: str, language: str) -> list[nodes.Node]:
        return [nodes.literal_block(text, text, language=language)]


def with_lesson(env: BuildEnvironment, shown: page_widget, name: str) -> list[nodes.Node]:
    """A widget, and if it is a lab the links to its own page and to its lesson plan."""
    root = Path(env.srcdir)
    env.note_dependency(str(root / lesson_file(name)))
    if name not in lesson_names(root):
        return [shown]
    try:
        lesson = read_lesson(root, name)
    except FmkitError as error:
        report(error)
        return [shown]
    shown["lesson"] = name
    links = render("site/links.html", lesson=lesson, plans=shows_keys(), root="../" * env.docname.count("/"))
    return [shown, nodes.raw("", links, format="html")]


def add_assets(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The scripts and styles of the page's widgets."""
    shown = list(doctree.findall(page_widget)) if doctree is not None else []
    scripts, styles = assets([node["widget"] for node in shown if node.get("widget")])
    for style in styles:
        app.add_css_file(style, priority=910)  # after book.css, whose colors it uses
    data = [f"{PLACE}/{node['data']}.js" for node in shown if "data" in node]
    for script in dict.fromkeys([*scripts, *data]):
        app.add_js_file(script, defer="defer")


def setup(app: Sphinx) -> None:
    app.add_node(page_widget, html=(lambda translator, node: None, lambda translator, node: None))
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", add_assets)
