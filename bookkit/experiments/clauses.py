"""Legal document review: the type of a clause, and what a contract lacks, before and after reading law.

A classifier reads each clause without its heading. A contract is then compared with a checklist: it lacks the
type that none of its clauses is said to be. So one clause misread can be a contract misjudged.
"""

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from tokenizers import Tokenizer

from bookkit.experiments.foundations import SIZE, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain, finetune, load_corpus
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import collate_labeled, example_batches, tokenize_labeled
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.classification import accuracy, f1, predict_labels
from fmkit.model import Classifier, Transformer
from fmkit.world import LEGAL

READING: dict[str, Any] = {"steps": 400, "batch_size": 4, "learning_rate": 4e-3}
TUNING: dict[str, Any] = {"batch_size": 20, "learning_rate": 2e-3}
EPOCHS = 10
STARTS = ("scratch", "base", "stories", "law")  # nothing; stories; then more stories, or as much law
HELD_OUT, CONTRACTS = 360, 100
CHECKLIST = ("parties", "term", "payment", "termination", "liability", "governing law")
EXTRA = 2  # clauses of other types in each contract
POOL = 15_000  # clauses that contracts are put together from
CONFUSED = 6  # pairs of types that are mixed up most, which are kept
TYPES = (
    *("amendment", "assignment", "breach", "confidentiality", "definitions", "deposit", "force majeure"),
    *("governing law", "insurance", "late payment", "liability", "mediation", "notices", "parties"),
    *("payment", "renewal", "term", "termination"),
)


@experiment("clauses")
def clauses() -> Experiment:
    law = LEGAL.load(4_000, 10, seed=1)  # drawn apart from the clauses with labels
    corpora = {"stories": load_corpus("stories"), "law": law}
    held_out, contracts = labeled(LEGAL.load(1, HELD_OUT)["validation"]), write_contracts()

    @cache
    def reader(start: str, seed: int) -> tuple[Transformer, Tokenizer]:
        """A model that has read what `start` says, and seen no label."""
        model, tokenizer = base(seed)
        if start == "scratch":
            model = Transformer(SIZE, seed=seed)
        reproducible(seed)
        if start in corpora:
            config = TrainConfig(**READING, seed=seed, eval_every=READING["steps"])
            continue_pretrain(model, tokenizer, corpora[start].select_columns("text"), config)
        return model, tokenizer

    def train(start: str, labels: int, seed: int) -> dict[str, Any]:
        story_model, tokenizer = copy.deepcopy(reader(start, seed))
        reproducible(seed)
        shown = labeled(LEGAL.load(labels, 1)["train"])
        data = DatasetDict(train=shown, validation=shown)
        model = Classifier.from_base(story_model, TYPES, seed)
        steps = EPOCHS * labels // TUNING["batch_size"]
        finetune(model, tokenizer, data, TrainConfig(steps, **TUNING, seed=seed, eval_every=steps))
        return judge(model, tokenizer, held_out, contracts)

    arms = [
        {"start": start, "labels": labels, "seed": seed}
        for seed in range(3)
        for start in STARTS
        for labels in (50, 200)
    ]
    about = {
        "corpus": f"clauses without headings, of {len(TYPES)} types",
        "checklist": CHECKLIST,
        "contracts": CONTRACTS,
        "reading": READING,
        "tuning": {**TUNING, "epochs": EPOCHS},
    }
    return Experiment(about, train, arms)


@dataclass(frozen=True)
class Contract:
    """The clauses of a contract, without headings, and the type of the checklist that it lacks, if any."""

    clauses: list[str]
    lacks: str | None


def write_contracts() -> list[Contract]:
    """Contracts with a clause of each type of the checklist, but for one in half of them; all clauses of a
    contract are of one kind, such as leases."""
    rng, world = random.Random("contracts"), LEGAL.make(0)
    pool: dict[tuple[str, str], list[str]] = defaultdict(list)
    for _ in range(POOL):
        clause = world.sample(rng)
        pool[clause.contract, clause.plot].append(without_heading(clause.text))
    kinds, others = sorted({kind for kind, _ in pool}), sorted(set(TYPES) - set(CHECKLIST))
    contracts = []
    for _ in range(CONTRACTS):
        kind = rng.choice(kinds)
        lacks = rng.choice(CHECKLIST) if rng.random() < 0.5 else None
        types = [*(set(CHECKLIST) - {lacks}), *rng.sample(others, EXTRA)]
        contracts.append(Contract([pool[kind, each].pop() for each in sorted(types)], lacks))
    return contracts


def without_heading(clause: str) -> str:
    """A clause without its number and its heading, which is its type."""
    return clause.split(". ", 2)[2]


def labeled(clauses: Dataset) -> Dataset:
    """Clauses without headings, labeled with their types."""
    columns = {
        "text": [without_heading(text) for text in clauses["text"]],
        "label": [TYPES.index(plot) for plot in clauses["plot"]],
    }
    return Dataset.from_dict(
        columns, Features({"text": Value("string"), "label": ClassLabel(names=list(TYPES))})
    )


def judge(
    model: Classifier, tokenizer: Tokenizer, held_out: Dataset, contracts: Sequence[Contract]
) -> dict[str, Any]:
    """How often types of clauses and judgments of contracts are right (of all, of the complete ones, and of
    those that lack a clause), and the types that are mixed up most."""
    truth = list(held_out["label"])
    predicted = classify(model, tokenizer, list(held_out["text"]))
    wrong = Counter((TYPES[t], TYPES[p]) for p, t in zip(predicted, truth, strict=True) if p != t)
    seen = iter(classify(model, tokenizer, [text for contract in contracts for text in contract.clauses]))
    told = [missing({TYPES[next(seen)] for _ in contract.clauses}) for contract in contracts]
    right = [
        said == ([contract.lacks] if contract.lacks else [])
        for said, contract in zip(told, contracts, strict=True)
    ]
    lacking = [hit for hit, contract in zip(right, contracts, strict=True) if contract.lacks]
    scores = {
        "type": accuracy(predicted, truth),
        "type_f1": f1(predicted, truth),
        "contract": sum(right) / len(contracts),
        "complete": (sum(right) - sum(lacking)) / (len(contracts) - len(lacking)),
        "lacking": sum(lacking) / len(lacking),
    }
    return {
        "confused": [[*pair, count] for pair, count in wrong.most_common(CONFUSED)],
        "scores": {name: round(value, 3) for name, value in scores.items()},
    }


def classify(model: Classifier, tokenizer: Tokenizer, texts: list[str]) -> list[int]:
    """The likeliest type of each text."""
    rows = Dataset.from_dict({"text": texts, "label": [0] * len(texts)})
    examples = tokenize_labeled(rows, tokenizer, model.config.max_position_embeddings, TYPES)
    collate = partial(collate_labeled, pad_id=special_id(tokenizer, PAD))
    return predict_labels(model, example_batches(examples, 32, collate))


def missing(types: set[str]) -> list[str]:
    """What the checklist has and a contract has not."""
    return [each for each in CHECKLIST if each not in types]
