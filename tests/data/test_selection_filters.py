"""Promises of the quality filters: a reason for each text that fails, and most of a crawl's junk found."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from scaling import grows_like_its_length

from fmkit.data.domains.web import WEB
from fmkit.data.selection import FILTERS, filter_corpus, filters

GOOD = (
    "The fox went to the river because it was thirsty. There it met a duck that had lost its way. They "
    "looked for the nest until the sun was low, and with a little luck they found it behind the old mill.\n"
    "The duck thanked the fox, and from then on they had breakfast together on every Sunday that was dry."
)
FAULTS = [
    (partial(filters.length, min_words=3), "Two words", "fewer than 3 words"),
    (partial(filters.length, min_words=1, max_words=3), "Four words are many", "more than 3 words"),
    (filters.word_length, "a b c d", "mean word length outside 3 to 10"),
    (filters.word_length, "x" * 50, "mean word length outside 3 to 10"),
    (filters.symbols, "#one #two #three or more", "more than 10% symbols"),
    (filters.symbols, "one 2 3 | four - five", "fewer than 80% words of letters"),
    (filters.list_like, "- milk\n• eggs\n* bread", "more than 90% bullets"),
    (filters.list_like, "This is how to...\nTen ways of…\nRead on.", "more than 30% lines break off"),
    (filters.repeated_lines, "Same here\nSame here\nOther", "repeated lines"),
    (filters.repeated_phrases, "buy shoes now buy shoes today buy shoes", "a repeated phrase"),
    (filters.stop_words, "cheap shoes online, the best price", "fewer than 2 stop words"),
    (filters.boilerplate, "Lorem ipsum dolor sit amet.", "lorem ipsum"),
    (filters.boilerplate, "if (x) { return; }", "a curly bracket"),
    (filters.boilerplate, "We use cookies. All rights reserved.", "boilerplate"),
    (filters.unfinished_lines, "Home / News / Shop\nContact\nHello.", "lines without an end"),
]


@pytest.mark.parametrize(("check", "text", "reason"), FAULTS)
def test_why_a_text_fails(check: filters.Filter, text: str, reason: str) -> None:
    assert check(text) == reason


@pytest.mark.parametrize("check", FILTERS)
def test_good_prose_passes(check: filters.Filter) -> None:
    assert check(GOOD) is None


@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
@pytest.mark.parametrize("word", ["café", "don’t", "“yes”", "naïve", "½ — €", "не"])
def test_utf8_that_was_read_as_something_else(word: str, codec: str) -> None:
    broken = word.encode().decode(codec, errors="replace")
    assert filters.encoding(f"{GOOD} {broken}") == "a wrong encoding"
    assert filters.encoding(f"{GOOD} {word}") is None


@pytest.mark.parametrize("text", ["AT&amp;amp;T", "&amp;#39;", "lost \ufffd byte"])
def test_other_signs_of_a_wrong_encoding(text: str) -> None:
    assert filters.encoding(text) == "a wrong encoding"


@pytest.mark.parametrize(
    "text", ["Übergröße", "São João", "À côté, çà et là «où»", "Þórður", "Ελλάδα", "Łódź", "AT&T"]
)
def test_other_languages_are_no_wrong_encoding(text: str) -> None:
    assert filters.encoding(text) is None


def test_a_corpus_and_the_counts_of_reasons() -> None:
    texts = [GOOD, "short", None, GOOD + "\ufffd", GOOD + " again"]
    kept, report = filter_corpus(Dataset.from_dict({"text": texts, "id": range(5)}))
    assert kept["id"][:] == [0, 4]
    assert (report.total, report.kept) == (5, 2)
    assert dict(report.reasons) == {"fewer than 50 words": 2, "a wrong encoding": 1}
    assert "2 of 5 documents kept" in str(report)


def test_a_filter_of_ones_own() -> None:
    dataset = Dataset.from_dict({"text": ["a cat", "a dog"]})
    kept, report = filter_corpus(dataset, [lambda text: "about dogs" if "dog" in text else None])
    assert kept["text"][:] == ["a cat"]
    assert report.reasons == {"about dogs": 1}
    assert len(filter_corpus(dataset, [])[0]) == 2


def test_the_kinds_of_a_crawl() -> None:
    """Without the rule on length, which would sort out all of the junk here: it is short."""
    crawl = WEB.load(2_000, 10, seed=1, world=1)["train"]
    kept, _ = filter_corpus(crawl, [check for check in FILTERS if check is not filters.length])
    before, after = Counter(crawl["kind"]), Counter(kept["kind"])
    share = {kind: after[kind] / before[kind] for kind in before}
    assert share["prose"] > 0.75
    assert share["mojibake"] < 0.05
    assert share["boilerplate"] < 0.25
    assert share["spam"] < 0.5
    assert set(filter_corpus(crawl)[0]["kind"]) <= {"prose", "duplicate", "near-duplicate", "mojibake"}


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_any_text_passes_or_has_a_reason(text: str) -> None:
    for check in FILTERS:
        reason = check(text)
        assert reason is None or reason


@pytest.mark.parametrize(
    "piece", ["a", "a ", "\n", "#", "...", "Ã", "â€", "&amp;", "- \n", ".\n", "log ", "©\n"]
)
def test_time_grows_like_the_length(piece: str) -> None:
    for check in FILTERS:
        grows_like_its_length(check, piece)
