"""Widgets on pages without a kernel: their scripts, the runs that they replay, and room kept for them."""

import json
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.util import logging

from fmkit.widgets.modules import WEB, names, script, styles

logger = logging.getLogger(__name__)

VIEW = "application/vnd.jupyter.widget-view+json"


def copy_scripts(app: Sphinx) -> None:
    """Write the modules, the style sheet and the recorded runs to _static/widgets."""
    folder = Path(app.outdir) / "_static" / "widgets"
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    files = {"loader.js": (WEB / "loader.js").read_text(encoding="utf-8"), "widgets.css": styles()}
    files |= {f"{name}.js": script(name) for name in names()}
    for record in sorted((Path(app.srcdir) / "assets" / "runs").glob("*.json")):
        name = f"runs/{record.stem}"
        files[f"{name}.js"] = f"fmkit.define({name!r}, {record.read_text(encoding='utf-8').strip()});\n"
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")


def keep_room(app: Sphinx, doctree: nodes.document) -> None:
    """Put each view into a box that has the widget's size before its script has come, and its description."""
    states = saved_states(app, app.env.docname)
    for view in doctree.findall(nodes.raw):
        if VIEW not in view.astext():
            continue
        content = json.loads(view.astext().partition(">")[2].rpartition("<")[0])
        state = states.get(content["model_id"], {}).get("state", {})
        name = str(state.get("_anywidget_id", "")).split(".")[-2:][0]
        if name not in names():
            message = "a widget without its state, or none of the book's: run `make notebooks`"
            logger.warning(message, location=view)
            continue
        description = escape(state["description"])
        text = f'<div class="fm-widget-room" data-widget="{name}"><p>{description}.</p>{view.astext()}</div>'
        view.replace_self(nodes.raw(text, text, format="html"))


def saved_states(app: Sphinx, page: str) -> dict[str, Any]:
    _, script = NbMetadataCollector.get_js_files(app.env, page).get(
        "ipywidgets_state", (None, {"body": "{}"})
    )
    return dict(json.loads(script["body"]).get("state", {}))


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The loader and the style sheet, on pages with widgets only."""
    if doctree is not None and saved_states(app, page):
        app.add_css_file("widgets/widgets.css", priority=910)  # after book.css, whose colors it uses
        app.add_js_file("widgets/loader.js", defer="defer")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", copy_scripts)
    app.connect("doctree-read", keep_room)
    app.connect("html-page-context", add_scripts)
