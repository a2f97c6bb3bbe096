"""The `pipeline-explorer` directive: a model's life as one picture, from assets/explorer/pipeline.yml.

    ```{pipeline-explorer}
    ```

The page holds everything as text, in order, and so does a print. explorer.js makes it one picture: pointing
at a stage, or moving the focus there, shows what happens in it; a click or Enter opens its example. The same
picture stands alone in embed/pipeline.html, for the pages of other people.
"""

from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bookkit.site.entries import Entry, read
from bookkit.site.html import html, render, report, tag
from fmkit.errors import FmkitError

FILE = "assets/explorer/pipeline.yml"
TITLE = "The life of a foundation model in three stages"
HEIGHT = 760  # of the frame on somebody else's page, enough for the picture with an example open

# Drawn in a square of 24 by 24.
ICONS = {
    "pages": "M7 3h9l4 4v14H7zM16 3v4h4M10 11h7M10 14h7M10 17h5M4 6v15",
    "sliders": "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1M13 5v4h4V5zM7 10v4h4v-4zM15 15v4h4v-4z",
    "bubble": "M4 5h16v11h-9l-4 4v-4H4zM8 9h8M8 12h5",
    "arrow": "M1 12h21M16 6l6 6-6 6",
}
COLORS = ("pretraining", "finetuning", "use")


def drawing(name: str) -> html:
    return tag("svg", tag("path", d=ICONS[name]), viewBox="0 0 24 24", aria_hidden="true", class_="fm-icon")


def read_stages(path: Path, file: str) -> list[html]:
    """The stages and the arrows between them; raises FmkitError with `file`, line and the first fault."""
    whole = read(path, file)
    parts: list[html] = []
    for number, entry in enumerate(stages := whole.list("the explorer"), start=1):
        required = ["id", "name", "color", "icon", "lead", "facts", "example"]
        last = number == len(stages)
        fields = entry.fields("a stage", required if last else [*required, "arrow"])
        parts.append(stage(fields, number))
        if not last:
            label = tag("span", fields["arrow"].text("arrow"))
            parts.append(tag("li", label, drawing("arrow"), class_="fm-arrow"))
    if not parts:
        raise whole.fault("the explorer needs a stage")
    return parts


def stage(fields: dict[str, Entry], number: int) -> html:
    name = fields["id"].text("id", r"[a-z-]+", "small letters and hyphens")
    color = fields["color"].text("color", "|".join(COLORS), ", ".join(COLORS))
    icon = fields["icon"].text("icon", "|".join(ICONS), ", ".join(ICONS))
    title = fields["name"].text("name")
    head = tag(
        "div",  # which the script makes a button
        tag("span", f"{number} ", drawing(icon), class_="fm-stage-number"),
        tag("b", title),
        tag("span", fields["lead"].text("lead"), class_="fm-stage-lead"),
        class_="fm-stage-head",
    )
    facts = tag(
        "dl",
        *[
            row
            for fact in fields["facts"].list("facts")
            for row in pair(fact, "a fact", "name", "text", "dt", "dd")
        ],
        id=f"fm-{name}-facts",
        class_="fm-stage-facts simple",
    )
    return tag("li", head, facts, example(fields["example"], name), class_=f"fm-stage fm-stage-{color}")


def example(entry: Entry, name: str) -> html:
    fields = entry.fields("an example", ["title", "from", "to", "pairs", "note"])
    rows = [
        tag("tr", *pair(one, "a pair", "from", "to", "td", "td")) for one in fields["pairs"].list("pairs")
    ]
    columns = [tag("th", fields[side].text(side), scope="col") for side in ("from", "to")]
    return tag(
        "div",
        tag("p", tag("b", fields["title"].text("title"))),
        tag("table", tag("thead", tag("tr", *columns)), tag("tbody", *rows)),
        tag("p", fields["note"].text("note")),
        id=f"fm-{name}-example",
        class_="fm-stage-example",
    )


def pair(entry: Entry, what: str, first: str, second: str, left: str, right: str) -> tuple[html, html]:
    fields = entry.fields(what, [first, second])
    return tag(left, fields[first].text(first)), tag(right, fields[second].text(second))


class PipelineExplorer(SphinxDirective):
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir, FILE)
        self.env.note_dependency(str(path))
        try:
            stages = read_stages(path, FILE)
        except FmkitError as error:
            report(error)
            return []
        explorer = tag(
            "section",
            tag(
                "div",
                tag(
                    "p",
                    tag("span", "Point at a stage to see what happens in it. "),
                    "Press a stage for its example.",
                ),
                tag("button", "Full screen", type="button", class_="fm-button fm-full"),
                class_="fm-explorer-bar fm-scripted",
            ),
            tag("ol", *stages, class_="fm-stages"),
            asset="explorer",
            class_="fm-explorer",
            aria_label=TITLE,
        )
        return [explorer, *self.snippet()]

    def snippet(self) -> list[nodes.Node]:
        """The code for other people's pages, once there is an address to point to."""
        address = self.config.html_baseurl.rstrip("/")
        if not address:
            return []
        code = (
            f'<iframe src="{address}/embed/pipeline.html" title="{TITLE}"\n'
            f'  width="100%" height="{HEIGHT}" style="border: 0" loading="lazy" allow="fullscreen"></iframe>'
        )
        block = nodes.literal_block(code, code, language="html")
        return [
            tag("details", tag("summary", "Show this picture on your own page"), block, class_="fm-embed")
        ]


EMBED = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<script>
if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.dataset.theme = "dark";
</script>
<link rel="stylesheet" href="../_static/styles/pydata-sphinx-theme.css">
<link rel="stylesheet" href="../_static/styles/sphinx-book-theme.css">
<link rel="stylesheet" href="../_static/book.css">
<link rel="stylesheet" href="../_static/explorer.css">
<script defer src="../_static/explorer.js"></script>
</head>
<body class="fm-embedded">
<main>
<h1>{title}</h1>
{explorer}
<p><a href="../{page}" target="_blank">From the book <cite>{book}</cite></a></p>
</main>
</body>
</html>
"""


def write_embed(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The picture of this page once more, as a page of its own."""
    found = doctree.findall(html) if doctree is not None else ()
    for explorer in (node for node in found if node["asset"] == "explorer"):
        text = EMBED.format(
            title=escape(TITLE),
            explorer=render(explorer),
            page=escape(app.builder.get_target_uri(page)),
            book=escape(app.config.html_title),
        )
        file = Path(app.outdir, "embed", "pipeline.html")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.add_directive("pipeline-explorer", PipelineExplorer)
    app.connect("html-page-context", write_embed)
