"""The book's sources, chapters/back/references.bib: what each is good for, and how far to trust it.

    ```{sources} hoffmann2022 kaplan2020
    ```

lists these at the end of a chapter, each with its `use`. The page of all references has `{bibliography}`: its
style, here, adds the use and the evaluation by five questions (currency, relevance, authority, accuracy, and
purpose).
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from pybtex.database import Entry, parse_file
from pybtex.plugin import register_plugin
from pybtex.richtext import Tag, Text
from pybtex.style.formatting.unsrt import Style
from pybtex.style.template import field
from pybtex.style.template import sentence as as_sentence_of
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

FILE = "chapters/back/references.bib"
EVALUATION = ("currency", "relevance", "authority", "accuracy", "purpose")


class BookStyle(Style):
    """A reference, what it is good for, and its evaluation; in the order of the authors."""

    default_sorting_style = "author_year_title"

    def format_title(self, entry: Entry, which_field: str, as_sentence: bool = True) -> Any:
        title = field(which_field)  # in its own capitals
        return as_sentence_of[title] if as_sentence else title

    def format_entry(self, label: str, entry: Entry, bib_data: Any = None) -> Any:
        formatted = super().format_entry(label, entry, bib_data)
        parts: list[Any] = [" ", Tag("em", "Good for:"), " ", sentence(entry.fields["use"])]
        for question in EVALUATION:
            parts += [" ", Tag("em", f"{question.capitalize()}:"), " ", sentence(entry.fields[question])]
        formatted.text = Text(formatted.text, *parts)
        return formatted


def sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


class Sources(SphinxDirective):
    """The sources of a chapter: who, when, what, and what it is good for."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir, FILE)
        self.env.note_dependency(str(path))
        entries = parse_file(str(path)).entries
        listed = nodes.bullet_list(classes=["fm-sources"])
        for key in self.arguments[0].split():
            if key in entries:
                listed += nodes.list_item("", nodes.paragraph("", "", *self.line(entries[key])))
            else:
                logger.warning("no source %r in %s", key, FILE, location=self.get_location())
        return [listed]

    def line(self, entry: Entry) -> list[nodes.Node]:
        link = nodes.reference("", title_of(entry), refuri=entry.fields["url"])
        lead = f"{authors(entry)} ({entry.fields['year']}), "
        return [nodes.Text(lead), link, nodes.Text(f": {sentence(entry.fields['use'])}")]


def title_of(entry: Entry) -> str:
    return str(entry.fields["title"]).translate({ord("{"): None, ord("}"): None})  # they only keep capitals


def authors(entry: Entry) -> str:
    """Up to two names, or the first and "et al."; an organization as it is."""
    people = entry.persons["author"]
    names = [" ".join([f"{first[0]}." for first in p.first_names[:1]] + p.last_names) for p in people]
    names = [name.strip("{}") for name in names]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."


def setup(app: Sphinx) -> None:
    register_plugin("pybtex.style.formatting", "fmbook", BookStyle)
    app.add_directive("sources", Sources)
