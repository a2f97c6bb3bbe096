"""The book's models in a page: what the scripts here need of them, converted when the site is built.

`tokenizer.js` encodes texts as fmkit's tokenizers do; `chat.js` lays out examples and says what of them is
learned. The tokenizer of each model in assets/models becomes a script of about 10 kB, which a widget loads as
its `data`: tokenizers/NAME.
"""

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.scripts import PLACE, define
from fmkit.errors import FmkitError

MODELS = "assets/models"


def convert(path: Path, file: str) -> dict[str, Any]:
    """Convert a tokenizer.json to what tokenizer.js reads: ids instead of pieces of text.

    Raises FmkitError, "file:1: …", for another kind than fmkit's: byte-level byte-pair encoding.
    """
    whole = json.loads(path.read_text(encoding="utf-8"))
    model, cut = whole["model"], whole["pre_tokenizer"] or {}
    if model["type"] != "BPE" or cut.get("type") != "ByteLevel" or whole["normalizer"]:
        raise FmkitError(f"{file}:1: not a byte-level BPE without a normalizer, which tokenizer.js encodes")
    ids = model["vocab"]
    return {
        "bytes": [ids[letter] for letter in byte_letters()],
        "merges": [[ids[left], ids[right], ids[left + right]] for left, right in model["merges"]],
        "special": {token["content"]: token["id"] for token in whole["added_tokens"]},
    }


def byte_letters() -> list[str]:
    """The letter that a vocabulary writes for each byte: itself if it can be seen, else one from U+0100."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in seen]
    return [chr(byte if byte in seen else 0x100 + hidden.index(byte)) for byte in range(256)]


def write_tokenizers(app: Sphinx) -> None:
    folder = Path(app.outdir) / "_static" / PLACE / "tokenizers"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(app.srcdir, MODELS).glob("*/tokenizer.json")):
        name = path.parent.name
        data = json.dumps(convert(path, f"{MODELS}/{name}/{path.name}"), separators=(",", ":"))
        text = define(f"tokenizers/{name}", [], f"() => ({data})")
        (folder / f"{name}.js").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_tokenizers)
