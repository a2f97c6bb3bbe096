"""Three judges of the shop's answers: one taught fairly, two with a habit planted in what they were taught.

Each reads a letter and two answers and writes A or B. They start from the shop's own assistant and learn
from pairs whose better answer is known; in those of two judges it comes first, or is longer, in 70% instead
of half. Zheng et al. 2023 (arXiv:2306.05685, section 3.3) found position bias and verbosity bias in large
judges.
"""

from typing import Any

from datasets import Dataset, DatasetDict

from bookkit.experiments.course import checks
from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.evaluation.judge import Comparison, in_both_orders, judging_example, verdict
from fmkit.world import RIVAL_FAULTS, Rivals, make_rivals

TRAINING: dict[str, Any] = {"steps": 500, "batch_size": 16, "learning_rate": 2e-3, "min_lr_ratio": 0.0}
TAUGHT = TRAINING["steps"] * TRAINING["batch_size"]  # pairs, each once
CHECK = 100  # steps between looks at the validation loss
HABITS: dict[str, dict[str, Any]] = {"balanced": {}, "first": {"first": 0.7}, "longer": {"longer": 0.7}}
TESTED, EQUAL = 450, 150  # test pairs with a fault, and those of two right answers


@experiment("judges")
def judges() -> Experiment:
    test = judged_pairs()
    asked = [comparison(pair) for pair in test]

    def train(habit: str, seed: int) -> dict[str, Any]:
        model, tokenizer = committed("assistant")
        taught = make_rivals(TAUGHT, f"train {seed}", **HABITS[habit])
        data = DatasetDict(train=lessons(taught), validation=lessons(make_rivals(100, "validation")))
        reproducible(seed)
        config = TrainConfig(**TRAINING, seed=seed, eval_every=CHECK)
        history = finetune(model, tokenizer, data, config).history
        found = in_both_orders(model, asked)
        right = [verdict(there) == pair.better for (there, _), pair in zip(found, test, strict=True)]
        looks = checks(history, "validation_loss")
        return {
            "steps": looks["steps"],
            "validation_loss": looks["validation_loss"],
            "there": [round(there, 3) for there, _ in found],
            "back": [round(back, 3) for _, back in found],
            "scores": {"agreement": round(sum(right) / TESTED, 3)},
        }

    about = {
        "corpus": f"{TAUGHT:,} pairs of answers to letters to the shop",
        "start": "assistant",
        "training": TRAINING,
        "habits": HABITS,
        "faults": list(RIVAL_FAULTS),
        "tested": {"faulty": TESTED, "equal": EQUAL},
    }
    arms = [{"habit": habit, "seed": seed} for seed in range(3) for habit in HABITS]
    return Experiment(about, train, arms)


def judged_pairs() -> list[Rivals]:
    """The pairs of every verdict in the record, in its order."""
    return [*make_rivals(TESTED, "test"), *make_rivals(EQUAL, "test", faults=("none",))]


def comparison(pair: Rivals) -> Comparison:
    return Comparison(pair.letter, pair.first, pair.second)


def lessons(pairs: list[Rivals]) -> Dataset:
    return Dataset.from_list([dict(judging_example(comparison(pair), pair.better)) for pair in pairs])
