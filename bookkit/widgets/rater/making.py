"""How assets/rater/pairs.json is made: pairs, what a model computes of them, and how others judge."""

import json
import math
import random
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from bookkit.widgets.rater import COMPONENTS, FILE, HELD_OUT, LENGTH, Pair
from fmkit.assets import asset
from fmkit.data.example_batches import collate_pairs, example_batches, tokenize_pairs
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.preferences import scores
from fmkit.model import open_model
from fmkit.world import Preferences

# How the prompts of the grammar's scenes end.
SCENES = (
    "could not find",
    "had (forgotten|lost|dropped)",
    "broke",
    "fell (into|off|over)",
    "new at school",
    "had to carry",
    "both wanted",
    "was cold",
    "won a",
    "made",
)


def make() -> list[Pair]:
    """The pairs of the file, the same each time."""
    world, rng = Preferences(), random.Random("validation 0")  # as the validation split is drawn
    drawn = [world.sample(rng) for _ in range(4 * HELD_OUT)]
    sides, rows = random.Random("rater"), []
    for pair in drawn:
        judge = 1 if sides.random() < 0.5 else -1  # the side of the ending that the judge chose
        first, second = (pair.chosen, pair.rejected)[::judge]
        lead = world.truth(pair.prompt + first) - world.truth(pair.prompt + second)
        rows.append({"prompt": pair.prompt, "first": first, "second": second, "lead": lead, "judge": judge})
    rated = to_rate(rows[: 2 * HELD_OUT])
    held_out, others = rows[2 * HELD_OUT : 3 * HELD_OUT], rows[3 * HELD_OUT :]
    start = open_model(asset("models/preference-start"))
    basis = principal(np.stack([states(start, row) for row in others]))
    words = math.sqrt(np.mean([word_lead(row) ** 2 for row in others]))
    scores = reward_leads(open_model(asset("models/preference-reward")), rated + held_out)
    for row, score in zip(rated + held_out, scores, strict=True):
        x = [*(states(start, row) @ basis), LENGTH * word_lead(row) / words]
        row |= {"score": round(score, 2), "x": [round(float(number), 3) for number in x]}
        row |= {"first": row["first"].strip(), "second": row["second"].strip()}
    return rated + held_out


def to_rate(rows: Sequence[Pair]) -> list[Pair]:
    """Twelve pairs in which the rule says nothing of length or side: for each lead of 2, 4 and 6 the better
    ending is once longer and on the left, once longer and on the right, once shorter and on either."""
    found: dict[tuple[float, bool, bool], Pair] = {}
    scenes: list[str] = []  # that are there, each no more than twice
    for row in sorted(rows, key=lambda row: len(row["prompt"])):  # short ones, for the reader's sake
        key = (abs(row["lead"]), word_lead(row) * row["lead"] > 0, row["lead"] > 0)
        scene = next(scene for scene in SCENES if re.search(scene, row["prompt"]))
        if word_lead(row) and key not in found and scenes.count(scene) < 2:
            found[key] = row
            scenes.append(scene)
    chosen = [found[key] for key in sorted(found)]
    random.Random("rater").shuffle(chosen)
    return chosen


def word_lead(row: Pair) -> int:
    return len(row["first"].split()) - len(row["second"].split())


def states(model: Any, row: Pair) -> np.ndarray:
    """The mean of the last layer's states over an ending's tokens, the first one's less the second one's."""
    start, means = len(model.tokenizer.encode(row["prompt"]).ids), []
    for ending in (row["first"], row["second"]):
        ids = torch.tensor([model.tokenizer.encode(row["prompt"] + ending).ids])
        with torch.inference_mode():
            means.append(model.hidden_states(ids)[0, start:].mean(0).numpy())
    return np.asarray(means[0] - means[1])


def principal(differences: np.ndarray) -> np.ndarray:
    """What turns a difference of states (64) into COMPONENTS numbers whose squares add up to 1 on average.

    Every state is first divided by its size, as none is more important by itself.
    """
    sizes = np.sqrt((differences**2).mean(0))
    _, _, directions = np.linalg.svd(differences / sizes, full_matrices=False)
    basis = directions[:COMPONENTS].T
    basis *= np.sign(basis[np.abs(basis).argmax(0), np.arange(COMPONENTS)])  # which a processor may turn
    found = (differences / sizes) @ basis
    return np.asarray(basis / sizes[:, None] / math.sqrt((found**2).sum(1).mean()))


def reward_leads(model: Any, rows: Sequence[Pair]) -> list[float]:
    """The reward that the committed model gives the first ending, less the second one's."""
    pairs = Dataset.from_list(
        [{"prompt": r["prompt"], "chosen": r["first"], "rejected": r["second"]} for r in rows]
    )
    tokens = tokenize_pairs(pairs, model.tokenizer, model.config.max_position_embeddings)
    collate = partial(collate_pairs, pad_id=special_id(model.tokenizer, PAD))
    first, second = scores(model, example_batches(tokens, 16, collate))
    return [float(lead) for lead in first - second]


def judged() -> int:
    """How many judged pairs the committed reward model learned from: a batch of them a step."""
    record = json.loads(asset("models/preference-reward/record.json").read_text(encoding="utf-8"))
    return math.prod(
        int(number) for number in re.findall(r"--(?:steps|batch-size) (\d+)", record["commands"][-1])
    )


def main() -> None:
    lines = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in make())
    head = f'"command": "python -m bookkit.widgets.rater", "judged": {judged()}'
    Path(FILE).parent.mkdir(parents=True, exist_ok=True)
    Path(FILE).write_text(f'{{{head}, "pairs": [\n{lines}\n]}}\n', encoding="utf-8")
