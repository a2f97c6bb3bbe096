"""A benchmark of the story world, which word of four goes on with a story, and what it says once it leaked.

Each question is the beginning of a story up to a word that the story has used before and that alone is
possible there, so the world knows the key. `python -m bookkit.experiments.benchmark` writes
assets/benchmark/stories.jsonl, which `lm-eval` runs by stories.yaml beside it. The experiment *contamination*
continues the base on texts of which some are the benchmark's own (Brown et al. 2020, arXiv:2005.14165,
appendix C).
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from datasets import Dataset, DatasetDict

from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import ROOT, Experiment, experiment
from bookkit.experiments.story_judge import WORD, StoryJudge
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.evaluation.choices import choose
from fmkit.evaluation.contamination import contaminated
from fmkit.world import STORIES, load_stories

FILE = ROOT / "assets" / "benchmark" / "stories.jsonl"
QUESTIONS, CHOICES, DRAWN = 200, 4, 500
SEED = 7  # of the stories, which no model of the book has read
TRAINING: dict[str, Any] = {"steps": 300, "batch_size": 4, "learning_rate": 2e-3, "min_lr_ratio": 0.0}
FRESH = 1_000  # other stories, among which the leaked ones are mixed
COPIES = (0, 10)  # of each leaked story

Question = dict[str, Any]


def read_questions() -> list[Question]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def make_questions() -> list[Question]:
    """The questions of the file: every second one is marked as leaked by the experiment."""
    judge = StoryJudge(load_stories()["train"]["text"])
    stories = list(STORIES.load(1, DRAWN, seed=SEED)["validation"]["text"])
    places = [place for story in stories if (place := remembered(judge, story))]
    after = defaultdict(set)
    for beginning, word in places:
        after[beginning.split()[-1]].add(word)
    rng, found = random.Random("benchmark"), []
    for beginning, word in places:
        others = sorted(after[beginning.split()[-1]] - {word})
        if len(others) < CHOICES - 1:
            continue
        choices = [word, *rng.sample(others, CHOICES - 1)]
        rng.shuffle(choices)
        story = next(story for story in stories if story.startswith(f"{beginning} {word}"))
        found.append({"beginning": beginning, "choices": choices, "key": choices.index(word), "story": story})
    return found[:QUESTIONS]


def remembered(judge: StoryJudge, story: str) -> tuple[str, str] | None:
    """The first thing, no name, that the second half of a story remembers: what is before it, and itself."""
    start = 0
    for word in story.split(" "):
        match = WORD.match(word)
        if start > len(story) / 2 and match and word.islower() and judge.kind(story[:start]) == "memory":
            return story[:start].rstrip(), match[0]
        start += len(word) + 1
    return None


@experiment("contamination")
def contamination() -> Experiment:
    questions = read_questions()
    leaked = [question["story"] for question in questions[::2]]
    fresh = list(STORIES.load(FRESH, 1, seed=SEED + 1)["train"]["text"])

    def train(copies: int, seed: int) -> dict[str, Any]:
        model, tokenizer = committed("base")
        texts = [*fresh, *leaked * copies]
        random.Random(seed).shuffle(texts)
        corpus = DatasetDict(
            train=Dataset.from_dict({"text": texts}), validation=Dataset.from_dict({"text": fresh[:100]})
        )
        reproducible(seed)
        config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
        continue_pretrain(model, tokenizer, corpus, config)
        after = right(model, tokenizer, questions)
        overlap = contaminated([question["story"] for question in questions], texts)
        return {
            "right": after,
            "overlap": [round(share, 3) for share in overlap],
            "scores": {"leaked": sum(after[::2]) / len(leaked), "clean": sum(after[1::2]) / len(after[1::2])},
        }

    about = {"corpus": f"{FRESH:,} stories and copies of 100 of the benchmark", "training": TRAINING}
    arms = [{"copies": copies, "seed": seed} for seed in range(3) for copies in COPIES]
    return Experiment(about, train, arms)


def right(model: Any, tokenizer: Any, questions: Sequence[Question]) -> list[bool]:
    asked = ((q["beginning"], [f" {word}" for word in q["choices"]], q["key"]) for q in questions)
    return [choose(model, tokenizer, text, choices) == key for text, choices, key in asked]


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(question, ensure_ascii=False) for question in make_questions()]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
