"""Support dialogs: exact, true to the shop's policies, and short enough for a small model."""

from __future__ import annotations

import functools
import json
import math
import random
import re
from collections import Counter, defaultdict
from typing import Any

import pytest
from ambiguity import Unambiguous
from domain_checks import check_english, check_exact
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit.data.tokenizer import train_tokenizer
from fmkit.world import SUPPORT, Grammar, Support, load_stories
from fmkit.world.grammar_file import read
from fmkit.world.support import Dialog, meaning

SHOP = Support()
INTENTS = read("support")["intents"]


@functools.cache
def dialogs(n: int = 2_000, seed: int = 0) -> tuple[Dialog, ...]:
    rng = random.Random(seed)
    return tuple(SHOP.sample(rng) for _ in range(n))


def of(intent: str, action: str = "") -> list[Dialog]:
    return [d for d in dialogs() if d.intent == intent and action in d.json]


@pytest.mark.slow
def test_log_prob_is_the_samplers_own() -> None:
    check_exact(SHOP, dialogs())
    for dialog in dialogs():
        conditional = SHOP.completion_log_prob(dialog.prompt, dialog.completion)
        assert math.isclose(conditional, dialog.completion_log_prob, abs_tol=1e-9)


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(SHOP, dialogs(10_000, seed=1))


@pytest.mark.parametrize("intent", INTENTS)
def test_no_dialog_has_two_derivations(intent: str) -> None:
    # The proof forgets what is bound, and intents are drawn in silence: so one proof for each intent.
    rules: dict[str, Any] = {**read("support")["rules"], "shop": SHOP.rules["shop"]}
    rules |= {name: list(rule) for name, rule in SHOP.rules.items() if isinstance(rule, list)}
    (rules["intent"],) = [each for _, each in SHOP.rules["intents"] if each["name"] == intent]
    rules["start"] = "{tone=intent.tones:text}\n{tone.reply}{intent.answer}{tone.close}"
    assert Unambiguous(Grammar(rules)).faults() == []


@pytest.mark.slow
def test_json_follows_from_the_prompt() -> None:
    for dialog in dialogs():
        readings = [meaning(derivation.bound) for derivation in SHOP.prompts.derivations(dialog.prompt)]
        assert readings == [json.loads(dialog.json)] == [SHOP.answer(dialog.prompt)]
        assert readings[0]["intent"] == dialog.intent
        assert readings[0]["item"] == dialog.item
        assert readings[0]["action"]
        assert dialog.item is None or dialog.item in dialog.prompt
    assert SHOP.answer("Where is my elephant?") is None


def test_text_and_messages() -> None:
    for dialog in dialogs():
        assert dialog.text == f"{dialog.prompt}\n{dialog.completion}"
        assert dialog.messages == [
            {"role": "user", "content": dialog.prompt},
            {"role": "assistant", "content": dialog.completion},
        ]


# --- Truth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialog", "pattern", "new"),
    [
        (of("return", "accept")[0], r"\d+ days\.$|\d+ days\. ", "99 days. "),
        (of("price")[0], r"\d+ dollars", "1 dollars"),
        (of("material")[0], r"made of \w+\.", "made of cake."),
        (of("broken", "replace")[0], r"warranty of \w+ years?", "warranty of nine years"),
        (of("change address")[0], r"order \d+", "order 000"),
    ],
    ids=["window", "price", "material", "warranty", "number"],
)
def test_a_wrong_answer_is_noticed(dialog: Dialog, pattern: str, new: str) -> None:
    wrong = re.sub(pattern, new, dialog.completion).strip()
    assert wrong != dialog.completion
    assert SHOP.completion_log_prob(dialog.prompt, dialog.completion) > -math.inf
    assert SHOP.completion_log_prob(dialog.prompt, wrong) == -math.inf


def test_another_answer_is_noticed() -> None:
    for yes, no in zip(of("return", "accept"), of("return", "refuse"), strict=False):
        assert SHOP.completion_log_prob(yes.prompt, no.completion) == -math.inf
        assert SHOP.completion_log_prob(no.prompt, yes.completion) == -math.inf


def test_return_needs_its_window() -> None:
    kinds = {item["name"]: item["kind"] for _, item in SHOP.rules["item"]}
    asked = Counter[bool]()
    for dialog in of("return"):
        assert dialog.item is not None
        days = int(re.findall(r"(\d+) days", dialog.prompt)[0])
        window = int(re.findall(r"(\d+) days", dialog.completion)[0])
        assert window == int(kinds[dialog.item]["window"])
        assert ("accept return" in dialog.json) == (days < window)
        asked[days < window] += 1
    assert min(asked.values()) > 20


@pytest.mark.slow
def test_facts_hold_within_a_shop() -> None:
    prices = defaultdict(set)
    for dialog in of("price"):
        prices[dialog.item].add(re.findall(r"\d+ dollars", dialog.completion)[0])
    assert len(prices) > 20
    assert all(len(price) == 1 for price in prices.values())
    other = Support(seed=1)
    foreign = [other.log_prob(dialog.text) for dialog in dialogs()]
    assert 0.3 < sum(log_prob == -math.inf for log_prob in foreign) / len(foreign) < 1
    assert {kind["window"] for kind in kinds(other)} == {kind["window"] for kind in kinds(SHOP)}
    assert [kind["window"] for kind in kinds(other)] != [kind["window"] for kind in kinds(SHOP)]


def kinds(shop: Support) -> list[dict[str, str]]:
    return list({item["kind"]["name"]: item["kind"] for _, item in shop.rules["item"]}.values())


# --- English, sizes, the data set -------------------------------------------------------------------------


def test_english_is_clean() -> None:
    check_english(dialogs())
    for dialog in dialogs():
        assert dialog.completion[-1] in ".!?"
        assert "\n" not in dialog.prompt + dialog.completion


def test_there_is_enough_to_learn() -> None:
    assert len({dialog.intent for dialog in dialogs()}) == len(INTENTS) >= 12
    assert len({dialog.text for dialog in dialogs()}) > 0.9 * len(dialogs())
    assert len({json.loads(dialog.json)["action"] for dialog in dialogs()}) >= 20


@pytest.mark.slow
def test_prompts_fit_a_small_model() -> None:
    stories = load_stories(3_000, 1)["train"]["text"]
    tokenizer = train_tokenizer([*stories, *(dialog.text for dialog in dialogs())], 1024)
    for column, most in (("prompt", 60), ("completion", 80), ("json", 80)):
        encoded = tokenizer.encode_batch([getattr(dialog, column) for dialog in dialogs()])
        assert max(len(encoding.ids) - 1 for encoding in encoded) <= most


def test_dataset_is_the_same_everywhere() -> None:
    splits = SUPPORT.load(60, 20)
    assert set(splits["train"].column_names) == set(SUPPORT.columns)
    assert splits["train"][:] == SUPPORT.load(60, 20)["train"][:]
    assert splits["train"]["text"] != SUPPORT.load(60, 20, seed=1)["train"]["text"]
    assert splits["train"]["text"] != SUPPORT.load(60, 20, world=1)["train"]["text"]


# --- Bad input --------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1_999), st.floats(0, 1), st.text(max_size=8))
def test_any_text_gets_a_probability(which: int, where: float, new: str) -> None:
    text = dialogs()[which].text
    at = int(where * len(text))
    changed = text[:at] + new + text[at + len(new) :]
    log_prob = SHOP.log_prob(changed)
    assert log_prob <= 0
    assert (changed != text) or log_prob > -math.inf
    prompt, _, completion = changed.partition("\n")
    assert SHOP.completion_log_prob(prompt, completion) <= 1e-9
