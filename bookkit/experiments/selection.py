"""Which pages of a crawl should a model read to become good at one domain?

Drawn at random, after quality filters, by similarity to a few texts of the domain (DSIR), by both, or by an
oracle that knows the source of each page. The question of Xie et al. 2023 (arXiv:2302.03169): the closer the
n-grams of a selection are to those of the target (section 4, *KL reduction*), the better the model.
"""

from functools import cache, partial
from typing import Any

from datasets import Dataset, DatasetDict

from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.selection import (
    FILTERS,
    drop_near_duplicates,
    dsir_select,
    filter_corpus,
    filters,
    ngram_divergence,
)
from fmkit.world import FINANCE, LEGAL, MEDICAL, WEB, load_reviews

POOL, CHOSEN, TARGET = 24_000, 800, 300  # pages of the crawl, pages to read, texts of the target
THRESHOLD = 0.5  # of near-duplicates: on short pages a few changed words touch many shingles
TRAINING: dict[str, Any] = {"steps": 150, "batch_size": 4, "learning_rate": 4e-3}
METHODS = ("random", "filters", "dsir", "filters, dsir", "oracle")
FIELDS = {"medical": MEDICAL.load, "legal": LEGAL.load, "finance": FINANCE.load, "reviews": load_reviews}
FILTERS_FOR_SHORT = tuple(
    partial(filters.length, min_words=15) if each is filters.length else each for each in FILTERS
)


@experiment("selection")
def selection() -> Experiment:
    def train(field: str, method: str, seed: int) -> dict[str, Any]:
        target = load_target(field, seed)
        pages = select(method, field, target["train"], seed)
        model, tokenizer = base(seed)
        reproducible(seed)
        corpus = DatasetDict(train=pages.select_columns("text"), validation=target["validation"])
        config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"], eval_rows=200)
        loss = continue_pretrain(model, tokenizer, corpus, config).history[-1]["validation_loss"]
        scores = {
            "loss": loss,
            "divergence": ngram_divergence(pages["text"], target["train"]["text"]),
            "right_source": sum(source == field for source in pages["source"]) / len(pages),
            "copies": sum(original >= 0 for original in pages["duplicate_of"]) / len(pages),
        }
        return {"scores": {name: round(value, 3) for name, value in scores.items()}}

    arms = [
        {"field": field, "method": method, "seed": seed}
        for seed in range(3)
        for field in FIELDS
        for method in METHODS
    ]
    about = {"pool": POOL, "chosen": CHOSEN, "target": TARGET, "threshold": THRESHOLD, "training": TRAINING}
    return Experiment(about, train, arms)


@cache
def load_target(field: str, seed: int) -> DatasetDict:
    """Texts of the domain that the crawl does not have: those of the target, and held-out ones."""
    return FIELDS[field](n_train=TARGET, n_validation=200, seed=1_000 + seed).select_columns("text")


@cache
def crawl(seed: int, clean: bool) -> Dataset:
    """The pages to choose from; `clean` without those that fail a filter or repeat an earlier one."""
    if not clean:
        return WEB.load(POOL, 1, seed)["train"]
    kept, _ = filter_corpus(crawl(seed, clean=False), FILTERS_FOR_SHORT)
    return drop_near_duplicates(kept, THRESHOLD)[0]


def select(method: str, field: str, target: Dataset, seed: int) -> Dataset:
    """As many pages as there are to read, chosen by one of the `METHODS`."""
    pages = crawl(seed, clean=method.startswith("filters"))
    if method.endswith("dsir"):
        return dsir_select(pages, target, CHOSEN, seed)
    if method == "oracle":
        columns = zip(pages["source"], pages["kind"], strict=True)
        pages = pages.select([i for i, column in enumerate(columns) if column == (field, "prose")])
    return pages.shuffle(seed).select(range(CHOSEN))
