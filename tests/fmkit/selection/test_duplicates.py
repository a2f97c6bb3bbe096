"""Promises of deduplication: the first copy stays; near-duplicates as brute force finds them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from datasets import Dataset, DatasetDict, IterableDataset
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit.data.scripts import space_out
from fmkit.errors import FmkitError
from fmkit.selection import drop_duplicates, drop_near_duplicates, duplicates
from fmkit.world import WEB

WORDS = [f"word{i}" for i in range(400)]


def table(texts: list[str]) -> Dataset:
    return Dataset.from_dict({"text": texts})


def unread_stream() -> IterableDataset:
    def rows() -> Iterator[dict[str, str]]:
        raise AssertionError("the stream was read")
        yield {}

    return IterableDataset.from_generator(rows)


def shingle_set(text: str) -> set[tuple[str, ...]]:
    """By the definition, without hashes."""
    words = duplicates.normalize(text).split()
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))} if words else set()


def similarity(a: set, b: set) -> float:
    return len(a & b) / len(a | b) if a | b else 1.0


def edited_texts(count: int) -> list[str]:
    """Random texts, two thirds of them an earlier one with some words replaced."""
    rng = random.Random(0)
    texts: list[str] = []
    for i in range(count):
        words = rng.choices(WORDS, k=rng.randrange(20, 200)) if i % 3 == 0 else rng.choice(texts).split()
        for _ in range(rng.randrange(0, 6) if i % 3 else 0):
            words[rng.randrange(len(words))] = rng.choice(WORDS)
        texts.append(" ".join(words))
    return texts


def test_exact_duplicates_by_what_they_say() -> None:
    texts = ["One  fish", "two", "one\nfish ", "", "ｏｎｅ fish", "  ", "two", "three"]
    kept, report = drop_duplicates(table(texts))
    assert kept["text"][:] == ["One  fish", "two", "", "three"]
    assert report.clusters == ((0, 2, 4), (1, 6), (3, 5))
    assert str(report) == "4 of 8 documents dropped, copies of 3 others"


def test_the_exact_duplicates_of_a_crawl() -> None:
    crawl = WEB.load(1_000, 10)["train"]
    _, report = drop_duplicates(crawl)
    copies = {i for cluster in report.clusters for i in cluster[1:]}
    assert copies == {i for i, kind in enumerate(crawl["kind"]) if kind == "duplicate"}


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.95])
def test_near_duplicates_as_by_brute_force(threshold: float) -> None:
    texts = edited_texts(400)
    sets = [shingle_set(text) for text in texts]
    kept: list[int] = []
    for i, shingles in enumerate(sets):
        if all(similarity(shingles, sets[j]) < threshold for j in kept):
            kept.append(i)
    dropped = set(range(400)) - set(kept)
    _, report = drop_near_duplicates(table(texts), threshold)
    found = {i for cluster in report.clusters for i in cluster[1:]}
    assert len(dropped) > 30
    assert len(found & dropped) >= 0.98 * len(dropped)  # recall
    assert len(found & dropped) >= 0.98 * len(found)  # precision
    for first, *others in report.clusters:  # exact, whatever was missed
        assert all(similarity(sets[first], sets[i]) >= threshold for i in others)


def test_a_pair_at_the_threshold_is_one() -> None:
    pair = table(["one two three", "one two four"])  # two words in common of four
    assert len(drop_near_duplicates(pair, 0.5, shingle_words=1)[0]) == 1
    assert len(drop_near_duplicates(pair, 0.51, shingle_words=1)[0]) == 2


def pages_of_one_site(count: int) -> list[str]:
    """Any two are alike to about 0.75 by their boilerplate, and each tenth nearly repeats another."""
    boilerplate = [f"menu{i}" for i in range(180)]
    own = [[f"own{i - (i % 10 == 9)} {j}" for j in range(16)] for i in range(count)]
    return [" ".join([*boilerplate, *words, "last" * (i % 10 == 9)]) for i, words in enumerate(own)]


def test_one_site_needs_no_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = pages_of_one_site(300)
    assert 0.7 < similarity(shingle_set(texts[0]), shingle_set(texts[1])) < 0.8
    compared = []
    measure = duplicates.jaccard
    monkeypatch.setattr(duplicates, "jaccard", lambda a, b: compared.append(measure(a, b)) or compared[-1])
    _, report = drop_near_duplicates(table(texts))
    assert report.clusters == tuple((i, i + 1) for i in range(8, 300, 10))
    assert len(compared) < 2 * len(report.clusters)  # of 40 000 pairs, nearly all of which share a band


@settings(deadline=None, max_examples=100)
@given(st.sets(st.integers(0, 2**64 - 1)), st.sets(st.integers(0, 2**64 - 1)), st.sets(st.integers(0, 99)))
def test_sketch_never_rules_out_duplicates(a: set[int], b: set[int], common: set[int]) -> None:
    one, two = (np.array(sorted(x | common), dtype=np.uint64) for x in (a, b))
    kept = duplicates._Kept(1, 0.5)
    kept.add(0, one, [b"key"])
    true = similarity(a | common, b | common)
    assert kept._bound(np.array([0]), two)[0] >= true == pytest.approx(duplicates.jaccard(one, two))
    assert kept.find(two, [b"key"]) == (0 if true >= 0.5 else None)
    assert kept.find(two, [b"other"]) is None


@pytest.mark.slow
def test_near_duplicates_of_a_crawl() -> None:
    crawl, _ = drop_duplicates(WEB.load(1_000, 10)["train"])
    _, report = drop_near_duplicates(crawl, 0.5)
    found = {i for cluster in report.clusters for i in cluster[1:]}
    marked = {i for i, kind in enumerate(crawl["kind"]) if kind == "near-duplicate"}
    assert len(found & marked) >= 0.95 * max(len(found), len(marked))


def test_signatures_as_good_as_datasketch() -> None:
    ours, theirs = [], []
    for common in range(0, 201, 25):
        a, b = np.arange(200), np.arange(200 - common, 400 - common)
        true = common / (400 - common)
        for seed in range(12):
            one, two = (duplicates._mix(x.astype(np.uint64) + np.uint64(1)) for x in (a, b))
            permutations = duplicates.draw_permutations(seed)
            first, second = (duplicates.min_hash(np.sort(x), permutations) for x in (one, two))
            ours.append((first == second).mean() - true)
            theirs.append(sketch(a, seed).jaccard(sketch(b, seed)) - true)
    spread = np.sqrt(0.25 / duplicates.PERMUTATIONS)  # the most that theory allows, at one half
    assert np.sqrt(np.mean(np.square(ours))) < spread
    assert np.sqrt(np.mean(np.square(theirs))) < spread
    assert abs(np.mean(ours)) < 0.01


def sketch(numbers: np.ndarray, seed: int) -> MinHash:
    result = MinHash(duplicates.PERMUTATIONS, seed=seed + 1)
    result.update_batch([str(number).encode() for number in numbers])
    return result


def test_bands_find_a_pair_at_the_threshold() -> None:
    for threshold in np.arange(0.1, 1.001, 0.05):
        bands, rows = duplicates.choose_bands(float(threshold))
        assert bands * rows <= duplicates.PERMUTATIONS
        assert 1 - (1 - threshold**rows) ** bands >= duplicates.RECALL


def test_same_seed_gives_same_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = table(edited_texts(100))
    once = drop_near_duplicates(texts, 0.7, seed=3)[1]
    monkeypatch.setattr(duplicates, "CHUNK", 7)
    monkeypatch.setattr(duplicates, "REMEMBERED", 50)
    assert drop_near_duplicates(texts, 0.7, seed=3)[1] == once


def test_a_known_signature() -> None:
    """The hash of a text is the same on every machine and in every version."""
    shingles = duplicates.hash_shingles("Once upon a time there was a fox", 5, duplicates._WordHashes())
    signature = duplicates.min_hash(shingles, duplicates.draw_permutations(0))
    assert [len(shingles), int(signature[0])] == [4, 1269675395]


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8))
def test_any_text_is_its_own_duplicate(texts: list[str]) -> None:
    for drop in (drop_duplicates, drop_near_duplicates):
        kept, report = drop(table(texts + texts))
        assert {i for cluster in report.clusters for i in cluster[1:]} >= set(
            range(len(texts), 2 * len(texts))
        )
        assert len(kept) + report.dropped == 2 * len(texts)


def test_a_text_of_a_megabyte() -> None:
    long = "one two three four five six " * 36_000
    assert len(drop_near_duplicates(table([long, long + "seven", "other"]))[0]) == 2


def test_one_line_for_what_cannot_be_done() -> None:
    for threshold in (0, 0.05, 1.1, float("nan")):
        with pytest.raises(FmkitError, match="give a similarity between"):
            drop_near_duplicates(table(["a"]), threshold)
    with pytest.raises(FmkitError, match="at least one word"):
        drop_near_duplicates(table(["a"]), shingle_words=0)
    with pytest.raises(FmkitError, match=r"the splits train: give one, as data\['train'\]"):
        drop_duplicates(DatasetDict(train=table(["a"])))
    for drop in (drop_duplicates, drop_near_duplicates):
        with pytest.raises(FmkitError, match=r"a stream has no places .* gather a part: Dataset\.from_list"):
            drop(unread_stream())
    with pytest.raises(FmkitError, match="no column 'text'; the data has body"):
        drop_duplicates(Dataset.from_dict({"body": ["a"]}))
    with pytest.raises(FmkitError, match="holds int, not text"):
        drop_duplicates(Dataset.from_dict({"text": [1]}))


UNSPACED = {
    "Chinese": "据通讯社报道，昨天下午在城市东部的一家工厂发生了火灾，消防员花了三个小时才把火扑灭，"
    "厂长说，损失还不清楚，工人们明天就可以回来上班，因为仓库和机器都没有被烧坏。",
    "Japanese": "昨日の午後、町の東にある工場で火事がありました。消防士は三時間かけて火を消し、"
    "工場長によると、被害はまだ分かりませんが、明日から仕事を再開できるそうです。",
    "Thai": "เมื่อบ่ายวานนี้เกิดไฟไหม้ที่โรงงานแห่งหนึ่งทางตะวันออกของเมืองเจ้าหน้าที่"
    "ผู้จัดการโรงงานกล่าวว่าคนงานกลับมาทำงานได้ในวันพรุ่งนี้เพราะเครื่องจักรไม่เสียหาย",
}


@pytest.mark.parametrize("language", UNSPACED)
def test_near_duplicates_without_spaces(language: str) -> None:
    text = UNSPACED[language]
    middle = len(text) // 2
    texts = [text, text[:middle] + text[middle + 2 :], text + text[:4], text[::-1], text[:middle]]
    _, report = drop_near_duplicates(table(texts))
    assert report.clusters == ((0, 1, 2),)


def test_words_with_spaces_stay_words() -> None:
    text = "Zwölf Boxkämpfer jagen 한국어 띄어쓰기 हिन्दी में tiếng Việt العربية עברית русский."
    assert space_out(text) == text
    assert space_out("我用Python写代码").split() == ["我", "用", "Python", "写", "代", "码"]
