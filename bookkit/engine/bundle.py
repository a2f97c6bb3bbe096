"""The engine's worker as one text, and what it trains on: written when the site is built."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.engine.packing import pack_model
from bookkit.engine.tokenizer_script import convert
from bookkit.site import node
from bookkit.site.scripts import PLACE, define, script, sources
from fmkit.assets import UnknownAsset
from fmkit.data.batches import IGNORE
from fmkit.errors import FmkitError
from fmkit.widgets.modules import needed
from fmkit.widgets.text_lab import SMALL, assistant, shop_lab, story_lab

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


def write_shop(app: Sphinx) -> None:
    """What the lab of fine-tuning trains: the model with its tokenizer, the examples, and those held out.

    A book with data of its own, without the models, has no such lab.
    """
    try:
        lab, model = shop_lab(), assistant()
    except UnknownAsset:
        return
    assert model.tokenizer is not None
    tokenizer = convert(model.tokenizer.to_str(), "the tokenizer of the lab")
    (batch,) = lab.validation
    held_out = zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True)
    data = {
        "config": model.to_hugging_face(),
        "tokenizer": tokenizer,
        "weights": base64.b64encode(pack_model(model, tokenizer, "the model of the lab")).decode(),
        "examples": [example(row["input_ids"], [*row["labels"][1:], IGNORE]) for row in lab.examples],
        "heldOut": [example(ids, labels) for ids, labels in held_out],
    }
    write(app, "labs/shop", json.dumps(data, separators=(",", ":")))


def example(ids: list[int], labels: list[int]) -> dict[str, Any]:
    """Ids up to the last that is learned, and where those begin; labels are the tokens that come next."""
    learned = [at + 1 for at, label in enumerate(labels) if label != IGNORE]
    start, end = learned[0], learned[-1] + 1
    if learned != list(range(start, end)):
        raise FmkitError("an example of the lab is learned in parts: the page takes one that ends it")
    return {"ids": ids[:end], "start": start}


def write(app: Sphinx, name: str, data: str) -> None:
    path = Path(app.outdir) / "_static" / PLACE / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(define(name, [], f"() => ({data})"), encoding="utf-8")
