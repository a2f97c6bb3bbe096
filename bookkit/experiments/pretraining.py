"""The run of the chapter on pre-training with three seeds, and a longer one: which stories it writes when."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.bases import SETTINGS, SIZE, STEPS
from bookkit.experiments.course import curve, follow
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import TrainConfig, reproducible
from fmkit.data.batches import make_loader, validation_batches
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import BOS, EOS, special_id, train_tokenizer
from fmkit.generation import generate_ids
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.trainer import Record, Trainer
from fmkit.world import Verdict, World, floor, validity

LONG = 13_000
STORIES = 200  # written at each look
WORD = re.compile(r"[\w'-]+")
PRONOUNS = {"he", "she", "him", "her", "his", "hers"}
NUMBERS = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}


@experiment("pretraining")
def pretraining() -> Experiment:
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], SIZE.vocab_size)
    words = {word for text in corpus["train"]["text"] for word in WORD.findall(text)}

    def train(seed: int, steps: int) -> dict[str, Any]:
        reproducible(seed)
        model = Transformer(SIZE, seed=seed)
        config = TrainConfig(**SETTINGS, steps=steps, seed=seed)
        loader = make_loader(corpus["train"], tokenizer, config.batch_size, 256, seed)
        held_out = validation_batches(corpus["validation"], tokenizer, 8, 256, limit=16)
        trainer = Trainer(model, language_modeling, loader, config)

        def look() -> Record:
            loss = round(trainer.evaluate(held_out), 3)
            told = tell_stories(model, tokenizer, STORIES)
            return {"snapshot": {"tokens": trainer.tokens, "loss": loss, **judge(told, words)}}

        history = list(follow(trainer, look, looks(steps)))
        snapshots = [record["snapshot"] for record in history if "snapshot" in record]
        return {**curve(history), "validation_loss": snapshots[-1]["loss"], "snapshots": snapshots}

    known = round(floor(World(), tokenizer, n=5000).nats_per_token, 4)
    about = {"model": asdict(SIZE), "training": SETTINGS, "corpus": "stories", "floor": known}
    arms = [(0, STEPS), (1, STEPS), (2, STEPS), (0, LONG)]
    return Experiment(about, train, [{"seed": seed, "steps": steps} for seed, steps in arms])


def looks(steps: int) -> set[int]:
    """The steps after which the model is asked for stories: twice as many each time, and the last."""
    return {50 * 2**k for k in range(20) if 50 * 2**k < 0.8 * steps} | {steps}


def tell_stories(model: Transformer, tokenizer: Tokenizer, count: int) -> list[str]:
    """Stories of the model's own, sampled at temperature 1 from nothing."""
    start, end = special_id(tokenizer, BOS), special_id(tokenizer, EOS)
    rows = generate_ids(model, [[start]] * count, 200, seed=0, eos_id=end)
    return [tokenizer.decode(row) for row in rows]


def judge(stories: list[str], words: set[str]) -> dict[str, Any]:
    """Shares: of words that the corpus has, of a story before its first mistake, of stories wholly true; and
    how many stories broke at each kind of word."""
    used = [word for story in stories for word in WORD.findall(story)]
    verdicts = validity(stories).verdicts
    passes = [
        1.0 if v.valid else (v.broke_at or 0) / max(1, len(s)) for v, s in zip(verdicts, stories, strict=True)
    ]
    breaks = Counter(kind(verdict) for verdict in verdicts if not verdict.valid)
    return {
        "words": round(sum(word in words for word in used) / max(1, len(used)), 3),
        "passes": round(sum(passes) / len(passes), 3),
        "true": round(sum(verdict.valid for verdict in verdicts) / len(verdicts), 3),
        "breaks": dict(sorted(breaks.items())),
    }


def kind(verdict: Verdict) -> str:
    """What a story should have gone on with where it broke, by the first of the words that were possible."""
    expected = words_of(verdict.expected)
    if not expected:
        return "end"
    if all(word.lower() in PRONOUNS for word in expected):
        return "pronoun"
    if all(word.lower() in NUMBERS for word in expected):
        return "number"
    return "one word" if len(expected) == 1 else "choice"


def words_of(expected: Iterable[str]) -> list[str]:
    """The first word of each continuation."""
    found = [WORD.search(text) for text in expected]
    return [match.group() for match in found if match]
