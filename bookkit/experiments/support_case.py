"""A shop's tickets from end to end: base, fine-tuned, distilled, and then months of use with a planted drift.

Each ticket is a support dialog whose answer is the JSON object that the shop's systems read: intent, item and
action. Until the drift the shop sells no garden tools, so no pair of the training has one.
"""

import copy
import json
import time
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from bookkit.experiments.assistant import as_object, prepare_chat
from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain, distill, finetune
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.evaluation.answers import answer_messages
from fmkit.flops import num_parameters
from fmkit.model import Transformer
from fmkit.world import SUPPORT

GARDEN = ("shovel", "rake", "bucket", "ladder", "watering can", "wheelbarrow", "lantern")
PAIRS, QUESTIONS, ASKED = 2_000, 4_000, 500
LONGEST = 60  # tokens of an answer
SERVED = "soft targets"  # the way in which the model was made that is served
REPLAY = 0.1  # stories, while it reads dialogs
SMALL: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 3}
READING: dict[str, Any] = {"steps": 800, "batch_size": 4, "learning_rate": 6e-3}
TUNING: dict[str, Any] = {"steps": 800, "batch_size": 16, "learning_rate": 4e-3}
LEARNING: dict[str, Any] = {"steps": 1_200, "batch_size": 16, "learning_rate": 1e-2}  # of the student
MENDING: dict[str, Any] = {"steps": 250, "batch_size": 16, "learning_rate": 4e-3}
NEW_SHOP = 4  # the world whose policies hold after a change of policies
COLLECTED = 200  # tickets that the drift made go wrong, with the answers that a person gave
WEEK, BEFORE, WEEKS = 100, 4, 12  # tickets of a week that a person checks; weeks until the drift, and in all
WATCHED = ("right", "json", "sure")
OLD = 3  # times as many old pairs as new ones, where old ones are replayed
SHARE = 0.3  # of a week's tickets that are about garden tools, once they are sold

Ticket = dict[str, Any]  # its messages, and the right answer as an object


# --- tickets ----------------------------------------------------------------------------------------------


def tickets(number: int, seed: int, garden: bool | None = False, world: int = 0) -> list[Ticket]:
    """So many tickets, with the answers of the shop `world`: about garden tools, not about them, or (None)
    of both kinds."""
    shop, rng = SUPPORT.make(world), Random(f"tickets {seed}")
    found: list[Ticket] = []
    while len(found) < number:
        dialog = shop.sample(rng)
        if garden is None or garden == any(tool in dialog.prompt for tool in GARDEN):
            found.append(ticket(dialog.prompt, dialog.json))
    return found


def ticket(question: str, answer: str) -> Ticket:
    says = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": says, "right": json.loads(answer)}


def split(learned: Sequence[Ticket], held_out: Sequence[Ticket]) -> DatasetDict:
    """Tickets as a recipe reads them."""
    return DatasetDict(
        train=Dataset.from_list([{"messages": row["messages"]} for row in learned]),
        validation=Dataset.from_list([{"messages": row["messages"]} for row in held_out]),
    )


def answer_tickets(
    model: Transformer, tokenizer: Tokenizer, asked: Sequence[Ticket]
) -> tuple[list[str], list[float]]:
    """The likeliest answers, and the probability that the model gives to each."""
    return answer_messages(model, tokenizer, [row["messages"][:1] for row in asked], LONGEST)


def judge(model: Transformer, tokenizer: Tokenizer, asked: Sequence[Ticket]) -> dict[str, float]:
    """Shares of answers that are JSON, have the right field, and are right as a whole; how sure the model is,
    and the CPU milliseconds of an answer."""
    began = time.process_time()
    said, sure = answer_tickets(model, tokenizer, asked)
    spent = time.process_time() - began
    objects = [as_object(text) for text in said]
    both = [(found or {}, row["right"]) for found, row in zip(objects, asked, strict=True)]
    right = {field: sum(f.get(field, "") == r[field] for f, r in both) for field in both[0][1]}
    right |= {"json": sum(found is not None for found in objects), "right": sum(f == r for f, r in both)}
    shares = {name: round(count / len(asked), 3) for name, count in right.items()}
    return shares | {
        "sure": round(sum(sure) / len(sure), 3),
        "cpu_ms": round(1000 * spent / len(asked), 1),
    }


# --- stages -----------------------------------------------------------------------------------------------


def configured(settings: dict[str, Any], seed: int) -> TrainConfig:
    return TrainConfig(**{"min_lr_ratio": 0.0, **settings}, seed=seed, eval_every=settings["steps"])


@cache
def held_out() -> list[Ticket]:
    return tickets(ASKED, seed=1)


@cache
def pairs() -> list[Ticket]:
    return tickets(PAIRS, seed=0)


def dialogs() -> DatasetDict:
    """What the shop's customers and the shop have written to each other, without JSON."""
    return SUPPORT.load().filter(lambda row: not any(tool in row["text"] for tool in GARDEN))


@cache
def large(start: str, seed: int) -> tuple[Transformer, Tokenizer, float]:
    """The story model, fine-tuned on pairs, after reading the shop's dialogs or not; and its CPU seconds."""
    model, tokenizer = base(seed)
    reproducible(seed)
    seconds = 0.0
    if start == "continued":
        old = load_corpus("stories")
        run = continue_pretrain(
            model, tokenizer, dialogs(), configured(READING, seed), replay=old, replay_share=REPLAY
        )
        seconds += run.usage.cpu_seconds
    tokenizer = prepare_chat(model, tokenizer)
    run = finetune(model, tokenizer, split(pairs(), held_out()), configured(TUNING, seed))
    return model, tokenizer, seconds + run.usage.cpu_seconds


def answer_questions(model: Transformer, tokenizer: Tokenizer) -> list[Ticket]:
    """Questions that nobody has answered in JSON, with the model's own answers, right or wrong."""
    asked = tickets(QUESTIONS, seed=2)
    said, _sure = answer_tickets(model, tokenizer, asked)
    both = zip(asked, said, strict=True)
    return [ticket(row["messages"][0]["content"], text) for row, text in both if as_object(text)]


@cache
def taught(seed: int) -> list[Ticket]:
    return answer_questions(*large("continued", seed)[:2])


@cache
def small(way: str, seed: int) -> tuple[Transformer, Tokenizer, float]:
    """A third of the size, from random weights: on the pairs, on the large model's answers, or on what it
    expects at each of their tokens."""
    teacher, tokenizer, _ = large("continued", seed)
    learned = pairs() if way == "pairs" else taught(seed)
    reproducible(seed)
    student = Transformer(ModelConfig(vocab_size=teacher.config.vocab_size, **SMALL), seed=seed)
    data, config = split(learned, held_out()), configured(LEARNING, seed)
    if way == SERVED:
        run = distill(student, tokenizer, data, config, teacher=teacher, temperature=1.0, soft_weight=1.0)
    else:
        run = finetune(student, tokenizer, data, config)
    return student, tokenizer, run.usage.cpu_seconds


# --- files, for the commands that make the model `tickets` ------------------------------------------------


FILES = {  # what the card of the model says of them
    "dialogs": "the shop's dialogs (domain `support`) without those about garden tools.",
    "pairs": "questions of such dialogs, each with its JSON answer.",
    "answered": "other such questions, with the answers of the model that was made above.",
}


def write_data() -> None:
    """Write what is there in the beginning: the shop's dialogs as dialogs.jsonl, and pairs.jsonl."""
    dialogs()["train"].select_columns("text").to_json("dialogs.jsonl")
    Dataset.from_list([{"messages": row["messages"]} for row in pairs()]).to_json("pairs.jsonl")


def write_answers(directory: str) -> None:
    """Have a model answer the questions without answers: answered.jsonl."""
    model = Transformer.from_pretrained(directory)
    assert model.tokenizer
    rows = answer_questions(model, model.tokenizer)
    Dataset.from_list([{"messages": row["messages"]} for row in rows]).to_json("answered.jsonl")


# --- months of use ----------------------------------------------------------------------------------------


def week(number: int, drift: str) -> list[Ticket]:
    """The tickets of a week that a person checks: before the drift, or of a drifted shop."""
    if number < BEFORE:
        return tickets(WEEK, seed=100 + number)
    if drift == "policies":
        return tickets(WEEK, seed=100 + number, world=NEW_SHOP)
    tools = round(SHARE * WEEK)
    new, old = tickets(tools, 100 + number, garden=True), tickets(WEEK - tools, 100 + number)
    return new + old


def changed(number: int, seed: int, drift: str) -> list[Ticket]:
    """Tickets that the drift has brought: about the new goods, or under the new policies."""
    return tickets(number, seed, garden=True) if drift == "garden" else tickets(number, seed, world=NEW_SHOP)


def collected(model: Transformer, tokenizer: Tokenizer, drift: str) -> list[Ticket]:
    """Drifted tickets that went wrong, with the answers that a person gave."""
    came = changed(4 * COLLECTED, 3, drift)
    said, _sure = answer_tickets(model, tokenizer, came)
    wrong = [row for row, text in zip(came, said, strict=True) if as_object(text) != row["right"]]
    return wrong[:COLLECTED]


def replayed(replay: str, number: int) -> list[Ticket]:
    """Old pairs to retrain with: none, as they are (`old`), or with the answers of the new policies."""
    if replay == "none":
        return []
    chosen = pairs()[:number]
    if replay == "old":
        return chosen
    shop: Any = SUPPORT.make(NEW_SHOP)
    asked = [row["messages"][0]["content"] for row in chosen]
    answers = [shop.answer(question) for question in asked]
    return [ticket(q, json.dumps(a)) for q, a in zip(asked, answers, strict=True) if a is not None]


def mend(drift: str, replay: str, seed: int) -> dict[str, Any]:
    """Serve the small model through the drift, retrain it on what went wrong, and serve it again."""
    kept, tokenizer, _ = small(SERVED, seed)
    model = copy.deepcopy(kept)
    weeks = [week(number, drift) for number in range(WEEKS)]
    before = [judge(model, tokenizer, each) for each in weeks]
    new = collected(model, tokenizer, drift)
    old = replayed(replay, OLD * len(new))
    reproducible(seed)
    run = finetune(model, tokenizer, split([*new, *old], held_out()), configured(MENDING, seed))
    after = [judge(model, tokenizer, each) for each in weeks]
    tests = {"old": held_out(), "new": changed(300, 4, drift)}
    return {
        "weeks": {name: [one[name] for one in before] for name in WATCHED},
        "retrained_weeks": {name: [one[name] for one in after] for name in WATCHED},
        "collected": len(new),
        "served": {name: judge(kept, tokenizer, test) for name, test in tests.items()},
        "scores": {name: judge(model, tokenizer, test)["right"] for name, test in tests.items()}
        | {"cpu_seconds": round(run.usage.cpu_seconds, 1)},
    }


# --- what is recorded -------------------------------------------------------------------------------------


@experiment("support-case")
def support_case() -> Experiment:
    def train(stage: str, seed: int, way: str, replay: str = "") -> dict[str, Any]:
        if stage == "drift":
            return mend(way, replay, seed)
        model, tokenizer, seconds = (large if stage == "fine-tuned" else small)(way, seed)
        scores = judge(model, tokenizer, held_out())
        outcome = {"parameters": num_parameters(model.config)}
        if stage == "distilled" and way != "pairs":
            known = {row["messages"][0]["content"]: row["right"] for row in tickets(QUESTIONS, seed=2)}
            answers = taught(seed)
            right = sum(row["right"] == known[row["messages"][0]["content"]] for row in answers)
            outcome |= {"taught": len(answers), "taught_right": round(right / len(answers), 3)}
        return outcome | {"scores": scores | {"cpu_seconds": round(seconds, 1)}}

    ways = {"fine-tuned": ("base", "continued"), "distilled": ("pairs", "answers", SERVED)}
    replays = {"garden": ("none", "old"), "policies": ("none", "old", "corrected")}
    made = [{"stage": stage, "way": way} for stage in ways for way in ways[stage]]
    used = [{"stage": "drift", "way": way, "replay": how} for way in replays for how in replays[way]]
    arms: list[dict[str, Any]] = [{**arm, "seed": seed} for seed in range(3) for arm in [*made, *used]]
    about = {
        "corpus": "support dialogs without garden tools, answers as JSON",
        "pairs": PAIRS,
        "questions": QUESTIONS,
        "asked": ASKED,
        "small": SMALL,
        "training": {"reading": READING, "tuning": TUNING, "learning": LEARNING, "mending": MENDING},
        "weeks": {"checked": WEEK, "before": BEFORE, "all": WEEKS, "garden_share": SHARE, "replayed": OLD},
    }
    return Experiment(about, train, arms)
