"""The pre-trained models that later experiments start from: one a seed, trained when it is first needed.

They are kept in _build/bases, under a name that changes with the settings, the stories and fmkit's version.
After another change of what trains them, delete the folder.
"""

import hashlib
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

import fmkit
from bookkit.experiments.pretraining import SETTINGS, STEPS
from bookkit.experiments.recording import ROOT
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import load_tokenizer, train_tokenizer
from fmkit.model import Transformer
from fmkit.recipes import pretrain

CACHE = ROOT / "_build" / "bases"
SIZE = ModelConfig(vocab_size=1024, hidden_size=64, num_hidden_layers=3)


def base(seed: int) -> tuple[Transformer, Tokenizer]:
    """The story model of the chapter on pre-training, after its 2,600 steps; a new copy at each call."""
    directory = CACHE / f"{_plan()}-seed-{seed}"
    if not (directory / "model.safetensors").is_file():
        _train(seed, directory)
    model = Transformer.from_pretrained(directory)
    return model, model.tokenizer or load_tokenizer(directory)


@cache
def _plan() -> str:
    """A name for all that a base comes from."""
    settings = f"{fmkit.__version__} {SIZE} {SETTINGS} {STEPS}"
    texts = "".join(load_corpus("stories")["train"]["text"])
    return hashlib.sha256((settings + texts).encode()).hexdigest()[:12]


def _train(seed: int, directory: Path) -> None:
    reproducible(seed)
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], SIZE.vocab_size)
    model = Transformer(SIZE, seed=seed)
    pretrain(model, tokenizer, corpus, TrainConfig(**SETTINGS, steps=STEPS, seed=seed, eval_every=STEPS))
    model.save_pretrained(directory)
