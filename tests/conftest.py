"""What many tests share. What is made once (scope "session") is not changed: copy a model to train it."""

import pytest
from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from fmkit import (
    Classifier,
    ModelConfig,
    TrainConfig,
    Transformer,
    finetune,
    pretrain,
    train_tokenizer,
)
from fmkit.world.stories import load_stories


@pytest.fixture(scope="session")
def stories() -> DatasetDict:
    """600 stories to train on and 60 for validation."""
    return load_stories(600, 60)


@pytest.fixture(scope="session")
def tokenizer(stories: DatasetDict) -> Tokenizer:
    return train_tokenizer(stories["train"], 400)


@pytest.fixture(scope="session")
def model_config(tokenizer: Tokenizer) -> ModelConfig:
    return ModelConfig(
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
    return Transformer(model_config)


@pytest.fixture(scope="session")
def trained_model(model_config: ModelConfig, tokenizer: Tokenizer, stories: DatasetDict) -> Transformer:
    """A model that has begun to write like the stories; made once, so not to be changed."""
    model = Transformer(model_config)
    config = TrainConfig(steps=60, batch_size=8, learning_rate=1e-2, eval_every=60, device="cpu")
    pretrain(model, tokenizer, stories, config)
    return model.eval()


@pytest.fixture(scope="session")
def reviews() -> DatasetDict:
    """80 short texts with the labels 0 and 1, which depend on one word: bad or good."""
    things = ("fox", "hen", "boat", "hat", "red kite")
    texts = [f"The {thing} was {word} that day." for thing in things for word in ("good", "bad")]
    rows = {"text": texts * 8, "label": [1, 0] * 40}
    return DatasetDict({"train": Dataset.from_dict(rows), "validation": Dataset.from_dict(rows)})


@pytest.fixture(scope="session")
def trained_classifier(trained_model: Transformer, tokenizer: Tokenizer, reviews: DatasetDict) -> Classifier:
    """A classifier that is right about all of `reviews`; made once, so not to be changed."""
    classifier = Classifier.from_base(trained_model, ("negative", "positive"))
    config = TrainConfig(steps=60, batch_size=8, learning_rate=3e-3, device="cpu")
    finetune(classifier, tokenizer, reviews, config)
    return classifier.eval()
