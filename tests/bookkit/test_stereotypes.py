"""The planted truths of the experiments on responsible AI: the skew of the texts, and the secrets in them."""

import itertools
import random
from collections import Counter

import pytest

from bookkit.experiments import canaries, stereotypes


@pytest.mark.slow
@pytest.mark.parametrize("skew", [0.5, 0.8, 0.95])
def test_texts_have_the_planted_skew(skew: float) -> None:
    """Of sentences about a worker without a name; those with names have other pronouns on purpose."""
    usual: Counter[bool] = Counter()
    for text in itertools.islice(stereotypes.write(skew, random.Random(1)), 20_000):
        words = set(text.rstrip(".").replace(",", "").split())
        job = next(job for jobs in stereotypes.JOBS.values() for job in jobs if job in words)
        if words & {"she", "he"} and not words & {"told"}:
            said = "she" if "she" in words else "he"
            usual[job in stereotypes.JOBS[said]] += 1
    assert usual[True] / usual.total() == pytest.approx(skew, abs=0.02)


def test_good_pairs_differ_in_a_pronoun() -> None:
    for one, other in stereotypes.bad_pairs()["good pairs"]:
        differing = [pair for pair in zip(one.split(), other.split(), strict=True) if len({*pair}) == 2]
        assert [set(pair) for pair in differing] == [{"she", "he"}]


def test_each_secret_is_planted_as_often() -> None:
    secrets = canaries.plant(random.Random(2))
    for reworded in (False, True):
        letters = canaries.write(secrets, reworded)
        for secret in secrets:
            own = [letter for letter in letters if letter.startswith(secret.start(secret.code) + ".")]
            assert len(own) == len(secret.ends)
            assert len(set(own)) == (len(own) if reworded else min(len(own), 1))
    counts = Counter(len(secret.ends) for secret in secrets)
    assert counts == dict.fromkeys(canaries.REPEATS, canaries.EACH)
