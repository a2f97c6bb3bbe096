"""The loss of one model over its whole life: stories, the shop's dialogs, tickets, and then its student.

After each stretch of a phase, three held-out losses are measured: what is gained in one place is seen beside
what is lost in the others. The dialogs and tickets are those of `support_case`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from datasets import DatasetDict
from tokenizers import Tokenizer

from bookkit.experiments.assistant import prepare_chat
from bookkit.experiments.course import curve, follow
from bookkit.experiments.foundations import SETTINGS, SIZE, STEPS, committed
from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.support_case import (
    LEARNING,
    READING,
    SMALL,
    TUNING,
    answer_questions,
    configured,
    dialogs,
    held_out,
    pairs,
    split,
)
from fmkit.config import ModelConfig, reproducible
from fmkit.data.batches import Batch, validation_batches
from fmkit.data.corpora import load_corpus
from fmkit.data.example_batches import collate_completions, example_batches, tokenize_completions
from fmkit.data.tokenizer import PAD, special_id
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.recipes.prepare import Prepared, prepare_completions, prepare_texts
from fmkit.trainer import Trainer
from fmkit.world import SUPPORT, World, floor

LOOKS = 12  # in each phase
ROWS = 64  # held-out rows of each kind
REPLAY = 0.25


@experiment("lifetime")
def lifetime() -> Experiment:
    tokenizer = committed("base")[1]
    floors = {"stories": floor(World(), tokenizer), "dialogs": floor(SUPPORT.make(0), tokenizer)}
    about = {
        "sizes": {"model": vars(SIZE), "student": SMALL},
        "training": {
            "pre-training": {**SETTINGS, "steps": STEPS},
            "continuous pre-training": READING | {"replay_share": REPLAY},
            "fine-tuning": TUNING,
            "distillation": LEARNING,
        },
        "floors": {name: round(each.nats_per_token, 3) for name, each in floors.items()} | {"tickets": 0.0},
    }
    return Experiment(about, live, [{"seed": 0}])


def live(seed: int) -> dict[str, Any]:
    """All phases in turn: each its losses, and the CPU seconds of the training with its measurements."""
    reproducible(seed)
    model, tokenizer = Transformer(SIZE, seed=seed), committed("base")[1]
    tokenizer = prepare_chat(model, tokenizer)
    stories, shop, tickets = load_corpus("stories"), dialogs(), split(pairs(), held_out())
    kept = held_out_batches(tokenizer, stories, shop, tickets)

    def go_on(
        model: Transformer,
        settings: dict[str, Any],
        prepare: Callable[..., Prepared],
        data: DatasetDict,
        *replay: Any,
    ) -> dict[str, Any]:
        config = configured(settings, seed)
        loader = prepare(model, tokenizer, data, config, *replay).loader
        return phase(Trainer(model, language_modeling, loader, config), kept)

    life = {"pre-training": go_on(model, {**SETTINGS, "steps": STEPS}, prepare_texts, stories)}
    life["continuous pre-training"] = go_on(model, READING, prepare_texts, shop, stories, REPLAY)
    life["fine-tuning"] = go_on(model, TUNING, prepare_completions, tickets)
    student = Transformer(ModelConfig(vocab_size=model.config.vocab_size, **SMALL), seed=seed)
    taught = split(answer_questions(model, tokenizer), held_out())
    life["distillation"] = go_on(student, LEARNING, prepare_completions, taught)
    last = {name: each[-1] for name, each in life["fine-tuning"]["held_out"].items()}
    return {"phases": life, "scores": last}


def held_out_batches(
    tokenizer: Tokenizer, stories: DatasetDict, shop: DatasetDict, tickets: DatasetDict
) -> dict[str, list[Batch]]:
    texts = {"stories": stories["validation"], "dialogs": shop["validation"]}
    found = {name: validation_batches(rows, tokenizer, 8, 256, limit=ROWS) for name, rows in texts.items()}
    examples = tokenize_completions(tickets["validation"].take(4 * ROWS), tokenizer, 256)
    collate = partial(collate_completions, pad_id=special_id(tokenizer, PAD))
    return found | {"tickets": example_batches(examples, 16, collate)}


def phase(trainer: Trainer, kept: dict[str, list[Batch]]) -> dict[str, Any]:
    """Train to the end; the curve of the loss, and the held-out losses at the start and `LOOKS` times."""
    steps = trainer.config.steps

    def measure() -> dict[str, float]:
        return {name: round(trainer.evaluate(batches), 3) for name, batches in kept.items()}

    start = measure()
    at = [round(steps * look / LOOKS) for look in range(1, LOOKS + 1)]
    history = list(follow(trainer, measure, at))
    looks = [record for record in history if "stories" in record]
    return {
        **curve(history, 60),
        "looked_at": [0, *(record["tokens"] for record in looks)],
        "held_out": {name: [start[name], *(record[name] for record in looks)] for name in kept},
    }
