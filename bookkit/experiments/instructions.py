"""One model learns four tasks at once, each told in words: how soon it follows them, in known words and new.

Wei et al. 2021 (arXiv:2109.01652) tune on many tasks, each put in ten ways, and ask for others. Here are four
tasks, each put in four ways or in one, and asked in two that training does not have.
"""

import math
from functools import partial
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from bookkit.experiments.assistant import as_object, prepare_chat
from bookkit.experiments.course import checks, follow
from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import TrainConfig, reproducible
from fmkit.data.chat import chat_prompt
from fmkit.data.corpora import load_corpus
from fmkit.data.example_batches import ExampleLoader, collate_completions, tokenize_completions
from fmkit.data.tokenizer import EOS, PAD, special_id
from fmkit.evaluation.likelihood import perplexity
from fmkit.evaluation.sampling import complete
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.trainer import Record, Trainer
from fmkit.world import Support, instruct, is_right, load_instructions
from fmkit.world.instructions import SUMMARIES, TASKS

TRAINING: dict[str, Any] = {"steps": 1_000, "batch_size": 16, "learning_rate": 4e-3, "min_lr_ratio": 0.0}
LOOKS = (25, 50, 100, 200, 400, 700)
ASKED, STORIES, LONGEST = 100, 60, 70  # messages; stories whose loss is measured; tokens of an answer
QUESTION = "My toaster broke after four months. Can you help me?"
# What nobody taught it; none of the four tasks is meant.
UNKNOWN = ("Give the price only.", "Answer in French.", "Tell the customer a story.", "Say no.")


@experiment("instructions")
def instructions() -> Experiment:
    return _follow_orders(ways=4)


@experiment("one-wording")
def one_wording() -> Experiment:
    """The same with each task put in one way alone."""
    return _follow_orders(ways=1)


def _follow_orders(ways: int) -> Experiment:
    shop = Support()
    stories = list(load_corpus("stories")["validation"]["text"][:STORIES])

    def train(seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        tokenizer = prepare_chat(model, tokenizer)
        reproducible(seed)
        config = TrainConfig(**TRAINING, seed=seed)
        data = load_instructions(n_validation=ASKED, ways=ways)
        examples = tokenize_completions(data["train"], tokenizer, model.config.max_position_embeddings)
        collate = partial(collate_completions, pad_id=special_id(tokenizer, PAD))
        loader = ExampleLoader(examples, config.batch_size, collate, seed)
        answers: dict[str, list[str]] = {task: [] for task in TASKS}

        def measure() -> Record:
            said = ask(model, tokenizer, [(told[0], QUESTION) for told in TASKS.values()])
            for task, answer in zip(TASKS, said, strict=True):
                answers[task].append(answer)
            nats = math.log(perplexity(model, tokenizer, stories))
            return {**judge(shop, model, tokenizer, data["validation"]), "stories": nats}

        start = {"step": 0, **measure()}
        history = list(follow(Trainer(model, language_modeling, loader, config), measure, LOOKS))
        names = [name for name in start if name not in ("step", "stories")]
        reworded = judge(shop, model, tokenizer, data["reworded"])
        return {
            **checks([start, *history], *names, "stories"),
            "tokens": history[-1]["tokens"],
            "reworded": {name: round(value, 3) for name, value in reworded.items()},
            "answers": answers,
            "unknown": dict(
                zip(UNKNOWN, ask(model, tokenizer, [(told, QUESTION) for told in UNKNOWN]), strict=True)
            ),
        }

    arms = [{"seed": seed} for seed in range(3)]
    about = {
        "corpus": f"support, four tasks in turn, each put in {ways}",
        "question": QUESTION,
        "training": TRAINING,
    }
    return Experiment(about, train, arms)


def ask(model: Transformer, tokenizer: Tokenizer, asked: list[tuple[str, str]]) -> list[str]:
    """The likeliest answers to messages under instructions."""
    prompts = [chat_prompt(instruct(*pair), tokenizer) for pair in asked]
    rows = complete(model, prompts, LONGEST, special_id(tokenizer, EOS), temperature=0)
    return [tokenizer.decode(row) for row in rows]


def judge(shop: Support, model: Transformer, tokenizer: Tokenizer, rows: Dataset) -> Record:
    """For each task, the share of answers that are of the kind that was asked for, and that are right."""
    said = ask(model, tokenizer, list(zip(rows["instruction"], rows["prompt"], strict=True)))
    scores = {}
    for task in TASKS:
        pairs = [(row, answer) for row, answer in zip(rows, said, strict=True) if row["task"] == task]
        scores[f"{task} kind"] = sum(kind(answer) == task for _, answer in pairs) / len(pairs)
        scores[f"{task} right"] = sum(is_right(shop, row, answer) for row, answer in pairs) / len(pairs)
    return scores


def kind(answer: str) -> str:
    """The task that an answer does, well or badly, by its form; a story passes for a letter."""
    if as_object(answer) is not None:
        return "json"
    if answer.startswith("The customer "):
        return "summary"
    if answer in SUMMARIES:
        return "topic"
    return "answer" if answer.endswith((".", "!", "?")) else "other"
