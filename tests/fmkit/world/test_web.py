"""The web: pages exact by themselves, and a crawl whose ground truth is true."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from typing import Any

import pytest
from ambiguity import Unambiguous
from domain_checks import check_exact, check_hash, check_worlds, samples, world

from fmkit.errors import FmkitError
from fmkit.world import WEB
from fmkit.world.crawl import DUPLICATES, NEAR_DUPLICATES
from fmkit.world.web import DAMAGES, KINDS, SOURCES

pages = functools.partial(samples, "web")
web = functools.partial(world, "web")

RESERVED = {
    "name": r"[A-Z]\w+ [A-Z]\w+",
    "email": r"[a-z0-9.]+@example\.(com|org|net)",
    "phone": r"(\(\d{3}\) |\d{3}[-.]|\+1 \d{3} )?555[- .]01\d\d",
    "address": r"\d+ [A-Z]\w+ (Street|Lane|Road|Avenue|Drive|Walk|Court)",
    "card": r"[\d -]{15,19}",
    "ip": r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}",
}


@pytest.fixture(scope="module")
def crawl() -> list[dict[str, Any]]:
    return WEB.load(3_000, 10)["train"].to_list()


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[k : k + 3]) for k in range(len(words) - 2)}


def jaccard(a: str, b: str) -> float:
    return len(shingles(a) & shingles(b)) / max(len(shingles(a) | shingles(b)), 1)


@pytest.mark.slow
def test_log_prob_is_the_samplers_own() -> None:
    check_exact(web(), pages())


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(web(), samples("web", 10_000, 1))


def test_no_page_has_two_derivations() -> None:
    for grammar in (web().header, *web().junk.values()):
        assert Unambiguous(grammar).faults() == []


def test_what_no_page_can_be_is_noticed() -> None:
    page = next(page for page in pages() if page.kind == "prose" and page.source == "medical")
    assert web().log_prob(page.text + " Click here.") == -math.inf
    assert web().log_prob("") == -math.inf
    damaged = next(page for page in pages() if "\ufffd" in page.text)
    assert web().log_prob(damaged.text.replace("\ufffd", '"', 1)) == -math.inf
    with pytest.raises(FmkitError, match="page is text"):
        web().log_prob(None)


def test_kinds_have_their_shares() -> None:
    kinds = Counter(page.kind for page in pages())
    for kind, share in KINDS.items():
        assert abs(kinds[kind] / len(pages()) - share) < 5 * math.sqrt(share / len(pages())), kind
    prose = Counter(page.source for page in pages() if page.source)
    for source, share in SOURCES.items():
        assert abs(prose[source] / prose.total() - share) < 5 * math.sqrt(share / prose.total()), source


def test_damage_is_visible_and_reversible() -> None:
    broken = [page.text for page in pages() if page.kind == "mojibake"]
    assert all(re.search("Â\xa0|â€|&amp;|\ufffd", text) for text in broken)
    for damage in DAMAGES:
        assert any(damage.undo(text) != text for text in broken)
    whole = [page.text for page in pages() if page.kind == "prose"]
    assert not any(re.search("Â|â|&amp;|\ufffd", text) for text in whole)


def test_spans_mark_reserved_data() -> None:
    seen: Counter[str] = Counter()
    for page in pages():
        assert bool(page.personal) == (page.kind == "personal")
        ends = 0
        for span in page.personal:
            words = page.text[span["start"] : span["end"]]
            assert re.fullmatch(RESERVED[span["type"]], words), words
            assert span["start"] >= ends
            ends = span["end"]
            seen[span["type"]] += 1
    assert set(seen) == set(RESERVED)
    assert min(seen.values()) > 20


def test_no_personal_data_is_left_unmarked() -> None:
    for page in pages():
        rest = page.text
        for span in reversed(page.personal):
            rest = rest[: span["start"]] + "#" + rest[span["end"] :]
        left = re.findall(r"[\w.]+@[\w.]+|555.?01\d\d|(?:\d[ -]?){15,16}|\b\d+\.\d+\.\d+\.\d+\b", rest)
        assert all(re.match(r"(info|office|orders|help)@", found) for found in left), page.text


def test_card_numbers_pass_luhn() -> None:
    cards = {p.text[s["start"] : s["end"]] for p in pages() for s in p.personal if s["type"] == "card"}
    assert len(cards) > 5
    for card in cards:
        digits = [int(digit) for digit in re.sub(r"\D", "", card)][::-1]
        assert sum(digits[::2] + [d * 2 - 9 * (d > 4) for d in digits[1::2]]) % 10 == 0


def test_duplicates_repeat_what_they_say(crawl: list[dict[str, Any]]) -> None:
    shares = Counter(page["kind"] for page in crawl)
    assert abs(shares["duplicate"] / len(crawl) - DUPLICATES) < 0.025
    assert abs(shares["near-duplicate"] / len(crawl) - NEAR_DUPLICATES) < 0.025
    first: dict[str, int] = {}
    for index, page in enumerate(crawl):
        original = crawl[page["duplicate_of"]] if page["duplicate_of"] >= 0 else None
        if page["kind"] == "duplicate":
            assert original is not None
            assert page["text"] == original["text"]
            assert (page["log_prob"], page["personal"]) == (original["log_prob"], original["personal"])
        elif page["kind"] == "near-duplicate":
            assert original is not None
            assert page["log_prob"] is None
            assert 0.5 < jaccard(page["text"], original["text"]) < 1
        else:
            assert original is None
        if original is not None:
            assert page["duplicate_of"] < index
            assert original["duplicate_of"] == -1
        if page["kind"] != "duplicate":
            assert page["text"] not in first
            first[page["text"]] = index


@pytest.mark.slow
def test_originals_are_rarely_alike(crawl: list[dict[str, Any]]) -> None:
    texts = [page["text"] for page in crawl if page["duplicate_of"] < 0][:600]
    sets = [shingles(text) for text in texts]
    alike = sum(len(a & b) > 0.7 * len(a | b) for n, a in enumerate(sets) for b in sets[n + 1 :] if a and b)
    assert alike < 0.02 * len(texts)


@pytest.mark.slow
def test_another_seed_has_other_facts() -> None:
    check_worlds("web")


@pytest.mark.slow
def test_same_on_every_machine() -> None:
    check_hash("web", "8beecf2482ed94b3ab2f95efe7d25b0ae36acc7c69f1c9845eb508ef7160b31a")
