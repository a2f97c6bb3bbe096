"""The rungs of customization on one task: what each gets right, and what it costs.

The same 192 questions for all, about an almanac that no committed model has read. Then a new almanac with
other facts comes out, and the same questions are asked again, of the same models.
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from bookkit.experiments.foundations import committed
from bookkit.experiments.rag import Case, cases_of
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain, finetune
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.chat import Message, chat_prompt, encode_prompt, end_ids
from fmkit.evaluation.answers import answer_messages
from fmkit.evaluation.retrieval import KeywordRetriever
from fmkit.evaluation.sampling import complete
from fmkit.flops import num_parameters
from fmkit.footprint import Meter, Usage
from fmkit.generation import before_end
from fmkit.lora import LoraConfig, add_lora
from fmkit.model import Transformer
from fmkit.world import Almanac
from fmkit.world.readings import Page, pages, put

FIRST = 10  # the almanac of seed 0; the one after it is what it changes into
LONGEST = 20  # tokens of an answer
SMALL: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2}
TUNING: dict[str, Any] = {"steps": 300, "batch_size": 16, "learning_rate": 4e-3, "min_lr_ratio": 0.0}
LONG = 4 * TUNING["steps"]  # of a small model that begins with nothing
READING: dict[str, Any] = {"steps": 500, "batch_size": 4, "learning_rate": 4e-3, "min_lr_ratio": 0.0}
# Each way, with how many questions somebody has answered for it.
WAYS = (
    *(("base, prompted", 0), ("prompted", 0), ("few-shot", 2), ("few-shot", 5), ("retrieval", 0)),
    *(("fine-tuned", labels) for labels in (24, 48, 96, 192)),
    *(("adapter", 96), ("adapter", 192)),
    *(("read, then fine-tuned", 0), ("read, then fine-tuned", 96)),
    *(("small, distilled", 0), ("small, alone", 96), ("small, alone", 192), ("from nothing", 192)),
)


@experiment("ladder")
def ladder() -> Experiment:
    @cache
    def office(seed: int) -> tuple[list[Case], list[Page], list[Case], list[Page]]:
        """The questions and pages of an almanac, and of the one that follows it."""
        now, later = Almanac(FIRST + 2 * seed), Almanac(FIRST + 2 * seed + 1)
        return cases_of(now), pages(now), cases_of(later), pages(later)

    def climb(way: str, labels: int, seed: int) -> dict[str, Any]:
        now, book, later, new_book = office(seed)
        known = random.Random(f"labels {seed}").sample(now, len(now))[:labels]
        model, tokenizer, used = train(way, known, now, book, seed)
        shots = known if way == "few-shot" else []
        looks = way == "retrieval"
        meter = Meter()
        said, tokens = answer(model, tokenizer, now, search(now, book) if looks else [], shots)
        seconds = meter.usage().cpu_seconds
        told, _ = answer(model, tokenizer, later, search(later, new_book) if looks else [], shots)
        outcome = {
            "right": share(said, now),
            "changed": share(told, later),
            "training_seconds": round(used.cpu_seconds, 1),
            "answer_milliseconds": round(1000 * seconds / len(now), 1),
            "tokens": round(tokens / len(now), 1),
        }
        if way != "base, prompted":  # the only one without a chat's tokens
            read, _ = answer(model, tokenizer, later, search(later, new_book), [])
            outcome["changed_with_pages"] = share(read, later)
        unlabeled = [place for place, case in enumerate(now) if case not in known]
        if unlabeled:
            cases = [now[place] for place in unlabeled]
            outcome["without_label"] = share([said[place] for place in unlabeled], cases)
        return {"parameters": num_parameters(model.config), "scores": outcome}

    arms = [{"way": way, "labels": labels, "seed": seed} for seed in range(3) for way, labels in WAYS]
    about = {
        "corpus": "questions about an almanac, and pages of it",
        "start": "reader, unless the way says otherwise",
        "tuning": TUNING,
        "reading": READING,
        "small": SMALL,
        "small steps": LONG,
    }
    return Experiment(about, climb, arms)


# --- training ---------------------------------------------------------------------------------------------


def train(
    way: str, known: Sequence[Case], cases: Sequence[Case], book: Sequence[Page], seed: int
) -> tuple[Transformer, Tokenizer, Usage]:
    """The model that a way leads to, its tokenizer, and what training it used."""
    model, tokenizer = committed("base" if way.startswith("base") else "reader")
    config, used = model.config, Usage()
    reproducible(seed)
    if way.startswith("small"):
        room = config.max_position_embeddings
        small = Transformer(ModelConfig(config.vocab_size, **SMALL, max_position_embeddings=room), seed=seed)
        data = answered(known) if known else copied(model, tokenizer, cases, book)
        return small, tokenizer, tune(small, tokenizer, data, seed, LONG)
    if way == "from nothing":
        model = Transformer(config, seed=seed)
    if way == "adapter":
        add_lora(model, LoraConfig(r=8, lora_alpha=16), seed)
    if way.startswith("read"):
        texts = Dataset.from_dict({"text": [page.text for page in book]})
        settings = TrainConfig(**READING, seed=seed, eval_every=READING["steps"])
        data = DatasetDict(train=texts, validation=texts)
        used += continue_pretrain(model, tokenizer, data, settings).usage
    if known and way != "few-shot":
        used += tune(model, tokenizer, answered(known), seed)
    return model, tokenizer, used


def answered(cases: Sequence[Case]) -> Dataset:
    """Questions with their answers, as somebody has written them."""
    return Dataset.from_list([{"messages": dialog([case])} for case in cases])


def copied(
    teacher: Transformer, tokenizer: Tokenizer, cases: Sequence[Case], book: Sequence[Page]
) -> Dataset:
    """Questions with what a teacher answers that looks each of them up."""
    said, _ = answer(teacher, tokenizer, cases, search(cases, book), [])
    asked = [put([], case.question) for case in cases]
    return Dataset.from_list(
        [
            {"messages": [question, {"role": "assistant", "content": text}]}
            for question, text in zip(asked, said, strict=True)
        ]
    )


def dialog(cases: Sequence[Case]) -> list[Message]:
    return [
        message
        for case in cases
        for message in (put([], case.question), {"role": "assistant", "content": case.right})
    ]


def tune(
    model: Transformer, tokenizer: Tokenizer, data: Dataset, seed: int, steps: int = TUNING["steps"]
) -> Usage:
    config = TrainConfig(**TUNING | {"steps": steps}, seed=seed, eval_every=steps)
    splits = DatasetDict(train=data, validation=data.select(range(min(16, len(data)))))
    return finetune(model, tokenizer, splits, config).usage


# --- asking -----------------------------------------------------------------------------------------------


def search(cases: Sequence[Case], book: Sequence[Page]) -> list[Page]:
    """The best page for each question."""
    found = KeywordRetriever([page.text for page in book]).search([case.question for case in cases])
    return [book[best] for (best,) in found]


def answer(
    model: Transformer,
    tokenizer: Tokenizer,
    cases: Sequence[Case],
    shown: Sequence[Page],
    shots: Sequence[Case],
) -> tuple[list[str], int]:
    """The answers, and how many tokens were read and written for them."""
    given = [[page.text] for page in shown] or [[] for _ in cases]
    asked = [put(texts, case.question) for texts, case in zip(given, cases, strict=True)]
    if "<|user|>" not in tokenizer.get_vocab():  # a model that only continues texts
        prompts = [encode_prompt(message["content"], tokenizer) for message in asked]
        ends = end_ids(tokenizer)
        told = complete(model, prompts, LONGEST, ends, temperature=0)
        said = [tokenizer.decode(before_end(ids, ends)) for ids in told]
    else:
        talks = [
            [*dialog([shot for shot in shots if shot != case]), message]
            for case, message in zip(cases, asked, strict=True)
        ]
        prompts = [chat_prompt(talk, tokenizer) for talk in talks]
        said, _ = answer_messages(model, tokenizer, talks, LONGEST)
    return said, sum(map(len, prompts)) + sum(len(tokenizer.encode(text).ids) + 1 for text in said)


def share(said: Sequence[str], cases: Sequence[Case]) -> float:
    return round(sum(text == case.right for text, case in zip(said, cases, strict=True)) / len(cases), 4)
