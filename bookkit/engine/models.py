"""Models as the page opens them: one file each, with half the bytes, the configuration and the tokenizer.

    python -m bookkit.engine DIRECTORY FILE

writes a directory that fmkit saved as such a file, which the prompt lab opens. For the book's own models the
build does it, and writes each as a script, since a page that was opened as a file cannot fetch one.
"""

import base64
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from sphinx.application import Sphinx

from bookkit.engine.tokenizers import convert
from bookkit.site.scripts import PLACE, define
from fmkit.errors import FmkitError
from fmkit.model import Classifier, Transformer, open_model

MODELS = "assets/models"


def pack(directory: Path) -> bytes:
    """A language model as a safetensors file: float16, config.json and tokenizer in the metadata.

    Raises `FmkitError` where there is no language model with a tokenizer.
    """
    model = Transformer.from_pretrained(directory)
    file = directory / "tokenizer.json"
    if not file.is_file():
        raise FmkitError(f"{directory}: no tokenizer.json: the page needs one to read a prompt")
    return pack_model(model, convert(file.read_text(encoding="utf-8"), str(file)), str(directory))


def pack_model(model: Transformer, tokenizer: dict[str, Any], where: str) -> bytes:
    """The same of a model in memory, with its tokenizer as `convert` makes it."""
    tensors = {name: weight.to(torch.float16).contiguous() for name, weight in model.weights().items()}
    if not all(weight.isfinite().all() for weight in tensors.values()):
        raise FmkitError(f"{where}: a weight is too large for float16")
    metadata = {"config": model.to_hugging_face(), "tokenizer": tokenizer}
    return save(tensors, {key: json.dumps(value, separators=(",", ":")) for key, value in metadata.items()})


def write_models(app: Sphinx) -> None:
    """Write the book's language models to _static/widgets/models, as scripts."""
    folder = Path(app.outdir) / "_static" / PLACE / "models"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(app.srcdir, MODELS).glob("*/config.json")):
        if isinstance(open_model(path.parent), Classifier):
            continue
        name = path.parent.name
        data = base64.b64encode(pack(path.parent)).decode()
        (folder / f"{name}.js").write_text(define(f"models/{name}", [], f"() => {data!r}"), encoding="utf-8")
