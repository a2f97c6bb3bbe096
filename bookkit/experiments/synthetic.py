"""Texts written by a model, as the only reading of the next one: what becomes of rare words.

The question of Shumailov et al. 2024 (doi:10.1038/s41586-024-07566-y): models that learn from the texts of
models lose what was rare in the real ones, more with each generation.
"""

import re
from collections import Counter
from itertools import pairwise
from typing import Any

from datasets import Dataset, DatasetDict, concatenate_datasets

from bookkit.experiments.distillation import STUDENT
from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.story_judge import StoryJudge
from fmkit import pretrain, write_corpus
from fmkit.config import TrainConfig, reproducible
from fmkit.data.batches import validation_batches
from fmkit.data.corpora import load_corpus
from fmkit.evaluation.likelihood import total_nats
from fmkit.model import Transformer

TEXTS = 1_000  # that each model writes, and that each student reads
CHECKED = 200  # of them, by the story world
STUDENTS = 3  # one after the other; the first reads texts of the teacher
BANDS = (0.0, 0.005, 0.01, 0.02, 0.05, 1.0)  # of the share of real stories that have a word
TRAINING: dict[str, Any] = {
    "steps": 600,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "adam_beta2": 0.98,
    "min_lr_ratio": 0.0,
}
WAYS = (  # the temperature of writing, and which share of a student's reading is real stories
    (1.0, 0.0),
    (0.7, 0.0),
    (1.0, 0.5),
    (1.0, 1.0),  # no model's texts at all: one student is enough
)


@experiment("synthetic")
def synthetic() -> Experiment:
    corpus = load_corpus("stories")
    judge = StoryJudge(corpus["train"]["text"])
    bands = by_rarity(corpus["train"]["text"])

    def look(texts: list[str]) -> dict[str, Any]:
        used = {word for text in texts for word in words(text)}
        kept = [len(band & used) for band in bands]
        return {"kept": kept, "passes": judge.judge(texts[:CHECKED])["passes"]}

    def train(temperature: float, real: float, seed: int) -> dict[str, Any]:
        teacher, tokenizer = committed("teacher")
        held_out = validation_batches(corpus["validation"], tokenizer, 8, 256, limit=128)
        stories = corpus["train"].shuffle(seed=seed).take(round(real * TEXTS)).select_columns("text")
        config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])

        def write(model: Transformer, number: int) -> tuple[Dataset, dict[str, Any]]:
            nats, tokens = total_nats(model, held_out)
            texts = write_corpus(model, tokenizer, TEXTS, temperature=temperature, seed=10 * seed + number)
            return texts, {"loss": round(nats / tokens, 3), **look(list(texts["text"]))}

        written, found = write(teacher, 0)
        models = [found]
        for number in range(1, 2 if real == 1 else STUDENTS + 1):
            reading = concatenate_datasets([stories, written.take(TEXTS - len(stories))])
            reproducible(seed)
            student = Transformer(STUDENT, seed=seed)
            pretrain(student, tokenizer, DatasetDict(train=reading, validation=corpus["validation"]), config)
            written, found = write(student, number)
            models.append(found)
        return {"models": models, "scores": {"loss": found["loss"], "rare": sum(found["kept"][:2])}}

    about = {
        "student": vars(STUDENT),
        "training": TRAINING,
        "texts": TEXTS,
        "bands": BANDS,
        "words": [len(band) for band in bands],
        "real": look(corpus["train"].take(TEXTS)["text"]),
    }
    arms = [{"temperature": t, "real": real, "seed": seed} for seed in range(3) for t, real in WAYS]
    return Experiment(about, train, arms)


def words(text: str) -> list[str]:
    """The words of a text, without case; a hyphen and an apostrophe part them."""
    return re.findall(r"[a-z]+", text.lower())


def by_rarity(texts: list[str]) -> list[set[str]]:
    """The words of some texts, in sets by the share of the texts that have them: see `BANDS`."""
    found = Counter(word for text in texts for word in set(words(text)))
    shares = {word: count / len(texts) for word, count in found.items()}
    return [{word for word, share in shares.items() if low < share <= high} for low, high in pairwise(BANDS)]
