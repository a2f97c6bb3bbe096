"""What does a selection for one field cost the others?

The story model reads 800 pages of a crawl that was filtered and rid of copies: drawn at random, chosen by
similarity to medical notes (DSIR), or half and half. Then its loss is measured in each of the five fields of
the crawl, and how varied the pages are. Without any reading it is the base model.
"""

import math
from functools import cache
from itertools import pairwise
from typing import Any

from datasets import Dataset, DatasetDict, concatenate_datasets

from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.selection import CHOSEN, FIELDS, POOL, TRAINING, crawl, load_target
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.evaluation.likelihood import perplexity
from fmkit.selection import dsir_select
from fmkit.selection.dsir import find_words
from fmkit.world import STORIES

METHODS = ("nothing", "random", "half and half", "dsir")
HELD_OUT = {**FIELDS, "stories": STORIES.load}
WORDS = 20_000  # in which different pairs are counted: of all selections the same number


@experiment("narrow")
def narrow() -> Experiment:
    def train(method: str, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        scores: dict[str, float] = {}
        if method != "nothing":
            pages = select(method, seed)
            scores["different_pairs"] = different_pairs(pages["text"])
            reproducible(seed)
            validation = load_target("medical", seed)["validation"]
            corpus = DatasetDict(train=pages.select_columns("text"), validation=validation)
            config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
            continue_pretrain(model, tokenizer, corpus, config)
        for field in HELD_OUT:
            scores[field] = math.log(perplexity(model, tokenizer, held_out(field, seed)))
        return {"scores": {name: round(value, 3) for name, value in scores.items()}}

    arms = [{"method": method, "seed": seed} for seed in range(3) for method in METHODS]
    about = {"pool": POOL, "chosen": CHOSEN, "words": WORDS, "training": TRAINING}
    return Experiment(about, train, arms)


@cache
def held_out(field: str, seed: int) -> Dataset:
    return HELD_OUT[field](n_train=1, n_validation=100, seed=2_000 + seed)["validation"]


def select(method: str, seed: int) -> Dataset:
    """As many clean pages as there are to read; the halves of a mixture may share a page."""
    pages, target = crawl(seed, clean=True), load_target("medical", seed)["train"]
    likely = {"random": 0, "half and half": CHOSEN // 2, "dsir": CHOSEN}[method]
    parts = [pages.shuffle(seed).select(range(CHOSEN - likely))]
    if likely:
        parts.append(dsir_select(pages, target, likely, seed))
    return concatenate_datasets(parts).shuffle(seed)


def different_pairs(texts: list[str]) -> int:
    """The different pairs of neighboring words among the first `WORDS` of the texts."""
    words = [word for text in texts for word in find_words(text.lower())][:WORDS]
    return len(set(pairwise(words)))
