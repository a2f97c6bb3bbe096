"""What many tests share. What is made once (scope "session") is not changed: copy a model to train it."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

from bookkit import KERNEL_ENVIRONMENT

os.environ.update(KERNEL_ENVIRONMENT)  # before any test, or any notebook's kernel, imports torch
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test needs the Hub

import pytest

import fmkit  # its names are loaded when a fixture uses them: most tests of bookkit need no torch

if TYPE_CHECKING:
    from datasets import DatasetDict
    from tokenizers import Tokenizer

    from fmkit import Classifier, ModelConfig, Transformer


def pytest_collection() -> None:
    gc.disable()  # imports leave no garbage, and looking for it takes a sixth of their time


def pytest_collection_finish() -> None:
    gc.freeze()  # modules stay: no need to look at them again
    gc.enable()


@pytest.fixture(scope="session")
def stories() -> DatasetDict:
    """600 stories to train on and 60 for validation."""
    from fmkit.world import load_stories

    return load_stories(600, 60)


@pytest.fixture(scope="session")
def tokenizer(stories: DatasetDict) -> Tokenizer:
    return fmkit.train_tokenizer(stories["train"], 400)


@pytest.fixture(scope="session")
def model_config(tokenizer: Tokenizer) -> ModelConfig:
    return fmkit.ModelConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=96,
    )


@pytest.fixture
def model(model_config: ModelConfig) -> Transformer:
    """A model that knows nothing yet, a new one for each test."""
    return fmkit.Transformer(model_config)


@pytest.fixture(scope="session")
def trained_model(model_config: ModelConfig, tokenizer: Tokenizer, stories: DatasetDict) -> Transformer:
    """A model that has begun to write like the stories; made once, so not to be changed."""
    model = fmkit.Transformer(model_config)
    config = fmkit.TrainConfig(steps=60, batch_size=8, learning_rate=1e-2, eval_every=60, device="cpu")
    fmkit.pretrain(model, tokenizer, stories, config)
    return model.eval()


@pytest.fixture(scope="session")
def reviews() -> DatasetDict:
    """80 short texts with the labels 0 and 1, which depend on one word: bad or good."""
    from datasets import Dataset, DatasetDict

    things = ("fox", "hen", "boat", "hat", "red kite")
    texts = [f"The {thing} was {word} that day." for thing in things for word in ("good", "bad")]
    rows = {"text": texts * 8, "label": [1, 0] * 40}
    return DatasetDict({"train": Dataset.from_dict(rows), "validation": Dataset.from_dict(rows)})


@pytest.fixture(scope="session")
def trained_classifier(trained_model: Transformer, tokenizer: Tokenizer, reviews: DatasetDict) -> Classifier:
    """A classifier that is right about all of `reviews`; made once, so not to be changed."""
    classifier = fmkit.Classifier.from_base(trained_model, ("negative", "positive"))
    config = fmkit.TrainConfig(steps=60, batch_size=8, learning_rate=3e-3, device="cpu")
    fmkit.finetune(classifier, tokenizer, reviews, config)
    return classifier.eval()
