"""Labs: each widget that has a lesson plan as a page of its own, and the list of them all.

    ```{labs}
    ```

lists the labs in the order of the book. For each lab embed/NAME.html shows the widget alone, as large as the
window, for a projector and for other people's pages; embed/NAME-lesson.html is its lesson plan (see
`bookkit.site.lessons`), with the code that shows it elsewhere.
"""

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from markupsafe import Markup
from pybtex.database import parse_file
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from bookkit.editions import shows_keys
from bookkit.site.build import toc_pages
from bookkit.site.entries import Entry
from bookkit.site.formulas import STYLE, has_math
from bookkit.site.lessons import Lesson, lesson_file, lesson_names, read_lesson
from bookkit.site.page_widget import page_widget, report
from bookkit.site.scripts import PLACE, assets
from bookkit.site.sources import FILE as SOURCES
from bookkit.site.sources import authors, title_of
from bookkit.site.templates import render
from fmkit.errors import FmkitError

logger = logging.getLogger(__name__)

PLACE_OF_PAGES = "embed"
HEIGHT = 800  # of the frame that shows a lab elsewhere, in pixels


@dataclass(frozen=True)
class Place:
    """A section of the book; `address` is relative to the folder of the site."""

    chapter: str
    title: str
    address: str


@dataclass(frozen=True)
class Source:
    """A source of the book."""

    authors: str
    title: str
    address: str


class lab_list(nodes.General, nodes.Element):
    """The list of labs, which is filled once all pages have been read."""


class Labs(SphinxDirective):
    """The list of labs."""

    def run(self) -> list[nodes.Node]:
        for name in lesson_names(Path(self.env.srcdir)):
            self.env.note_dependency(str(Path(self.env.srcdir, lesson_file(name))))
        return [lab_list()]


def write_list(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for place in list(doctree.findall(lab_list)):
        text = render("site/labs.html", labs=in_order(app), plans=shows_keys(), root="../" * page.count("/"))
        place += nodes.raw("", text, format="html")


def in_order(app: Sphinx) -> list[tuple[Lesson, Place]]:
    """The labs with their sections, in the order of the book; a faulty plan is reported and left out."""
    order, found = toc_pages(Path(app.srcdir)), []
    for name in lesson_names(Path(app.srcdir)):
        try:
            lesson = read_lesson(Path(app.srcdir), name)
            found.append((lesson, section(app.env, lesson.chapter)))
        except FmkitError as error:
            report(error)
    return sorted(found, key=lambda lab: order.index(lab[1].address.partition(".html")[0]))


def section(env: BuildEnvironment, label: Entry) -> Place:
    """The section that a label names; raises FmkitError if there is none."""
    labels = cast(StandardDomain, env.get_domain("std")).labels
    if label.node.value not in labels:
        raise label.fault(f"no section has the label {label.node.value!r}")
    page, identity, title = labels[label.node.value]
    return Place(env.titles[page].astext(), title, f"{page}.html#{identity}")


def source(root: Path, key: Entry) -> Source:
    """A source of the book by its key; raises FmkitError if there is none."""
    entries = parse_file(str(root / SOURCES)).entries
    if key.node.value not in entries:
        raise key.fault(f"no source {key.node.value!r} in {SOURCES}")
    entry = entries[key.node.value]
    return Source(f"{authors(entry)} ({entry.fields['year']})", title_of(entry), entry.fields["url"])


def write_pages(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The pages of the labs that `page` shows, and the style of their list."""
    if doctree is not None and any(doctree.findall(lab_list)):
        app.add_css_file("labs.css", priority=910)  # after book.css, whose colors it uses
    for node in doctree.findall(page_widget) if doctree is not None else ():
        if "lesson" in node:
            try:
                write_lab(app, page, node, read_lesson(Path(app.srcdir), node["lesson"]))
            except FmkitError as error:
                report(error)


def write_lab(app: Sphinx, page: str, node: page_widget, lesson: Lesson) -> None:
    root, folder = Path(app.srcdir), Path(app.outdir, PLACE_OF_PAGES)
    scripts, styles = assets([node["widget"]])
    data = [f"{PLACE}/{node['data']}.js"] if "data" in node else []
    formulas = [STYLE] if has_math(node) else []
    about = {
        "lesson": lesson,
        "book": app.config.html_title,
        "icon": f"../_static/{Path(app.config.html_favicon).name}" if app.config.html_favicon else "data:,",
        "chapter": section(app.env, lesson.chapter),
        "plans": shows_keys(),
    }
    alone = render(
        "site/embed.html",
        content=Markup(rendered(app, page, node)),
        state=Markup(node.get("state", "")),
        scripts=[*scripts, *data],
        styles=[*formulas, "book.css", "labs.css", *styles],
        **about,
    )
    address = f"{app.config.html_baseurl.rstrip('/')}/{PLACE_OF_PAGES}/{lesson.name}.html"
    frame = render("site/frame.html", address=address, title=lesson.title, height=HEIGHT)
    plan = render(
        "site/lesson.html",
        scripts=[],
        styles=["book.css", "labs.css"],
        sections=[section(app.env, label) for label in lesson.sections],
        sources=[source(root, key) for key in lesson.sources],
        frame=frame if app.config.html_baseurl else "",
        **about,
    )
    folder.mkdir(exist_ok=True)
    (folder / f"{lesson.name}.html").write_text(alone, encoding="utf-8")
    if shows_keys():
        (folder / f"{lesson.name}-lesson.html").write_text(plan, encoding="utf-8")


def rendered(app: Sphinx, page: str, node: page_widget) -> str:
    """The HTML of a widget of `page`, with its links as they are from the folder of the labs."""
    copy, base = node.deepcopy(), app.builder.get_target_uri(page)
    for link in copy.findall(nodes.reference):
        if link.get("refid"):
            link["refuri"] = f"../{base}#{link['refid']}"
            del link["refid"]
        elif link.get("internal"):
            link["refuri"] = f"../{posixpath.normpath(posixpath.join(base, '..', link['refuri']))}"
    return str(cast(StandaloneHTMLBuilder, app.builder).render_partial(copy)["fragment"])


def finish(app: Sphinx, error: Exception | None) -> None:
    """Each lesson plan is of a lab that some page shows."""
    if error or app.builder.name != "html":
        return
    for name in lesson_names(Path(app.srcdir)):
        if not Path(app.outdir, PLACE_OF_PAGES, f"{name}.html").is_file():
            logger.warning("no page shows the lab %s", name, location=f"{lesson_file(name)}:1")


def setup(app: Sphinx) -> None:
    app.add_node(lab_list, html=(lambda translator, node: None, lambda translator, node: None))
    app.add_directive("labs", Labs)
    app.connect("doctree-resolved", write_list)
    app.connect("html-page-context", write_pages)
    app.connect("build-finished", finish)
