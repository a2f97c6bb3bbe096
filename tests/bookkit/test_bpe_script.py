"""A vocabulary that the page learns from texts is the one that fmkit learns."""

import json
import random
import subprocess
from typing import Any

import pytest

from bookkit.engine.bundle import LOADER
from bookkit.engine.tokenizer_script import convert
from bookkit.site import node
from bookkit.site.scripts import script, sources
from fmkit import FmkitError, train_tokenizer
from fmkit.widgets.modules import needed
from fmkit.world import load_stories

STORIES = load_stories(400, 2)["train"]["text"][:]
WORDS = [
    "naïve",
    "日本語",
    "\U0001f600\U0001f601",
    "don't",
    "x1234",
    "<|eos|>",
    "\n\n",
    "\t",
    "aaaaaaa",
    "ab",
]


def odd(seed: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choice(["", " "]) + rng.choice(WORDS) for _ in range(60)) for _ in range(20)]


def learn(texts: list[str], vocab_size: int) -> Any:
    modules = "".join(script(name) for name in needed("bpe", sources()))
    ask = f"console.log(JSON.stringify(fmkit.modules.bpe.trainTokenizer({json.dumps(texts)}, {vocab_size})));"
    run = subprocess.run(
        [node.node_js(), "-"], input=LOADER + modules + ask, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    "texts", [STORIES, odd(0), odd(1), ["Repeat! " * 30]], ids=["stories", "odd", "more", "one"]
)
@pytest.mark.parametrize("vocab_size", [264, 280, 512])
def test_the_merges_are_fmkits(texts: list[str], vocab_size: int) -> None:
    try:
        fmkits = train_tokenizer(texts, vocab_size)
    except FmkitError as error:  # the text allows fewer
        fmkits = train_tokenizer(texts, int(str(error).split("choose ")[1].split()[0]))
    assert learn(texts, vocab_size) == convert(fmkits.to_str(), "")
