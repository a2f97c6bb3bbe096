"""A small book with the widgets whose reader asks a model of the page, built once for all their tests."""

import json
import shutil
from functools import cache
from pathlib import Path

import tiny
import torch

from bookkit.widgets.prompts import MODELS
from fmkit import Transformer, load_tokenizer

RECORD = json.loads((tiny.ROOT / "assets/guess/next-word.json").read_text())
PAGES = {
    "intro": "```{prompts}\n```",
    "back/two": "```{prompts} base assistant\n```",
    "back/guess": "```{guess} live\n```",
}


@cache
def built(folder: Path) -> Path:
    """The folder of the site."""
    folder.mkdir()
    book = tiny.write(folder, f"# Models\n\n{PAGES['intro']}\n")
    for name, text in PAGES.items():
        (book / f"chapters/{name}.md").write_text(f"# A page\n\n{text}\n")
    pages = "".join(f"  - file: chapters/{name}\n" for name in PAGES if name != "intro")
    (book / "_toc.yml").write_text(f"format: jb-book\nroot: chapters/intro\nchapters:\n{pages}")
    shutil.rmtree(book / "assets/lessons", ignore_errors=True)
    for name in MODELS:
        shutil.copytree(tiny.ROOT / "assets/models" / name, book / "assets/models" / name)
    (book / "assets/guess/live.json").write_text(json.dumps(RECORD))
    return tiny.build(book)


@cache
def opened(name: str) -> Transformer:
    """A model of the book with the weights that the page has: rounded to float16."""
    directory = tiny.ROOT / "assets/models" / name
    model = Transformer.from_pretrained(directory).eval()
    model.tokenizer = model.tokenizer or load_tokenizer(directory)
    for weight in model.parameters():
        weight.data = weight.data.to(torch.float16).float()
    return model


@torch.inference_mode()
def probabilities(model: Transformer, ids: list[int]) -> torch.Tensor:
    """What the model expects at each place of a text: (T, V)."""
    return model(torch.tensor([ids]))[0].float().softmax(-1)
