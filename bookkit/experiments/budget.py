"""One budget of computing, spent well and badly: which decision of a plan is worth how much?

A model that is to know medical notes is made from a crawl, always for the same FLOPs. The good plan reads
clean pages that are like a few notes, with tokens of the crawl, by a model of a fitting size. Each other plan
changes one decision, or two. All are measured in bits per byte on the same held-out notes, because these can
be compared between tokenizers (Gao et al. 2020, arXiv:2101.00027, section 3.1).
"""

import math
from functools import cache, partial
from typing import Any

from datasets import Dataset, DatasetDict

from bookkit.experiments.recording import Experiment, experiment
from fmkit import pretrain, train_tokenizer
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.evaluation.likelihood import bits_per_byte
from fmkit.flops import flops_per_token, num_parameters
from fmkit.model import Transformer
from fmkit.selection import FILTERS, drop_near_duplicates, dsir_select, filter_corpus, filters
from fmkit.world import MEDICAL, WEB, load_stories

BUDGET, BATCH, CONTEXT, VOCABULARY = 1e11, 4, 128, 512
POOL, CHOSEN, SAMPLE = 24_000, 1_000, 50  # pages of the crawl, pages to read, notes that show what is wanted
FOR_SHORT = tuple(
    partial(filters.length, min_words=15) if each is filters.length else each for each in FILTERS
)
GOOD: dict[str, Any] = {"pages": "chosen", "read": CHOSEN, "tokens": "crawl", "shape": (32, 1), "rate": 0.5}
LARGE = (96, 4)  # width and layers
PLANS: dict[str, dict[str, Any]] = {
    "the good plan": {},
    "raw pages, too large": {"pages": "raw", "shape": LARGE},
    "clean pages, too large": {"pages": "clean", "shape": LARGE},
    "too large": {"shape": LARGE},
    "too small": {"shape": (16, 1)},
    "raw pages": {"pages": "raw"},
    "clean pages": {"pages": "clean"},
    "few pages": {"read": 50},
    "tokens of stories": {"tokens": "stories"},
    "a tenth of the rate": {"rate": 0.05},
    "ten times the rate": {"rate": 5.0},
}


@experiment("plans")
def plans() -> Experiment:
    def train(plan: str, seed: int) -> dict[str, Any]:
        how = GOOD | PLANS[plan]
        notes = load_notes(seed)
        pages = load_pages(how["pages"], seed).select_columns("text")
        if how["pages"] == "chosen":
            pages = pages.select(range(how["read"]))
        tokenizer = train_tokenizer(
            load_stories()["train"] if how["tokens"] == "stories" else load_pages("clean", seed), VOCABULARY
        )
        width, layers = how["shape"]
        reproducible(seed)
        size = ModelConfig(
            VOCABULARY, hidden_size=width, num_hidden_layers=layers, max_position_embeddings=CONTEXT
        )
        model = Transformer(size)
        steps = round(BUDGET / flops_per_token(size, CONTEXT) / BATCH / CONTEXT)
        config = TrainConfig(
            steps, BATCH, learning_rate=how["rate"] / width, context_length=CONTEXT, seed=seed
        )
        corpus = DatasetDict(train=pages, validation=notes["validation"])
        run = pretrain(model, tokenizer, corpus, config)
        bits = bits_per_byte(model, tokenizer, list(notes["validation"]["text"]))
        return {
            "parameters": num_parameters(size),
            "tokens": run.history[-1]["tokens"],
            "scores": {"bits_per_byte": round(bits, 3)},
        }

    about = {
        "budget": BUDGET,
        "good plan": GOOD,
        "plans": PLANS,
        "least_bits_per_byte": [round(floor(seed), 3) for seed in range(3)],
    }
    return Experiment(about, train, [{"plan": plan, "seed": seed} for seed in range(3) for plan in PLANS])


@cache
def load_notes(seed: int) -> DatasetDict:
    """The notes that show what is wanted, and held-out ones."""
    return MEDICAL.load(n_train=SAMPLE, n_validation=200, seed=1_000 + seed)


@cache
def load_pages(which: str, seed: int) -> Dataset:
    """The crawl as it is, cleaned, or the pages of the clean crawl that are most like the notes."""
    if which == "raw":
        return WEB.load(POOL, 1, seed)["train"]
    if which == "clean":
        kept, _ = filter_corpus(load_pages("raw", seed), FOR_SHORT)
        return drop_near_duplicates(kept, 0.5)[0]
    return dsir_select(load_pages("clean", seed), load_notes(seed)["train"], CHOSEN, seed)


def floor(seed: int) -> float:
    """The entropy of the held-out notes in bits per byte, as the world knows it."""
    notes = load_notes(seed)["validation"]
    return -sum(notes["log_prob"]) / math.log(2) / sum(len(text.encode()) for text in notes["text"])
