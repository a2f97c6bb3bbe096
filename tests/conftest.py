"""What many tests share: a small corpus, its tokenizer, a small model."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from datasets import Dataset, DatasetDict

from fmkit import ModelConfig, Transformer, load_corpus, train_tokenizer


@pytest.fixture(scope="session")
def stories() -> DatasetDict:
    corpus = load_corpus("stories")
    return DatasetDict(
        {"train": corpus["train"].select(range(600)), "validation": corpus["validation"].select(range(60))}
    )


@pytest.fixture(scope="session")
def tokenizer(stories: Dataset):
    return train_tokenizer(stories["train"], 400)


@pytest.fixture
def model(tokenizer) -> Transformer:
    config = ModelConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=96,
    )
    return Transformer(config)
