"""Models as the page opens them: one file each, with half the bytes, the configuration and the tokenizer.

    python -m bookkit.engine DIRECTORY FILE [--int8]

writes a directory that fmkit saved as such a file, which the prompt lab opens. For the book's own models the
build does it, and writes each as a script, since a page that was opened as a file cannot fetch one.

With `--int8`, the matrices of the blocks are whole numbers of 8 bits, and NAME.scale has the scales of the
rows of NAME.weight, as `fmkit.quantize` makes them. The page multiplies them when it opens the file: what is
saved is the way to the reader, not memory.
"""

import base64
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from sphinx.application import Sphinx

from bookkit.engine.tokenizer_script import convert
from bookkit.site.scripts import PLACE, define
from fmkit.config import ModelConfig
from fmkit.errors import FmkitError
from fmkit.model import Classifier, Transformer, open_model
from fmkit.quantization import round_rows

MODELS = "assets/models"
INT8 = "-int8"  # at the end of a name: the same model with 8 bits
IN_8_BITS = ("base", "teacher")  # those that the site has in both ways


def pack(directory: Path, int8: bool = False) -> bytes:
    """A language model as a safetensors file: float16, config.json and tokenizer in the metadata.

    With `int8`, the matrices of the blocks are in 8 bits.

    Raises `FmkitError` where there is no language model with a tokenizer.
    """
    model = Transformer.from_pretrained(directory)
    file = directory / "tokenizer.json"
    if not file.is_file():
        raise FmkitError(f"{directory}: no tokenizer.json: the page needs one to read a prompt")
    tokenizer = convert(file.read_text(encoding="utf-8"), str(file))
    return pack_model(model, tokenizer, str(directory), int8)


def pack_model(model: Transformer, tokenizer: dict[str, Any], where: str, int8: bool = False) -> bytes:
    """The same of a model in memory, with its tokenizer as `convert` makes it.

    Raises `FmkitError` for what the page's transformer does not compute, and for weights too large for
    float16.
    """
    _require_plain(model.config, where)
    tensors: dict[str, torch.Tensor] = {}
    for name, weight in model.weights().items():
        if int8 and weight.ndim == 2 and ".layers." in name:
            whole, scales = round_rows(weight)
            tensors |= {name: whole, f"{name.removesuffix('weight')}scale": scales[:, 0].contiguous()}
        else:
            tensors[name] = weight.to(torch.float16).contiguous()
    if not all(weight.isfinite().all() for weight in tensors.values()):
        raise FmkitError(f"{where}: a weight is too large for float16")
    metadata = {"config": model.to_hugging_face(), "tokenizer": tokenizer}
    return save(tensors, {key: json.dumps(value, separators=(",", ":")) for key, value in metadata.items()})


def _require_plain(config: ModelConfig, where: str) -> None:
    plain = ModelConfig(config.vocab_size)
    for name in ("model_type", "attention_bias", "rope_scaling"):
        if (value := getattr(config, name)) != getattr(plain, name):
            raise FmkitError(f"{where}: {name} is {value}: the page runs plain Llama models")
    if config.head_dim != config.hidden_size // config.num_attention_heads:
        raise FmkitError(
            f"{where}: head_dim is {config.head_dim}: in the page it is hidden_size / num_attention_heads"
        )


def write_models(app: Sphinx) -> None:
    """Write the book's language models to _static/widgets/models, as scripts."""
    folder = Path(app.outdir) / "_static" / PLACE / "models"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(app.srcdir, MODELS).glob("*/config.json")):
        if isinstance(open_model(path.parent), Classifier):
            continue
        name = path.parent.name
        for end in ("", INT8) if name in IN_8_BITS else ("",):
            data = base64.b64encode(pack(path.parent, int8=end == INT8)).decode()
            script = define(f"models/{name}{end}", [], f"() => {data!r}")
            (folder / f"{name}{end}.js").write_text(script, encoding="utf-8")
