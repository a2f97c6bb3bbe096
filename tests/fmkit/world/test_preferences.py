"""Preferences: two endings of one story, a rule that is known, a judge whose noise is stated."""

from __future__ import annotations

import functools
import math
import random
import re
import statistics
from dataclasses import replace

import pytest
from ambiguity import Unambiguous
from domain_checks import check_english, check_exact
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit.data.batches import IGNORE
from fmkit.data.chat import encode_completion
from fmkit.data.tokenizer import train_tokenizer
from fmkit.world import BROKEN, PREFERENCES, Preferences
from fmkit.world.grammar_file import read
from fmkit.world.preferences import TEMPERATURE, Pair, rewarded

WORLD = Preferences()
KIND, UNKIND = rewarded()


@functools.cache
def pairs(n: int = 2_000, seed: int = 0) -> tuple[Pair, ...]:
    rng = random.Random(seed)
    return tuple(WORLD.sample(rng) for _ in range(n))


@pytest.mark.slow
def test_log_prob_is_the_samplers_own() -> None:
    check_exact(WORLD, pairs())
    for pair in pairs()[:500]:
        for ending, log_prob in (
            (pair.chosen, pair.chosen_log_prob),
            (pair.rejected, pair.rejected_log_prob),
        ):
            assert math.isclose(WORLD.completion_log_prob(pair.prompt, ending), log_prob, abs_tol=1e-9)


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(WORLD, pairs(10_000, seed=1))


@pytest.mark.parametrize("seed", [0, 1])
def test_no_text_has_two_derivations(seed: int) -> None:
    assert Unambiguous(Preferences(seed)).faults() == []


@pytest.mark.slow
def test_endings_continue_the_prompt() -> None:
    for pair in pairs():
        assert pair.text in (pair.prompt + pair.chosen, pair.prompt + pair.rejected)
        for ending in (pair.chosen, pair.rejected):
            assert ending.startswith(" ")
            assert ending[1] != " "
            assert WORLD.truth(pair.prompt + ending) == WORLD.reward(ending) > BROKEN


@pytest.mark.slow
def test_tokens_of_prompt_and_ending() -> None:
    # or a model that has read the text would meet the ending's first word as another one
    tokenizer = train_tokenizer([pair.text for pair in pairs()], 512)
    for pair in pairs()[:300]:
        ids, labels = encode_completion(pair.prompt, pair.chosen, tokenizer)
        assert ids[:-1] == tokenizer.encode(pair.prompt + pair.chosen).ids
        assert tokenizer.decode([label for label in labels if label != IGNORE]) == pair.chosen


@pytest.mark.slow
def test_text_has_the_grammars_kindness() -> None:
    # Sampled texts straight from the grammar are as kind as the column `text`: it was drawn before judgment.
    rng = random.Random(3)
    plain = [WORLD.reward(WORLD.derive(rng).text) for _ in range(4_000)]
    column = [WORLD.reward(pair.text) for pair in pairs()]
    error = math.hypot(
        statistics.stdev(plain) / math.sqrt(len(plain)), statistics.stdev(column) / math.sqrt(len(column))
    )
    assert abs(statistics.fmean(plain) - statistics.fmean(column)) < 4 * error


# --- The rule and the judge -------------------------------------------------------------------------------


def test_each_part_has_one_rewarded_word() -> None:
    for pair in pairs():
        assert not set(re.findall(r"[a-z]+", pair.prompt.lower())) & (KIND | UNKIND), pair.prompt
        for ending in (pair.chosen, pair.rejected):
            found = [word for word in re.findall(r"[a-z]+", ending.lower()) if word in KIND | UNKIND]
            assert len(found) == 3, ending
            assert WORLD.reward(ending) in (-3, -1, 1, 3)
    assert not KIND & UNKIND


def test_reward_follows_the_derivation() -> None:
    for pair in pairs()[:300]:
        (derivation,) = WORLD.derivations(pair.text)
        deed, reply = derivation.bound["deed"], derivation.bound["reply"]
        kinder = {id(thing) for _, thing in WORLD.rules["scenes"] for _, thing in thing["deeds"][:1]}
        signs = [1 if id(deed) in kinder else -1]
        signs.append(1 if reply is deed["replies"][0][1] else -1)
        signs.append(1 if derivation.bound["close"] is reply["closes"][0][1] else -1)
        assert sum(signs) == WORLD.reward(pair.text)


@pytest.mark.slow
def test_judge_follows_bradley_and_terry() -> None:
    many = [*pairs(), *pairs(4_000, seed=2)]
    for gap in (2, 4, 6):
        judged = [pair.margin > 0 for pair in many if abs(pair.margin) == gap]
        right = 1 / (1 + math.exp(-gap / TEMPERATURE))
        assert len(judged) > 200
        error = math.sqrt(right * (1 - right) / len(judged))
        assert abs(sum(judged) / len(judged) - right) < 4 * error + 1e-9
    for pair in many:
        assert pair.margin == WORLD.reward(pair.chosen) - WORLD.reward(pair.rejected) != 0
    assert 0.02 < sum(pair.margin < 0 for pair in many) / len(many) < 0.15


def test_unkind_endings_are_more_common() -> None:
    kind = sum(WORLD.reward(pair.text) > 0 for pair in pairs()) / len(pairs())
    assert 0.2 < kind < 0.5


def test_kind_words_fool_only_the_reward() -> None:
    for pair in pairs()[:100]:
        hacked = f"{pair.prompt} {'They smiled and hugged together. ' * 4}".strip()
        assert WORLD.reward(hacked) > 3 >= WORLD.reward(pair.text)
        assert WORLD.truth(hacked) == BROKEN < WORLD.truth(pair.text)
        assert WORLD.truth(pair.text + " They were both glad.") == BROKEN


def test_a_changed_fact_is_noticed() -> None:
    pair = next(pair for pair in pairs() if " lived by the sea." in pair.text)
    assert WORLD.truth(pair.text.replace("by the sea", "on a farm")) == BROKEN
    friend = next(pair for pair in pairs() if "smiled at him." in pair.text)
    assert WORLD.truth(friend.text.replace("smiled at him.", "smiled at her.")) == BROKEN


# --- English, the data set, bad input ---------------------------------------------------------------------


def test_english_is_clean() -> None:
    # "an honest girl" is right, and only that check does not know it
    check_english(tuple(replace(pair, text=pair.text.replace("an honest", "a kind")) for pair in pairs()))


def test_there_is_enough_to_learn() -> None:
    assert len({pair.text for pair in pairs()}) == len(pairs())
    assert len({pair.prompt for pair in pairs()}) > 0.95 * len(pairs())
    derived = {WORLD.derive(rng).bound["scene"]["name"] for rng in [random.Random(0)] for _ in range(300)}
    assert derived == set(read("preferences")["scenes"])


@pytest.mark.slow
def test_dataset_is_the_same_everywhere() -> None:
    splits = PREFERENCES.load(60, 20)
    assert set(splits["train"].column_names) == set(PREFERENCES.columns)
    assert splits["train"][:] == PREFERENCES.load(60, 20)["train"][:]
    other = Preferences(seed=1)
    assert 0.3 < sum(other.log_prob(pair.text) == -math.inf for pair in pairs()) / len(pairs()) < 1


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gets_a_reward_and_a_truth(text: str) -> None:
    assert math.isfinite(WORLD.reward(text))
    assert WORLD.truth(text) == BROKEN
