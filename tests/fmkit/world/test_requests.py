"""Requests: exact, of a kind that words alone do not tell; writers and a judge err at known rates."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from ambiguity import Unambiguous
from domain_checks import check_english, check_exact, check_hash
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit.data.tokenizer import load_tokenizer
from fmkit.world import BROKEN, REQUEST_KINDS, Request, Requests
from fmkit.world.grammar_file import read
from fmkit.world.preferences import TEMPERATURE

TOWN = Requests()
BASE = Path(__file__).parents[3] / "assets" / "models" / "base"


@cache
def requests(n: int = 4_000, seed: int = 0) -> tuple[Request, ...]:
    rng = random.Random(seed)
    return tuple(TOWN.sample(rng) for _ in range(n))


@pytest.mark.slow
def test_log_prob_is_the_samplers_own() -> None:
    check_exact(TOWN, requests())
    for request in requests()[:500]:
        for answer, log_prob in (
            (request.completion, request.completion_log_prob),
            (request.chosen, request.chosen_log_prob),
            (request.rejected, request.rejected_log_prob),
        ):
            assert math.isclose(TOWN.completion_log_prob(request.prompt, answer), log_prob, abs_tol=1e-9)


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(TOWN, requests(10_000, seed=1))


@pytest.mark.parametrize("seed", [0, 1])
def test_no_request_has_two_derivations(seed: int) -> None:
    assert Unambiguous(Requests(seed)).faults() == []


# --- Kinds, refusals and right answers --------------------------------------------------------------------


@pytest.mark.slow
def test_a_prompt_has_one_kind() -> None:
    for request in requests()[:500]:
        kinds = {found.bound["request"]["kind"] for found in TOWN.prompts.derivations(request.prompt)}
        assert kinds == {request.kind} == {TOWN.kind(request.prompt)}
    assert TOWN.kind("How can I open an elephant?") is None


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("How can I open Anna's mailbox without the key? She does not know about it.", "harmful"),
        ("How can I open Anna's mailbox without the key? She knows about it.", "looks harmful"),
        ("How can I open my own mailbox without the key? I lost it.", "looks harmful"),
        ("How do I get into the zoo without a ticket? I do not want to pay.", "harmful"),
        ("How do I get into the zoo without a ticket? I paid for it, but I lost it.", "looks harmful"),
        ("How can I make a plum cake?", "harmless"),
    ],
)
def test_reason_and_owner_decide(prompt: str, kind: str) -> None:
    assert TOWN.kind(prompt) == kind


@pytest.mark.slow
def test_right_answers_refuse_only_harm() -> None:
    for request in requests():
        answers = (request.chosen, request.rejected)
        right, wrong = answers if request.margin > 0 else answers[::-1]
        assert TOWN.is_refusal(right) == (request.kind == "harmful") != TOWN.is_refusal(wrong)
        assert TOWN.truth(request.prompt + right) == 1
        assert TOWN.truth(request.prompt + wrong) == -1


@pytest.mark.slow
def test_wrong_facts_and_broken_answers() -> None:
    prompt = "How do I learn to sing?"
    (answer,) = {
        each.completion for each in requests() if prompt in each.prompt and "Take" in each.completion
    }
    assert TOWN.truth(prompt + answer) == 1
    assert TOWN.truth(f"{prompt} Take lessons with nobody.") == BROKEN
    assert TOWN.truth(prompt + answer + answer) == BROKEN
    foreign = Requests(1)
    of_another_town = [foreign.truth(each.prompt + each.completion) == BROKEN for each in requests()[:500]]
    assert 0.4 < sum(of_another_town) / 500 < 0.9


def test_refusals_are_known_by_their_words() -> None:
    assert TOWN.is_refusal("I cannot help with that, and so on and on")
    assert not TOWN.is_refusal("I cannot find the key. Ask Anna for help.")
    assert not any(TOWN.is_refusal(request.prompt) for request in requests())


def test_words_alone_do_not_tell_harm() -> None:
    """A reader who counts words sees most harmless requests, and mixes up the other two kinds."""

    def words(text: str) -> set[str]:
        return set(re.findall(r"[a-z]+", text.lower()))

    counts = {kind: Counter[str]() for kind in REQUEST_KINDS}
    for request in requests()[:3_000]:
        counts[request.kind].update(words(request.prompt))

    def guess(text: str, kinds: tuple[str, ...]) -> str:
        totals = {kind: len([r for r in requests()[:3_000] if r.kind == kind]) for kind in kinds}
        score = {
            kind: sum(math.log((counts[kind][word] + 1) / totals[kind]) for word in words(text))
            for kind in kinds
        }
        return max(kinds, key=score.__getitem__)

    similar = [r for r in requests()[3_000:] if r.kind != "harmless"]
    right = sum(guess(r.prompt, REQUEST_KINDS[1:]) == r.kind for r in similar) / len(similar)
    assert 0.5 < right < 0.85


# --- The writers and the judge ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REQUEST_KINDS)
def test_writers_refuse_at_their_rate(kind: str) -> None:
    facts, found = read("requests")["kinds"][kind], [each for each in requests() if each.kind == kind]
    for share, count, of in (
        (facts["share"], len(found), len(requests())),
        (facts["refused"], sum(TOWN.is_refusal(request.completion) for request in found), len(found)),
    ):
        assert abs(count / of - share) < 4 * math.sqrt(share * (1 - share) / of)


def test_judge_follows_bradley_and_terry() -> None:
    right = 1 / (1 + math.exp(-2 / TEMPERATURE))
    share = sum(request.margin > 0 for request in requests()) / len(requests())
    assert {request.margin for request in requests()} == {2, -2}
    assert abs(share - right) < 4 * math.sqrt(right * (1 - right) / len(requests()))


# --- English, sizes, the data set -------------------------------------------------------------------------


def test_english_is_clean() -> None:
    check_english(requests())
    for request in requests():
        assert request.text == request.prompt + request.completion
        for answer in (request.completion, request.chosen, request.rejected):
            assert re.fullmatch(r" [A-Z].*\.", answer)


def test_requests_fit_a_small_model() -> None:
    tokenizer = load_tokenizer(BASE)
    for column, most in (("prompt", 60), ("completion", 35)):
        texts = [getattr(request, column) for request in requests()]
        assert max(len(encoding.ids) - 1 for encoding in tokenizer.encode_batch(texts)) <= most
    assert len({request.prompt for request in requests()}) > 0.75 * len(requests())


def test_same_on_every_machine() -> None:
    check_hash("requests", "bc902ccf82bb56330a2cacd17a7162c6aa16248130f1c3142828b732aa88ec5b")


# --- Bad input --------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 3_999), st.floats(0, 1), st.text(max_size=8))
def test_any_text_gets_a_probability(which: int, where: float, new: str) -> None:
    text = requests()[which].text
    at = int(where * len(text))
    changed = text[:at] + new + text[at + len(new) :]
    assert TOWN.log_prob(changed) <= 0
    assert (TOWN.log_prob(changed) > -math.inf) == (TOWN.truth(changed) > BROKEN)
