"""Widgets of notebook cells on a page without a kernel: the runs that they replay, and room kept for them."""

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.util import logging

from bookkit.site.page_widget import page_widget, with_lesson
from bookkit.site.scripts import PLACE, define
from bookkit.site.templates import render
from fmkit.widgets.modules import names

logger = logging.getLogger(__name__)

VIEW, STATE = (f"application/vnd.jupyter.widget-{what}+json" for what in ("view", "state"))
WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")  # where one begins in the name of a class


def write_runs(app: Sphinx) -> None:
    """Write the recorded runs to _static/widgets/runs, as scripts: a page opened as a file cannot fetch."""
    folder = Path(app.outdir) / "_static" / PLACE / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    for record in sorted((Path(app.srcdir) / "assets" / "runs").glob("*.json")):
        text = define(f"runs/{record.stem}", [], f"() => ({record.read_text(encoding='utf-8').strip()})")
        (folder / f"{record.stem}.js").write_text(text, encoding="utf-8")


def keep_room(app: Sphinx, doctree: nodes.document) -> None:
    """Put each view into a box that has the widget's size before its script has come, and its description."""
    states = saved_states(app, app.env.docname)
    for view in doctree.findall(nodes.raw):
        if VIEW not in view.astext():
            continue
        content = json.loads(view.astext().partition(">")[2].rpartition("<")[0])
        state = states.get(content["model_id"], {}).get("state", {})
        module, _, kind = str(state.get("_anywidget_id", "")).rpartition(".")
        name = module.rpartition(".")[2]
        if name not in names():
            message = "a widget without its state, or none of the book's: run `make notebooks`"
            logger.warning(message, location=view)
            continue
        text = render(
            "site/room.html", name=name, kind=kind, description=state["description"], view=view.astext()
        )
        room = page_widget("", "", nodes.raw("", text, format="html"), widget=name)
        if recording := state.get("recording"):
            room["data"] = f"runs/{recording}"
        kept = json.dumps({"state": {content["model_id"]: states[content["model_id"]]}}).replace("</", "<\\/")
        room["state"] = f'<script type="{STATE}">{kept}</script>'
        view.replace_self(with_lesson(app.env, room, WORD.sub("-", kind).lower()))


def saved_states(app: Sphinx, page: str) -> dict[str, Any]:
    _, script = NbMetadataCollector.get_js_files(app.env, page).get(
        "ipywidgets_state", (None, {"body": "{}"})
    )
    return dict(json.loads(script["body"]).get("state", {}))


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_runs)
    app.connect("doctree-read", keep_room)
