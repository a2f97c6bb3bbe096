"""Tokenizers as the page reads them: each becomes a script of about 10 kB, tokenizers/NAME, for tokenizer.js.

They are those of the models in assets/models, and those of the folders in assets/tokenizers.
"""

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.scripts import PLACE, define
from fmkit.errors import FmkitError

FOLDERS = ("assets/models", "assets/tokenizers")


def convert(text: str, file: str) -> dict[str, Any]:
    """Convert a tokenizer.json, the text of `file`, to what tokenizer.js reads: ids instead of pieces.

    Raises FmkitError, "file:1: …", for another kind than fmkit's: byte-level byte-pair encoding.
    """
    whole = json.loads(text)
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
    for path in sorted(path for one in FOLDERS for path in Path(app.srcdir, one).glob("*/tokenizer.json")):
        name = path.parent.name
        file = path.relative_to(app.srcdir).as_posix()
        data = json.dumps(convert(path.read_text(encoding="utf-8"), file), separators=(",", ":"))
        text = define(f"tokenizers/{name}", [], f"() => ({data})")
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
