"""What every domain of the world promises, as assertions that its tests call."""

from __future__ import annotations

import functools
import hashlib
import math
import random
import re
from collections import Counter
from typing import Any

from fmkit.world import DOMAINS, Source, World


@functools.cache
def world(name: str, seed: int = 0) -> Any:
    return DOMAINS[name].make(seed)


@functools.cache
def samples(name: str, n: int = 2_000, seed: int = 0) -> tuple[Any, ...]:
    rng = random.Random(seed)
    return tuple(world(name).sample(rng) for _ in range(n))


def check_exact(source: Source, texts: tuple[Any, ...]) -> None:
    """`log_prob` is what the sampler says, so no text has another derivation."""
    for sample in texts:
        assert math.isclose(source.log_prob(sample.text), sample.log_prob, rel_tol=0, abs_tol=1e-9), sample


def check_worlds(name: str) -> None:
    """Another seed of the world is another world; another seed of the samples is other texts of this one."""
    first = DOMAINS[name].load(50, 2)["train"]
    assert first[:] == DOMAINS[name].load(50, 2)["train"][:]
    of_another_seed = DOMAINS[name].load(50, 2, seed=1)["train"]
    assert not set(first["text"]) & set(of_another_seed["text"])
    foreign = [world(name, 1).log_prob(sample.text) for sample in samples(name, 200)]
    assert sum(log_prob == -math.inf for log_prob in foreign) > 0.6 * len(foreign)
    own = DOMAINS[name].load(50, 2, world=1)["train"]
    assert all(world(name, 1).log_prob(row["text"]) > -math.inf for row in own if row["log_prob"])


def check_english(texts: tuple[Any, ...]) -> None:
    for sample in texts:
        text = sample.text
        assert text == text.strip()
        assert not re.search(r"  | [.,!?]|[,!?]{2}|(?<!\.)\.\.(?!\.)|\b([A-Za-z]+) \1\b", text), text
        assert not re.search(
            r"\b[Aa] (?:[aeio]|u(?!ni|se)|8|11\b)|\b[Aa]n (?:[^aeiouX8\W]|[0-79])",
            text.replace("11-year", "8-year"),
        ), text
        assert len(re.findall('"', text)) % 2 == 0, text


def check_hash(name: str, digest: str) -> None:
    splits = DOMAINS[name].load(300, 100)
    assert (len(splits["train"]), len(splits["validation"])) == (300, 100)
    assert set(splits["train"].column_names) == set(DOMAINS[name].columns)
    texts = [*splits["train"]["text"], *splits["validation"]["text"]]
    assert hashlib.sha256("\n".join(texts).encode()).hexdigest() == digest, (
        "the texts changed: if meant, pin the new digest and train the models anew"
    )


def words(texts: Any) -> Counter[str]:
    return Counter(word for text in texts for word in re.findall(r"[a-z'-]+", text.lower()))


@functools.cache
def story_words() -> Counter[str]:
    stories, rng = World(), random.Random(0)
    return words(stories.sample(rng).text for _ in range(2_000))


def check_overlap(name: str) -> None:
    """A good part of the words are those of the stories, and many are not: no word list tells them apart."""
    own, stories = words(sample.text for sample in samples(name)), story_words()
    types = len(own.keys() & stories.keys()) / len(own)
    running = sum(count for word, count in own.items() if word in stories) / own.total()
    assert 0.3 < types < 0.6
    assert 0.5 < running < 0.75
