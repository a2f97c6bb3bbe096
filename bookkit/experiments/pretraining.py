"""The run of the chapter on pre-training over three seeds, and a longer one: what the model can tell when."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.recording import Experiment, thin
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.batches import make_loader, validation_batches
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import BOS, EOS, special_id, train_tokenizer
from fmkit.generation import generate_ids
from fmkit.model import Transformer
from fmkit.objectives import predict_tokens
from fmkit.trainer import Record, Trainer
from fmkit.world.stories import Verdict, World, floor, validity

SETTINGS: dict[str, Any] = {
    "batch_size": 4,
    "learning_rate": 8e-3,
    "adam_beta2": 0.98,
    "min_lr_ratio": 0.0,
}
STEPS, LONG = 2_600, 13_000
STORIES = 200  # told at each look
WORD = re.compile(r"[\w'-]+")
PRONOUNS = {"he", "she", "him", "her", "his", "hers"}
NUMBERS = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}


def pretraining() -> Experiment:
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], vocab_size=1024)
    size = ModelConfig(vocab_size=1024, hidden_size=64, num_hidden_layers=3)
    words = {word for text in corpus["train"]["text"] for word in WORD.findall(text)}

    def train(seed: int, steps: int) -> dict[str, Any]:
        reproducible(seed)
        model = Transformer(size, seed=seed)
        config = TrainConfig(**SETTINGS, steps=steps, seed=seed)
        loader = make_loader(corpus["train"], tokenizer, config.batch_size, 256, seed)
        held_out = validation_batches(corpus["validation"], tokenizer, 8, 256, limit=16)
        trainer = Trainer(model, predict_tokens, loader, config)
        history: list[Record] = []
        snapshots: list[dict[str, Any]] = []
        for step_record in trainer.run():
            history.append(step_record)
            if trainer.step in looks(steps):
                loss = round(trainer.evaluate(held_out), 3)
                told = tell_stories(model, tokenizer, STORIES)
                snapshots.append({"tokens": trainer.tokens, "loss": loss, **judge(told, words)})
        return {**thin(history), "validation_loss": snapshots[-1]["loss"], "snapshots": snapshots}

    known = round(floor(World(), tokenizer, n=5000).nats_per_token, 4)
    about = {"model": asdict(size), "training": SETTINGS, "corpus": "stories", "floor": known}
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
