"""Models of the toy tasks (see tasks.py); those made once must not be changed: copy them to train."""

import pytest
from tasks import PREFERENCES, SALES, all_texts, config, shape, splits
from tokenizers import Tokenizer

from fmkit import Transformer, pretrain, train_tokenizer


@pytest.fixture(scope="session")
def toy_tokenizer() -> Tokenizer:
    return train_tokenizer(all_texts(), 320)


@pytest.fixture
def toy_model(toy_tokenizer: Tokenizer) -> Transformer:
    """A model that knows nothing yet, a new one for each test."""
    return Transformer(shape(toy_tokenizer))


@pytest.fixture(scope="session")
def seller(toy_tokenizer: Tokenizer) -> Transformer:
    """A model that has learned to sell."""
    model = Transformer(shape(toy_tokenizer))
    pretrain(model, toy_tokenizer, SALES, config(120))
    return model


@pytest.fixture(scope="session")
def teller(toy_tokenizer: Tokenizer) -> Transformer:
    """A model that says " good." and " bad." of things, each half of the time."""
    sides = ("chosen", "rejected")
    told = [{"text": row["prompt"] + row[side]} for row in PREFERENCES["train"] for side in sides]
    model = Transformer(shape(toy_tokenizer))
    pretrain(model, toy_tokenizer, splits(told), config(150))
    return model
