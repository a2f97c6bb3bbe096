"""Clinical notes: exact, consistent, and of one world."""

from __future__ import annotations

import functools
import math
import random
import re
from collections import defaultdict

import pytest
from ambiguity import Unambiguous
from domain_checks import check_english, check_exact, check_hash, check_overlap, check_worlds, samples, world

from fmkit.world.grammar_file import read

notes = functools.partial(samples, "medical")
MEDICAL = world("medical")


@pytest.mark.slow
def test_log_prob_is_the_samplers_own() -> None:
    check_exact(MEDICAL, notes())


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(MEDICAL, samples("medical", 10_000, 1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_no_note_has_two_derivations(seed: int) -> None:
    assert Unambiguous(world("medical", seed)).faults() == []


def test_what_is_not_true_is_noticed() -> None:
    note = next(n for n in notes() if re.search(r"\((\d+) tablets\)", n.text) and " He " in n.text)
    tablets = re.search(r"(\d+) tablets", note.text)
    assert tablets is not None
    for right, wrong in (
        (f"({tablets[1]} tablets)", f"({int(tablets[1]) + 1} tablets)"),
        (" He ", " She "),
        (note.drug, next(n.drug for n in notes() if n.drug != note.drug)),
        (note.condition, next(n.condition for n in notes() if n.condition != note.condition)),
    ):
        assert right in note.text
        assert MEDICAL.log_prob(note.text.replace(right, wrong)) == -math.inf


def test_condition_and_patient_keep_facts() -> None:
    drugs, ages, allergies = defaultdict(set), defaultdict(set), defaultdict(set)
    for note in notes():
        drugs[note.condition].add(note.drug)
        for name, age in re.findall(r"([A-Z]\w+ [A-Z]\w+), (?:an? )?(\d+)", note.text):
            ages[name].add(age)
        for name, allergy in re.findall(r"(\b(?!He|She)[A-Z]\w+) is allergic to ([\w ]+)\.", note.text):
            allergies[name].add(allergy)
    assert len(drugs) == 24
    assert len(ages) > 50
    for facts in (drugs, ages, allergies):
        assert facts
        assert all(len(each) == 1 for each in facts.values())


def test_temperatures_fall_by_what_is_said() -> None:
    falls = [re.findall(r"(\d\d?\.\d) degrees", note.text) for note in notes() if note.plot == "night note"]
    assert len(falls) > 50
    for before, after, by in falls:
        assert math.isclose(float(before) - float(after), float(by), abs_tol=1e-9)


def test_english_is_clean() -> None:
    check_english(notes())
    assert {note.plot for note in notes()} == set(read("medical")["plots"])
    assert len({note.text for note in notes()}) > 0.99 * len(notes())
    assert max(len(note.text.split()) for note in samples("medical", 2_000)) <= 100


def test_words_overlap_with_the_stories() -> None:
    check_overlap("medical")


@pytest.mark.slow
def test_another_seed_has_other_facts() -> None:
    check_worlds("medical")
    assert {n.drug for n in notes()} != {
        world("medical", 1).sample(rng).drug for rng in [random.Random(0)] for _ in range(500)
    }


def test_same_on_every_machine() -> None:
    check_hash("medical", "8cfac79abd19bff868754dda45ebe9599e38b0da67cc167d6779821823cd64f9")
