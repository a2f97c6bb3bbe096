"""What a model writes in two fields after reading on with each share of replay: a loss made visible.

The runs are those of `forgetting` with seed 0. Each model continues one beginning in each field, always with
the likeliest token; the world says at which word the text stops being true.
"""

from typing import Any, cast

from tokenizers import Tokenizer

from bookkit.experiments.forgetting import SHARES, TRAINING
from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.generation import generate
from fmkit.model import Transformer
from fmkit.world import MEDICAL, STORIES, Grammar, MarkedText

BEGINNINGS = {"stories": "Once upon a time, there was a kind girl named", "medical": "Follow-up:"}
LONGEST = 110  # tokens


@experiment("replay-texts")
def replay_texts() -> Experiment:
    stories, notes = load_corpus("stories"), MEDICAL.load(4_000, 400)

    def train(replay_share: float | None, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        reproducible(seed)
        if replay_share is not None:
            config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
            continue_pretrain(model, tokenizer, notes, config, replay=stories, replay_share=replay_share)
        texts = {field: write(model, tokenizer, field) for field in BEGINNINGS}
        return {
            "texts": texts,
            "scores": {f"true words, {field}": len(text["true"].split()) for field, text in texts.items()},
        }

    arms = [{"replay_share": share, "seed": 0} for share in (None, *SHARES)]
    return Experiment({"training": TRAINING, "beginnings": BEGINNINGS}, train, arms)


def write(model: Transformer, tokenizer: Tokenizer, field: str) -> dict[str, Any]:
    """The text that a model continues the field's beginning with, up to its first false word, that word, and
    what was expected there."""
    text = generate(model, tokenizer, BEGINNINGS[field], LONGEST, temperature=0)
    marked = MarkedText(text, cast(Grammar, {"stories": STORIES, "medical": MEDICAL}[field].make(0)))
    start, end = marked.wrong or (len(text), len(text))
    return {
        "true": text[:start],
        "wrong": text[start:end],
        "rest": text[end:],
        "expected": [word.strip() for word in marked.expected[:3]] if start < len(text) else [],
    }
