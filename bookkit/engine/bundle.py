"""The engine's worker as one text, and what it trains on: written when the site is built."""

import json
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx

from bookkit.engine.tokenizers import convert
from bookkit.site import node
from bookkit.site.scripts import PLACE, define, script, sources
from fmkit.widgets.labs import SMALL, story_lab
from fmkit.widgets.modules import needed

KERNELS = Path(__file__).with_name("kernels.ts")
LOADER = """"use strict";
const fmkit = {
  modules: {},
  define(name, needs, make) {
    this.modules[name] = make(...needs.map((other) => this.modules[other]));
  },
};
"""


@cache
def worker_source() -> str:
    """The compiled kernels, the modules that worker.js needs, and itself: the text of a classic worker."""
    kernels = node.run("kernels.mjs", KERNELS.read_text(encoding="utf-8"))
    modules = [script(name) for name in needed("worker", sources())]
    return "".join([LOADER, f"const KERNELS = {kernels!r};\n", *modules])


def write_worker(app: Sphinx) -> None:
    write(app, "engine-worker", json.dumps(worker_source()))


def write_labs(app: Sphinx) -> None:
    """What the lab of stories trains: its model's shape, its tokenizer, and the floor in nats per token."""
    lab = story_lab()
    tokenizer = convert(lab.tokenizer.to_str(), "the tokenizer of the lab")
    data = {"config": SMALL.to_hugging_face(), "tokenizer": tokenizer, "floor": lab.floor}
    write(app, "labs/stories", json.dumps(data, separators=(",", ":")))


def write(app: Sphinx, name: str, data: str) -> None:
    path = Path(app.outdir) / "_static" / PLACE / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(define(name, [], f"() => ({data})"), encoding="utf-8")
