"""A sorter of reviews for two groups of customers: those who write plainly, and those who negate.

Of the second group, few or many examples are in the training set. The question of Hardt et al. 2016
(arXiv:1610.02413) and others: which errors does each group suffer?
"""

from typing import Any

from datasets import DatasetDict, concatenate_datasets

from bookkit.experiments.foundations import base
from bookkit.experiments.frozen_features import classify, kind_of
from bookkit.experiments.recording import Experiment, experiment
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.model import Classifier
from fmkit.world import LABELS, load_reviews

GROUPS = {"plain": "plain", "negating": "negation"}  # and the kind of statement that they write
POOL = 16_000
PLAIN = 200  # examples of the first group
OTHERS = (0, 20, 50, 100, 200)  # of the second
HELD_OUT = 300  # of each group
TUNING: dict[str, Any] = {"batch_size": 20, "learning_rate": 2e-3}
EPOCHS = 10
COMPLAINT = LABELS.index("negative")


@experiment("subgroups")
def subgroups() -> Experiment:
    pool = load_reviews(POOL, 1, seed=5)["train"]
    kinds = [kind_of(text) for text in pool["text"]]
    by_group = {
        group: pool.select([i for i, found in enumerate(kinds) if found == kind]).select_columns(
            ["text", "label"]
        )
        for group, kind in GROUPS.items()
    }
    held_out = {group: rows.select(range(HELD_OUT)) for group, rows in by_group.items()}
    known = {group: rows.select(range(HELD_OUT, len(rows))) for group, rows in by_group.items()}

    def train(others: int, seed: int) -> dict[str, Any]:
        story_model, tokenizer = base(seed)
        parts = {"plain": PLAIN, "negating": others}
        some = [known[group].shuffle(seed).select(range(count)) for group, count in parts.items()]
        data = DatasetDict(train=concatenate_datasets(some), validation=held_out["plain"])
        reproducible(seed)
        model = Classifier.from_base(story_model, LABELS, seed)
        steps = EPOCHS * (PLAIN + others) // TUNING["batch_size"]
        finetune(model, tokenizer, data, TrainConfig(steps, **TUNING, seed=seed, eval_every=steps))
        scores = {}
        for group, rows in held_out.items():
            pairs = list(zip(classify(model, tokenizer, rows), rows["label"], strict=True))
            wrong = {label: [p != t for p, t in pairs if t == label] for label in range(len(LABELS))}
            called = [p for p, t in pairs if t != COMPLAINT]
            scores[f"accuracy {group}"] = 1 - sum(map(sum, wrong.values())) / len(pairs)
            scores[f"needless {group}"] = sum(p == COMPLAINT for p in called) / len(called)
            scores[f"missed {group}"] = sum(wrong[COMPLAINT]) / len(wrong[COMPLAINT])
        return {"scores": {name: round(value, 3) for name, value in scores.items()}}

    about = {
        "corpus": f"{PLAIN} reviews of customers who write plainly, and some of others who negate",
        "examples": {group: rows[0]["text"] for group, rows in held_out.items()},
        "held_out": HELD_OUT,
        "tuning": {**TUNING, "epochs": EPOCHS},
    }
    return Experiment(about, train, [{"others": n, "seed": seed} for n in OTHERS for seed in range(3)])
