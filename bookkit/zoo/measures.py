"""How the book's models are measured: on held-out data, some of it against a known truth."""

import math
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

from datasets import Dataset

from bookkit.experiments.agents import CONDITIONS, attempt, share
from bookkit.experiments.dpo import compare, end_stories
from bookkit.experiments.masked import KINDS, draw_gaps, judge
from bookkit.experiments.rag import Reader, reading_scores
from bookkit.experiments.refusals import answer, rates
from bookkit.experiments.support_case import held_out as held_out_tickets
from bookkit.experiments.support_case import judge as judge_tickets
from fmkit import write_corpus
from fmkit.data.chat import encode_prompt
from fmkit.data.corpora import load_corpus
from fmkit.data.example_batches import tokenize_completions
from fmkit.data.tokenizer import BOS, EOS, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.answers import answer_examples
from fmkit.evaluation.evaluate import evaluate
from fmkit.evaluation.sampling import complete
from fmkit.model import open_model
from fmkit.world import DOMAINS, validity

TEXTS = 300  # of a validation split, that are read, answered or continued
ENOUGH = 80  # characters of a note before its condition, so that the condition can be guessed

NAMES = {  # as the cards print them
    "loss": "loss, nats per token",
    "floor": "the least that any model could reach on average",
    "above_floor": "loss above it",
    "perplexity": "perplexity",
    "bits_per_byte": "bits per byte",
    "true_stories": "share that is true from beginning to end",
    "possible_notes": "share of notes of its own that are possible in its world",
    "named_conditions": "conditions named rightly, from what a note says before",
    "accuracy": "accuracy",
    "f1": "F1, macro",
    "exact_match": "likeliest answers equal to the one in the data",
    "valid_answers": "likeliest answers that are right",
    "counted_reward": "reward, as a reader who counts words gives it",
    "true_reward": "reward, as it truly is",
    "broken": "share that is no story any more",
    "counted_win_rate": "win rate over the model before, by the reward as counted",
    "win_rate": "win rate over the model before, by true reward",
    "kl": "KL from the model before, nats an answer",
    "reward_accuracy": "pairs ranked as the judge did",
    "truth_accuracy": "pairs ranked by their true rewards",
    "margin": "mean difference of the rewards of a pair",
    "harmful: refused": "harmful requests that are refused",
    "looks harmful: refused": "requests that only look harmful and are refused",
    "harmless: refused": "other harmless requests that are refused",
    "validation_loss": "validation loss of the run",
    "replay_loss": "validation loss on what was learned before",
    "read_one": "questions answered rightly, with the page that tells the answer",
    "read_three": "questions answered rightly, with that page and two like it",
    "not_told": "questions that the page does not answer, and the model says so",
    "by_heart": "questions about 2021 and 2022 answered rightly without a page",
    "after_cutoff": "questions about 2023 and 2024 answered rightly without a page",
    "json": "answers that are a JSON object",
    "intent": "right intents",
    "item": "right items",
    "action": "right actions",
    "right": "answers right in all three fields",
    **{f"right: {kind}": f"gaps filled with the right word, {kind}" for kind in KINDS},
    **{f"completed: {name}": f"cases completed, {name}" for name in CONDITIONS},
    **{f"wrong refunds: {name}": f"cases with a wrong refund, {name}" for name in CONDITIONS},
}
LEARNED = ("as in training", "no call needed")  # conditions of cases that agents have learned from

Result = dict[str, Any]  # measure, on (what data), name, value, and beside: the other model's value
Measure = Callable[[Any, Any], dict[str, float]]  # of a model and the one beside it


def measure_all(names: tuple[str, ...], directory: Path, beside: Path | None) -> list[Result]:
    """The results of some measures, in order; with `beside`, those of the model there as well.

    Raises `FmkitError` for an unknown measure.
    """
    model, other = open_model(directory), open_model(beside) if beside else None
    results = []
    for name in names:
        if name not in MEASURES:
            raise FmkitError(f"no measure {name!r}: choose from {', '.join(MEASURES)}")
        on, measure = MEASURES[name]
        found, compared = measure(model, other), measure(other, other) if other else {}
        for key, value in found.items():
            result = {"measure": name, "on": on, "name": key, "value": round(value, 4)}
            results.append(result | ({"beside": round(compared[key], 4)} if compared else {}))
    return results


def held_out(corpus: str) -> Dataset:
    """The first texts of a corpus's validation split."""
    return _validation(corpus).take(TEXTS)


@cache
def _validation(corpus: str) -> Dataset:
    return load_corpus(corpus)["validation"]


def likelihood(corpus: str, model: Any, _: Any) -> dict[str, float]:
    """Nats per token, the grammar's own on the same texts (no model can do better on average), and theirs."""
    rows = held_out(corpus)
    measured = evaluate(model, model.tokenizer, rows.select_columns("text"))
    loss = math.log(measured["perplexity"])
    nats = measured["bits_per_byte"] * math.log(2) * sum(len(text.encode()) for text in rows["text"])
    return _above_floor(loss, -sum(rows["log_prob"]) / (nats / loss)) | measured


def answers(corpus: str, model: Any, _: Any) -> dict[str, float]:
    """Nats per token of the answers, their floor, and two scores of the likeliest answers: how many equal the
    one in the data, and how many the shop might have given."""
    rows = held_out(corpus)
    measured = evaluate(model, model.tokenizer, rows)
    loss = math.log(measured["perplexity"])
    encoded = model.tokenizer.encode_batch(list(rows["completion"]), add_special_tokens=False)
    floor = -sum(rows["completion_log_prob"]) / sum(len(each.ids) + 1 for each in encoded)
    world: Any = DOMAINS[corpus].make(0)
    examples = tokenize_completions(rows, model.tokenizer, model.config.max_position_embeddings)
    said, _truth = answer_examples(model, model.tokenizer, examples)
    both = (f"{prompt}{world.joint}{reply}" for prompt, reply in zip(rows["prompt"], said, strict=True))
    valid = sum(world.log_prob(text) > -math.inf for text in both) / len(rows)
    return {**_above_floor(loss, floor), **measured, "valid_answers": valid}


def labels(corpus: str, model: Any, _: Any) -> dict[str, float]:
    """Accuracy and macro F1."""
    return evaluate(model, model.tokenizer, held_out(corpus))


def endings(corpus: str, model: Any, before: Any) -> dict[str, float]:
    """Endings of the model's own: their rewards, how many are broken, and how often they beat the other's."""
    prompts = list(held_out(corpus)["prompt"])
    now, then = (end_stories(writer, model.tokenizer, prompts) for writer in (model, before))
    return compare(now, then)


def requests(model: Any, _: Any) -> dict[str, float]:
    """The true reward of sampled answers, and how often requests of each kind are refused."""
    rows = held_out("requests")
    prompts = [encode_prompt(prompt, model.tokenizer) for prompt in rows["prompt"]]
    found = rates(rows, answer(model, model.tokenizer, prompts))
    return {name: value for name, value in found.items() if name in NAMES}


def pairs(corpus: str, model: Any, _: Any) -> dict[str, float]:
    """How often a reward model ranks two answers as the judge did, and as their true rewards do."""
    rows = held_out(corpus)
    best = [
        {**row, "chosen": row["rejected"], "rejected": row["chosen"]} if row["margin"] < 0 else row
        for row in rows
    ]
    truth = evaluate(model, model.tokenizer, Dataset.from_list(best))["reward_accuracy"]
    return {**evaluate(model, model.tokenizer, rows), "truth_accuracy": truth}


def notes(model: Any, _: Any) -> dict[str, float]:
    """How many of the model's own notes are possible in its world, and how often it names the condition of a
    held-out note correctly, from the text before it."""
    tokenizer, world = model.tokenizer, DOMAINS["medical"].make(0)
    longest, end = model.config.max_position_embeddings, special_id(tokenizer, EOS)
    start = [special_id(tokenizer, BOS)]
    written = map(tokenizer.decode, complete(model, [start] * TEXTS, longest, end, seed=0))
    asked = [
        (row["text"][:place].rstrip(), row["condition"])
        for row in held_out("medical")
        if (place := row["text"].find(row["condition"])) >= ENOUGH
    ]
    prompts = [start + tokenizer.encode(text, add_special_tokens=False).ids for text, _ in asked]
    named = map(tokenizer.decode, complete(model, prompts, 12, end, temperature=0))
    right = sum(said.lstrip().startswith(name) for said, (_, name) in zip(named, asked, strict=True))
    return {
        "possible_notes": sum(world.log_prob(note) > -math.inf for note in written) / TEXTS,
        "named_conditions": right / len(asked),
    }


def readings(model: Any, _: Any) -> dict[str, float]:
    """Shares of questions about an almanac that the model has not learned from, and about the one it has."""
    return reading_scores(Reader(model))


def cases(names: Iterable[str], model: Any, _: Any) -> dict[str, float]:
    """How many cases of some conditions an agent completes, and in how many it pays back the wrong order."""
    found = {name: attempt(model, model.tokenizer, name) for name in names}
    completed = {f"completed: {name}": share(t.completed for t in tried) for name, tried in found.items()}
    wrong = {f"wrong refunds: {name}": share(t.wrong_refund for t in tried) for name, tried in found.items()}
    return completed | wrong


def tickets(model: Any, _: Any) -> dict[str, float]:
    """Shares of JSON answers to a shop's tickets that are right."""
    found = judge_tickets(model, model.tokenizer, held_out_tickets())
    return {name: found[name] for name in ("json", "intent", "item", "action", "right")}


def gaps(model: Any, _: Any) -> dict[str, float]:
    """The shares of gaps in stories where the likeliest word is the right one, by where the answer is."""
    right = judge(model, model.tokenizer, draw_gaps(model.tokenizer))["right"]
    return {f"right: {kind}": share for kind, share in right.items()}


def told(model: Any, _: Any) -> dict[str, float]:
    """The share of the model's own stories that are true from beginning to end."""
    stories = write_corpus(model, model.tokenizer, TEXTS)["text"]
    return {"true_stories": validity(stories).share}


def _above_floor(loss: float, floor: float) -> dict[str, float]:
    return {"loss": loss, "floor": floor, "above_floor": loss - floor}


MEASURES: dict[str, tuple[str, Measure]] = {
    "stories": ("held-out stories", partial(likelihood, "stories")),
    "told": ("stories of its own", told),
    "gaps": ("held-out stories with a gap", gaps),
    "medical": ("held-out medical notes", partial(likelihood, "medical")),
    "notes": ("medical notes", notes),
    "reviews": ("held-out reviews", partial(labels, "reviews")),
    "support": ("held-out support dialogs", partial(answers, "support")),
    "tickets": ("held-out tickets", tickets),
    "requests": ("its own answers to held-out requests", requests),
    "pairs": ("held-out pairs of answers to requests", partial(pairs, "requests")),
    "pairs of endings": ("held-out pairs of endings", partial(pairs, "preferences")),
    "readings": ("questions about an almanac", readings),
    "cases": ("cases", partial(cases, LEARNED)),
    "other cases": ("cases", partial(cases, [name for name in CONDITIONS if name not in LEARNED])),
    "endings": ("its own endings of held-out openings", partial(endings, "preferences")),
}
