"""What a tokenizer costs in a domain that it was not trained for, in tokens per word.

The question of Petrov et al. 2023 (arXiv:2305.15425), which asks it of languages: the same text takes up to
15 times as many tokens in one as in another, and so more money, time and context.
"""

from collections.abc import Iterator
from functools import cache

from datasets import DatasetDict

from bookkit.experiments.recording import Experiment, experiment
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import train_tokenizer
from fmkit.world import FINANCE, LEGAL, MEDICAL, load_stories

VOCABULARY = 1024
CHARACTERS = 1_000_000  # of a domain, to train on
HELD_OUT = 500  # texts of each domain to measure with
FIELDS = ("stories", "medical", "legal", "finance", "python-docs")


@experiment("fertility")
def fertility() -> Experiment:
    """A tokenizer for each domain, and one for all of them in equal parts, in three worlds."""

    def measure(trained_on: str, seed: int) -> dict[str, dict[str, float]]:
        sources = FIELDS if trained_on == "all" else (trained_on,)
        texts = [text for field in sources for text in beginning(field, seed, CHARACTERS // len(sources))]
        tokenizer = train_tokenizer(texts, VOCABULARY)
        scores = {}
        for field in FIELDS:
            held_out = load_field(field, seed)["validation"]["text"][:HELD_OUT]
            encodings = tokenizer.encode_batch_fast(held_out, add_special_tokens=False)
            words = sum(len(text.split()) for text in held_out)
            scores[field] = round(sum(len(encoding) for encoding in encodings) / words, 3)
        return {"scores": scores}

    arms = [{"trained_on": field, "seed": seed} for seed in range(3) for field in (*FIELDS, "all")]
    about = {"vocabulary": VOCABULARY, "characters": CHARACTERS, "held_out_texts": HELD_OUT}
    return Experiment(about, measure, arms)


@cache
def load_field(field: str, seed: int) -> DatasetDict:
    """The domain in the world `seed`; of Python, which has no other worlds, other texts."""
    if field == "python-docs":
        return load_corpus(field).shuffle(seed)
    if field == "stories":
        return load_stories(seed=seed, world=seed)
    domain = {"medical": MEDICAL, "legal": LEGAL, "finance": FINANCE}[field]
    return domain.load(4_000, HELD_OUT, seed, world=seed)


def beginning(field: str, seed: int, characters: int) -> Iterator[str]:
    """The first texts of a domain, until they have so many characters."""
    for text in load_field(field, seed)["train"]["text"]:
        if characters <= 0:
            return
        characters -= len(text)
        yield text
