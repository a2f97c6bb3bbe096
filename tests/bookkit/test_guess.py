"""The guess box: the record's faults, the five steps by mouse and keyboard, without a script, accessible."""

import json
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import tiny
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from quiz_book import GUESS as GOOD

from bookkit.widgets import guess
from fmkit import Transformer
from fmkit.errors import FmkitError

FAULTS = [
    ({"top": GOOD["top"][:2]}, "three words or more"),
    ({"top": GOOD["top"][::-1]}, "the likeliest word comes first"),
    ({"top": [GOOD["top"][0]] * 3}, "is there twice"),
    ({"top": [{"word": "x", "p": 1.5}]}, "at most 1"),
    ({"top": [{"word": "x", "p": "high"}]}, "p must be a number"),
    (
        {"top": [{"word": "x", "p": 0.9}, {"word": "y", "p": 0.9}, {"word": "z", "p": 0.9}]},
        "together are 1",
    ),
    ({"top": {}}, "top must be a list"),
    ({"prompt": ""}, "prompt is empty"),
    ({"seed": 1}, "no key 'seed'"),
]


def read(folder: Path, content: str) -> guess.Record:
    path = folder / "record.json"
    path.write_text(content, encoding="utf-8")
    return guess.read_record(path, "record.json")


@pytest.mark.parametrize(("change", "words"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_a_fault_is_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(FmkitError, match=re.escape(words)) as error:
        read(tmp_path, json.dumps(GOOD | change, indent=1))
    assert re.fullmatch(r"record\.json:\d+: [^\n]+", str(error.value))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(p=st.floats() | st.text(max_size=8) | st.none(), token=st.text(max_size=8))
def test_any_token(tmp_path: Path, p: Any, token: str) -> None:
    content = json.dumps(GOOD | {"top": [{"word": token, "p": p}, *GOOD["top"]]})
    try:
        outcome: Any = read(tmp_path, content)
    except FmkitError as error:
        outcome = re.fullmatch(r"record\.json:\d+: [^\n]+", str(error))
    assert outcome


def test_recording(tmp_path: Path, model: Transformer, tokenizer: Any) -> None:
    model.tokenizer = tokenizer
    model.save_pretrained(tmp_path)
    top = guess.record(str(tmp_path), "Once upon a time")
    assert len(top) == guess.TOP
    assert top == sorted(top, key=lambda one: -one["p"])
    assert 0 < sum(one["p"] for one in top) <= 1
    assert len({one["word"] for one in top}) == guess.TOP


def test_a_word_of_several_tokens_is_whole(tmp_path: Path, model: Transformer, tokenizer: Any) -> None:
    """A model that is sure of the token after each token spells its word out, and stops at the space."""
    ids = tokenizer.encode("x upon").ids[-1:] + tokenizer.encode("xzq").ids[-2:]  # " upon", "z", "q"
    spell = dict(zip([tokenizer.encode("a").ids[-1], *ids], [*ids, guess_end(tokenizer)], strict=True))

    def certain(input_ids: Any) -> Any:
        logits = torch.full((1, input_ids.shape[1], model.config.vocab_size), -20.0)
        logits[0, -1, spell[input_ids[0, -1].item()]] = 20.0
        return logits

    model.tokenizer = tokenizer
    with mock.patch.object(Transformer, "from_pretrained", return_value=mock.Mock(wraps=model)) as opened:
        opened.return_value.eval.return_value = mock.Mock(
            side_effect=certain, config=model.config, tokenizer=tokenizer
        )
        top = guess.record(str(tmp_path), "a")
    assert top == [{"word": "uponzq", "p": 1.0}]


def guess_end(tokenizer: Any) -> int:
    return int(tokenizer.encode("x upon").ids[-1])


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/guess", **options)


def said(page: Page) -> tuple[str, str]:
    parts = [page.locator(part).text_content() or "" for part in (".fm-guess-result", ".fm-guess-loss")]
    return parts[0], parts[1].replace("\u00a0", " ")


def test_by_keyboard(visit: Any) -> None:
    page = visit()
    table = page.locator(".fm-guess-table")
    expect(table, "the answer is not in sight before the guess").to_be_hidden()
    page.get_by_label("Your next word").fill("Midnight")
    page.keyboard.press("Enter")
    assert said(page) == (
        "“midnight” is number 2 on the model’s list, with a probability of 30.0%.",
        "For your word, the loss is −log 0.3 = 1.20 nats.",
    )
    expect(table).to_be_visible()
    assert table.locator("tr.own").inner_text().startswith("2\tmidnight")
    assert page.locator("[aria-current=step] b").inner_text().strip() == "Compare."
    page.get_by_role("button", name="Guess again").press("Enter")
    assert said(page) == ("", "")
    expect(table).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "INPUT"


def test_by_mouse(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="Compare").click()
    assert said(page)[0] == "Type a word, or pick one."
    page.locator(".fm-guess-pick").first.click()
    assert said(page)[0].startswith("“'s” is number 3 on")
    page.get_by_label("Your next word").fill(" ")
    page.get_by_role("button", name="Compare").click()
    assert said(page) == ("Type a word, or pick one.", ""), "nothing is left of the guess before"


@pytest.mark.parametrize("guess", ["midnight.", "the midnight", "“A Midnight!”", "midnight snack", "'s"])
def test_a_guess_is_found_by_its_word(visit: Any, guess: str) -> None:
    page = visit()
    page.get_by_label("Your next word").fill(guess)
    page.keyboard.press("Enter")
    rank, word = (3, "'s") if guess == "'s" else (2, "midnight")
    assert said(page)[0].startswith(f"“{word}” is number {rank} on the model’s list")
    assert page.locator(".fm-guess-blank").text_content() == word


@pytest.mark.parametrize("guess", ["the", "an", "night", "mid-night", "…"])
def test_other_words_are_not_found(visit: Any, guess: str) -> None:
    page = visit()
    page.get_by_label("Your next word").fill(guess)
    page.keyboard.press("Enter")
    assert "is not among" in said(page)[0]


def test_what_is_typed_stays_text(visit: Any) -> None:
    page = visit()
    page.get_by_label("Your next word").fill("<img src=x onerror=a()>")
    page.keyboard.press("Enter")
    assert said(page)[0] == (
        "“<img src=x onerror=a()>” is not among the model’s first 3: it has a probability below 5.0%."
    )
    expect(page.locator(".fm-guess img")).to_have_count(0)


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_before_and_after(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    faults = tiny.faults(page, ".fm-guess")
    page.locator(".fm-guess-pick").first.click()
    page.locator(".fm-guess summary").click()
    faults += tiny.faults(page, ".fm-guess")
    faults += tiny.small_targets(page, ".fm-guess :is(.fm-button, input, summary)")
    assert not faults, "\n".join(faults)


def test_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.locator(".fm-guess-table")).to_be_visible()
    expect(page.get_by_text("−log 0.6000 = 0.51 nats")).to_be_visible()
    expect(page.get_by_role("button", name="Compare")).to_be_hidden()
    assert page.locator(".fm-guess pre").text_content().strip() == GOOD["command"]
