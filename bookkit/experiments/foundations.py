"""The pre-trained models that other experiments start from: one for each size, corpus and seed.

The story model with seed 0 is the committed assets/models/base: the same weights, to the bit. Others are
trained when they are first needed and kept in _build/bases, under a name that changes with the settings, the
texts and fmkit's version. Delete the folder after another change that affects training.
"""

import hashlib
from pathlib import Path
from typing import Any

from datasets import DatasetDict
from tokenizers import Tokenizer

import fmkit
from bookkit.experiments.recording import ROOT
from fmkit import pretrain
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import load_tokenizer, train_tokenizer
from fmkit.model import Transformer

MODELS = ROOT / "assets" / "models"
CACHE = ROOT / "_build" / "bases"
SIZE = ModelConfig(vocab_size=1024, hidden_size=64, num_hidden_layers=3)
STEPS = 2_600
SETTINGS: dict[str, Any] = {
    "batch_size": 4,
    "learning_rate": 8e-3,
    "adam_beta2": 0.98,
    "min_lr_ratio": 0.0,
}


def base(seed: int) -> tuple[Transformer, Tokenizer]:
    """The story model of the chapter on pre-training, after its 2,600 steps; a new copy at each call."""
    if seed == 0:
        return committed("base")
    return pretrained(SIZE, load_corpus("stories"), {**SETTINGS, "steps": STEPS}, seed)


def pretrained(
    size: ModelConfig, corpus: DatasetDict, settings: dict[str, Any], seed: int
) -> tuple[Transformer, Tokenizer]:
    """A model of this size that was trained on a corpus, and its tokenizer; a new copy at each call."""
    plan = f"{fmkit.__version__} {size} {settings}" + "".join(corpus["train"]["text"])
    directory = CACHE / f"{hashlib.sha256(plan.encode()).hexdigest()[:12]}-seed-{seed}"
    if not (directory / "model.safetensors").is_file():
        reproducible(seed)
        tokenizer = train_tokenizer(corpus["train"], size.vocab_size)
        model = Transformer(size, seed=seed)
        config = TrainConfig(**settings, seed=seed, eval_every=settings["steps"])
        pretrain(model, tokenizer, corpus, config)
        model.save_pretrained(directory)
    return _open(directory)


def committed(name: str) -> tuple[Transformer, Tokenizer]:
    """A model of assets/models and its tokenizer; a new copy at each call."""
    return _open(MODELS / name)


def _open(directory: Path) -> tuple[Transformer, Tokenizer]:
    model = Transformer.from_pretrained(directory)
    return model, model.tokenizer or load_tokenizer(directory)
