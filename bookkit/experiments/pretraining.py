"""The run of the chapter on pre-training with three seeds, and a longer one: what the model writes at its
checkpoints, and what the story world says of it."""

from dataclasses import asdict
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.course import curve, follow
from bookkit.experiments.foundations import SETTINGS, SIZE, STEPS
from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.story_judge import StoryJudge
from fmkit import write_corpus
from fmkit.config import TrainConfig, reproducible
from fmkit.data.batches import make_loader, validation_batches
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import train_tokenizer
from fmkit.generation import generate
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.optim import learning_rate
from fmkit.trainer import Record, Trainer
from fmkit.world import MarkedText, World, floor

LONG = 13_000
# The steps after which the long run is looked at: even on a logarithmic axis, closer at the end, where the
# learning rate falls. At 650 it is at its peak.
LOOKS = (25, 50, 100, 200, 400, 650, 1100, 1800, 3000, 4500, 6000, 7500, 9000, 10_300, 11_500, 12_300)
STORIES = 200  # written at each look
PROMPTS = {  # what comes next → the beginning of a story that is not in the corpus
    "a list": (
        "Once upon a time, there was a clever girl named Lily. One cool morning, Lily went to the corner "
        "shop for her dad. She had to buy grapes, soft rolls, and a yellow kite. On the way, she played "
        'chess with Tom and forgot everything! "Think hard," said Tom. At last, Lily remembered:'
    ),
    "a sum": (
        "Once upon a time, a gentle boy named Jack lived next to the school. One bright day, Jack went to "
        "the fair with five coins. He bought a yellow drum for two coins and had"
    ),
    "a lost toy": (
        "Zoe lived near the station. She had a puppy named Spot. One windy morning, Zoe could not find her "
        "yellow drum. She looked behind the stove and in the shed, but found only a wet sock and a dusty "
        "spoon. Then she heard a soft noise in the attic. It was"
    ),
}


@experiment("pretraining")
def pretraining() -> Experiment:
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], SIZE.vocab_size)
    judge = StoryJudge(corpus["train"]["text"])

    def train(seed: int, steps: int) -> dict[str, Any]:
        reproducible(seed)
        model = Transformer(SIZE, seed=seed)
        config = TrainConfig(**SETTINGS, steps=steps, seed=seed)
        loader = make_loader(corpus["train"], tokenizer, config.batch_size, 256, seed)
        held_out = validation_batches(corpus["validation"], tokenizer, 8, 256, limit=128)
        trainer = Trainer(model, language_modeling, loader, config)

        def look() -> Record:
            snapshot = {
                "step": trainer.step,
                "tokens": trainer.tokens,
                "learning_rate": round(learning_rate(trainer.step, config), 6),
                "loss": round(trainer.evaluate(held_out), 3),
                **judge.judge(tell_stories(model, tokenizer, STORIES)),
                "continued": [complete(model, tokenizer, prompt) for prompt in PROMPTS.values()],
            }
            return {"snapshot": snapshot}

        history = list(follow(trainer, look, LOOKS if steps == LONG else ()))
        snapshots = [record["snapshot"] for record in history if "snapshot" in record]
        return {**curve(history), "validation_loss": snapshots[-1]["loss"], "snapshots": snapshots}

    known = round(floor(World(), tokenizer, n=5000).nats_per_token, 4)
    about = {"model": asdict(SIZE), "training": SETTINGS, "corpus": "stories", "floor": known}
    about["prompts"] = PROMPTS
    arms = [(0, STEPS), (1, STEPS), (2, STEPS), (0, LONG)]
    return Experiment(about, train, [{"seed": seed, "steps": steps} for seed, steps in arms])


def tell_stories(model: Transformer, tokenizer: Tokenizer, count: int) -> list[str]:
    """Stories of the model's own, sampled at temperature 1 from nothing."""
    return list(write_corpus(model, tokenizer, count, max_new_tokens=200)["text"])


def complete(model: Transformer, tokenizer: Tokenizer, prompt: str) -> dict[str, Any]:
    """Complete a story with the likeliest token each time: its text, and where the world finds a mistake.

    `wrong` is the range of characters of the first wrong word, `expected` what could be there.
    """
    marked = MarkedText(generate(model, tokenizer, prompt, 120, temperature=0.0), prompt=prompt)
    return {"text": marked.text, "wrong": marked.wrong, "expected": marked.said if marked.wrong else None}
