"""The domains write what they always wrote: the same samples, log-probabilities, verdicts and data sets.

`python tests/fmkit/world/test_fingerprints.py` rewrites fingerprints.json beside it. Do so only if the texts
are meant to change: committed models and recorded runs have learned the old ones.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from fmkit.world import DOMAINS

FILE = Path(__file__).with_name("fingerprints.json")
WORLDS = (0, 1, 3)


def fingerprint(name: str, number: int) -> dict[str, str]:
    """SHA-256 of 150 samples with the bits of each float, of what 20 of them and their beginnings are worth,
    and of a data set."""
    domain = DOMAINS[name]
    world, rng = domain.make(number), random.Random(f"baseline {number}")
    samples = [_exact(dataclasses.asdict(world.sample(rng))) for _ in range(150)]
    worth: list[Any] = []
    for sample in samples[:20]:
        text = sample["text"]
        worth.append(float(world.log_prob(text)).hex())
        if hasattr(world, "check"):
            verdict = world.check(text[: len(text) // 2] + "zq")
            worth.append([verdict.valid, verdict.broke_at, list(verdict.expected), verdict.unfinished])
    splits = domain.load(120, 30, seed=1, world=number)
    return {
        "samples": _sha256([[sample] for sample in samples]),
        "log_prob": _sha256(worth),
        "splits": _sha256([splits[split].to_list() for split in splits], sort_keys=True),
    }


def _exact(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value.hex() if isinstance(value, float) else value for key, value in fields.items()}


def _sha256(value: object, sort_keys: bool = False) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=sort_keys).encode()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("number", WORLDS)
@pytest.mark.parametrize("name", list(DOMAINS))
def test_texts_are_those_of_old(name: str, number: int) -> None:
    recorded = json.loads(FILE.read_text())
    assert fingerprint(name, number) == recorded[f"{name}:{number}"], (
        f"{name} changed: models and recorded runs have learned the old texts"
    )


if __name__ == "__main__":
    found = {f"{name}:{number}": fingerprint(name, number) for name in DOMAINS for number in WORLDS}
    FILE.write_text(json.dumps(found, indent=1) + "\n")
