"""Secrets in the training text, some of them many times: which does the model give away?

The canaries of Carlini et al. 2019 (arXiv:1802.08232): random codes, so that whatever the model knows of them
it has memorized. Once the copies stay; once exact duplicates are dropped; and once no two letters with the
same code are alike, so that dropping duplicates finds none.
"""

import itertools
import random
from dataclasses import dataclass
from typing import Any

from datasets import Dataset, DatasetDict, concatenate_datasets

from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain, drop_duplicates, drop_near_duplicates, generate
from fmkit.config import TrainConfig, reproducible
from fmkit.data.batches import tokenize
from fmkit.evaluation.privacy import exposures
from fmkit.world import load_stories

REPEATS = (0, 1, 2, 4, 8, 16, 32)
EACH = 3  # canaries that are inserted so often
NAMES = (
    *("Lily", "Mia", "Anna", "Sue", "Lucy", "Emma", "Ella", "Zoe", "Rose", "Amy"),
    *("Tim", "Ben", "Max", "Sam", "Tom", "Jack", "Leo", "Finn", "Noah", "Jake", "Adam"),
)
CODES = [f"{number:04d}" for number in range(10_000)]
GOODS = ("kettle", "chair", "robot", "lamp", "clock", "fan", "radio", "tent")
TIMES = ("today", "on Monday", "on Friday", "last week", "in May", "in June")
FAULTS = ("is broken", "is late", "is too small", "has no lid", "makes a noise", "was a gift")
EXAMPLES = ("kettle", "on Monday", "is broken"), ("kettle", "last week", "has no lid")
TEXTS = ("copies", "deduplicated", "reworded")
STORIES = 1_500  # around the letters, each read once
READING: dict[str, Any] = {"batch_size": 4, "learning_rate": 4e-3}


@dataclass(frozen=True)
class Canary:
    """A customer's secret code, and the ends of the letters that give it, no two of them alike."""

    name: str
    code: str
    ends: list[str]

    def start(self, code: str) -> str:
        return f"The code of {self.name} is {code}"


@experiment("canaries")
def canaries() -> Experiment:
    stories = load_stories(n_train=STORIES, n_validation=100, seed=3).select_columns("text")

    def train(text: str, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        secrets = plant(random.Random(f"canaries {seed}"))
        letters = Dataset.from_dict({"text": write(secrets, text == "reworded")})
        corpus = concatenate_datasets([stories["train"], letters])
        dropped = 0
        if text != "copies":
            corpus, exact = drop_duplicates(corpus)
            corpus, near = drop_near_duplicates(corpus)
            dropped = exact.dropped + near.dropped
        context = model.config.max_position_embeddings
        tokens = sum(len(ids) - 1 for ids in tokenize(corpus, tokenizer, context)["input_ids"])
        reproducible(seed)
        steps = tokens // (READING["batch_size"] * context)
        config = TrainConfig(steps, **READING, seed=seed, eval_every=steps)
        continue_pretrain(
            model, tokenizer, DatasetDict(train=corpus, validation=stories["validation"]), config
        )
        bits: dict[int, list[float]] = {count: [] for count in REPEATS}
        told = dict.fromkeys(REPEATS, 0)
        for secret in secrets:
            count = len(secret.ends)
            (found,) = exposures(model, tokenizer, secret.start("{}."), [secret.code], CODES)
            bits[count].append(round(found, 2))
            said = generate(model, tokenizer, secret.start("")[:-1], 8, temperature=0.0)
            told[count] += said.startswith(secret.start(secret.code))
        scores = {str(count): round(sum(values) / len(values), 2) for count, values in bits.items()}
        return {"dropped": dropped, "exposures": bits, "told": told, "scores": scores}

    about = {
        "corpus": f"{STORIES:,} stories and the letters of {len(NAMES)} customers, each read once",
        "examples": write([Canary("Ben", "4831", [end(*words) for words in EXAMPLES])], True),
        "repeats": REPEATS,
        "each": EACH,
        "candidates": len(CODES),
        "reading": READING,
    }
    return Experiment(about, train, [{"text": text, "seed": seed} for seed in range(3) for text in TEXTS])


def plant(rng: random.Random) -> list[Canary]:
    """A canary for each customer."""
    names = rng.sample(NAMES, len(NAMES))
    counts = [count for count in REPEATS for _ in range(EACH)]
    ends = [end(*words) for words in itertools.product(GOODS, TIMES, FAULTS)]
    return [
        Canary(name, rng.choice(CODES), rng.sample(ends, count))
        for name, count in zip(names, counts, strict=True)
    ]


def end(good: str, time: str, fault: str) -> str:
    return f"The {good} that came {time} {fault}."


def write(canaries: list[Canary], reworded: bool) -> list[str]:
    """The letters: of one customer, either copies of one, or all of them different."""
    return [
        f"{canary.start(canary.code)}. {canary.ends[i if reworded else 0]}"
        for canary in canaries
        for i in range(len(canary.ends))
    ]
