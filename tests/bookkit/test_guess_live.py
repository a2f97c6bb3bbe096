"""The guess box asks the model that was recorded: for any word, and after a beginning of the reader's own."""

import math
import re
from pathlib import Path
from typing import Any

import prompt_book
import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import guess

PROMPT = prompt_book.RECORD["prompt"]
OWN = "Once upon a time, there was a"


@pytest.fixture(scope="session")
def tiny_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prompt_book.built(tmp_path_factory.getbasetemp() / "prompts")


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/guess", **options)


def compare(page: Page, word: str) -> None:
    page.get_by_label("Your next word").fill(word)
    page.keyboard.press("Enter")


def begin(page: Page, text: str) -> None:
    if not page.locator(".fm-guess-own").get_attribute("open"):
        page.locator(".fm-guess-own").evaluate("(one) => { one.open = true; }")
    page.get_by_label("How your story begins").fill(text)
    page.get_by_role("button", name="Use it").click()


def nats(page: Page) -> float:
    found = re.search(r"([0-9.]+)\snats", page.locator(".fm-guess-loss").text_content() or "")
    assert found
    return float(found[1])


def true_nats(prompt: str, word: str) -> float:
    """−log of what torch computes: the word's tokens, and then something that does not go on with it."""
    model = prompt_book.opened("base")
    start, ids = model.tokenizer.encode(prompt).ids, model.tokenizer.encode(f"{prompt} {word}").ids
    after = prompt_book.probabilities(model, ids)
    pieces = [model.tokenizer.decode([token]) for token in range(model.config.vocab_size)]
    ends = [not (piece[:1].isalpha() or piece[:1] == "'") for piece in pieces]
    logs = [after[at - 1, ids[at]].log().item() for at in range(len(start), len(ids))]
    return -sum(logs) - math.log(sum(p for p, end in zip(after[-1].tolist(), ends, strict=True) if end))


@pytest.mark.parametrize("word", ["basket", "bathtub", "shadow"])
def test_another_word_is_asked(visit: Any, word: str) -> None:
    page = visit()
    compare(page, word)
    expect(page.locator(".fm-guess-loss")).to_contain_text("nats")
    expect(page.locator(".fm-guess-result")).to_contain_text(
        "not among the model’s first 10. Its probability is "
    )
    assert nats(page) == pytest.approx(true_nats(PROMPT, word), abs=0.02)


def test_case_and_article_do_not_count(visit: Any) -> None:
    page = visit()
    compare(page, "The Basket!")
    expect(page.locator(".fm-guess-loss")).to_contain_text("nats")
    assert nats(page) == pytest.approx(true_nats(PROMPT, "basket"), abs=0.02)
    assert page.locator(".fm-guess-blank").text_content() == "basket"
    expect(page.locator(".fm-guess-result")).to_contain_text("“basket” is not among the model’s first 10.")


def test_factors_have_names(visit: Any) -> None:
    """A space and part of a symbol cannot be read by themselves."""
    page = visit()
    compare(page, "12")
    expect(page.locator(".fm-guess-loss")).to_contain_text("Its probability is a space 0.0")
    compare(page, "😀")
    expect(page.locator(".fm-guess-loss")).to_contain_text("part of a symbol")
    compare(page, "bed")
    expect(page.locator(".fm-guess-loss")).to_contain_text("“bed” 0.32% × the end of the word ")


def test_the_record_is_the_models(visit: Any, tmp_path: Path) -> None:
    """What the page searches after the recorded prompt is what was recorded."""
    page = visit()
    recorded = page.locator("tbody tr").evaluate_all(
        "(rows) => rows.map(({ dataset }) => [dataset.word, dataset.p])"
    )
    begin(page, PROMPT)
    expect(page.locator("caption")).to_have_text("The model’s first 10 after your beginning, asked just now")
    searched = page.locator("tbody tr").evaluate_all(
        "(rows) => rows.map(({ dataset }) => [dataset.word, dataset.p])"
    )
    assert [word for word, _ in searched] == [word for word, _ in recorded]
    assert [float(p) for _, p in searched] == pytest.approx([float(p) for _, p in recorded], abs=1e-3)


def test_words_after_an_own_beginning(visit: Any, tmp_path: Path) -> None:
    prompt_book.opened("base").save_pretrained(tmp_path)
    expected = guess.record(tmp_path, OWN)
    page = visit()
    begin(page, OWN)
    expect(page.locator(".fm-guess-text")).to_have_text(OWN)
    rows = page.locator("tbody tr").evaluate_all(
        "(rows) => rows.map(({ dataset }) => [dataset.word, dataset.p])"
    )
    assert [word for word, _ in rows] == [one["word"] for one in expected]
    assert [float(p) for _, p in rows] == pytest.approx([one["p"] for one in expected], abs=1e-3)
    expect(page.locator(".fm-guess-table"), "the answer is not in sight before the guess").to_be_hidden()
    picks = page.locator(".fm-guess-pick")
    assert sorted(picks.all_inner_texts()) == sorted(one["word"] for one in expected)
    picks.first.click()
    expect(page.locator("tr.own")).to_have_count(1)
    compare(page, "basket")
    expect(page.locator(".fm-guess-loss")).to_contain_text("nats")
    assert nats(page) == pytest.approx(true_nats(OWN, "basket"), abs=0.02)


def test_back_to_the_books_beginning(visit: Any) -> None:
    page = visit()
    caption = page.locator("caption").text_content()
    begin(page, OWN)
    expect(page.locator(".fm-guess-text")).to_have_text(OWN)
    page.get_by_role("button", name="Back to the book’s").click()
    expect(page.locator(".fm-guess-text")).to_have_text(PROMPT)
    assert page.locator("caption").text_content() == caption
    assert page.locator("tbody tr").first.get_attribute("data-word") == prompt_book.RECORD["top"][0]["word"]


def test_a_recorded_word_loads_nothing(visit: Any) -> None:
    page = visit()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.reload()
    page.locator(".fm-guess-pick").first.click()
    assert not [url for url in loaded if "models/" in url or "engine" in url]


def test_without_the_model(visit: Any) -> None:
    """Then what was recorded is all that is said."""
    page = visit()
    page.evaluate("() => { fmkit.load = () => Promise.reject(Error('Check your connection.')); }")
    compare(page, "basket")
    expect(page.locator(".fm-guess-result")).to_contain_text(
        "below 0.4%. The model could not be asked for more."
    )
    expect(page.locator(".fm-guess-loss")).to_contain_text("the loss is more than 5.50 nats")
    begin(page, OWN)
    expect(page.locator(".fm-guess-asked")).to_have_text("Check your connection.")
    assert page.locator(".fm-guess-text").text_content() == PROMPT


def test_the_last_guess_counts(visit: Any) -> None:
    """What the model says of a word is not shown when the reader has gone on to another."""
    page = visit()
    page.evaluate(
        """() => {
            const form = document.querySelector(".fm-guess-predict"), field = form.querySelector("input");
            for (const word of ["basket", "shadow", "closet"]) {
                field.value = word;
                form.requestSubmit();
            }
        }"""
    )
    page.wait_for_timeout(1500)
    assert (page.locator(".fm-guess-result").text_content() or "").startswith("“closet” is number 1 on")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ", "Write a few words first."),
        ("One day, " * 200, "the model can read 255: shorten it."),
        ("One day, " * 1000, "That is too long: 8999 characters."),
    ],
)
def test_beginnings_that_are_refused(visit: Any, text: str, message: str) -> None:
    page = visit()
    begin(page, text)
    expect(page.locator(".fm-guess-asked")).to_contain_text(message)
    assert page.locator(".fm-guess-text").text_content() == PROMPT


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "<|eos|>", "é😀\u202e"])
def test_hostile_beginnings_and_words(visit: Any, text: str) -> None:
    page = visit()
    begin(page, text)
    expect(page.locator(".fm-guess-text")).to_have_text(text)
    compare(page, text)
    expect(page.locator(".fm-guess-loss")).to_contain_text("nats")
    expect(page.locator(".fm-guess img")).to_have_count(0)


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_with_an_own_beginning(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    begin(page, OWN)
    expect(page.locator(".fm-guess-text")).to_have_text(OWN)
    compare(page, "basket")
    expect(page.locator(".fm-guess-loss")).to_contain_text("nats")
    faults = tiny.faults(page, ".fm-guess")
    faults += tiny.small_targets(page, ".fm-guess :is(.fm-button, input, textarea, summary)")
    assert not faults, "\n".join(faults)
