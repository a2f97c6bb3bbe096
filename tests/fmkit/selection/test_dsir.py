"""Promises of DSIR: the official package's weights, one choice for one seed, in memory and streamed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unicodedata import category

import numpy as np
import pytest
from data_selection import HashedNgramDSIR
from datasets import Dataset, DatasetDict, IterableDataset
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import WordPunctTokenizer

from fmkit.errors import FmkitError
from fmkit.selection import dsir, dsir_select, dsir_weights, ngram_divergence

MEDICAL = ["The patient has a fever and takes the drug twice a day.", "A dose of the drug for the patient."]
POOL = [f"The patient {i} takes a drug for the fever." for i in range(20)]
POOL += [f"Lot {i}: cheap shoes, best price, buy now!" for i in range(180)]

UNICODE = st.text(st.characters(exclude_categories=["Cs", "Cn"]))
NLTK = WordPunctTokenizer()


def official_weights(raw: list[str], target: list[str], folder: Path) -> np.ndarray:
    for name, texts in (("raw", raw), ("target", target)):
        (folder / name).write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    peer = HashedNgramDSIR([str(folder / "raw")], [str(folder / "target")], str(folder / "cache"), num_proc=1)
    peer.fit_importance_estimator(num_tokens_to_fit="all")
    peer.compute_importance_weights()
    return np.load(folder / "cache" / "log_importance_weights" / "0.npy")


def test_weights_of_the_official_package(tmp_path: Path, stories: DatasetDict) -> None:
    raw = [
        *stories["train"]["text"][:200],
        *POOL,
        "",
        " \n",
        "one",
        "数据 选择",
        "a_b's 3.14 >>> x",
        "w " * 3_000,
    ]
    target = [*MEDICAL, *stories["validation"]["text"][:20]]
    ours, theirs = dsir_weights(raw, target), official_weights(raw, target, tmp_path)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    assert np.ptp(ours) > 10


@settings(deadline=None, max_examples=20)
@given(st.lists(UNICODE, max_size=6), st.lists(UNICODE, max_size=6))
def test_and_so_they_are_for_any_text(raw: list[str], target: list[str]) -> None:
    raw, target = [*raw, "x"], [*target, "İstanbul y"]
    with tempfile.TemporaryDirectory() as folder:
        theirs = official_weights(raw, target, Path(folder))
    np.testing.assert_allclose(dsir_weights(raw, target), theirs, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_words_of_nltk_in_every_script() -> None:
    """Of characters that Python knows, which may be fewer than nltk's regular expressions do."""
    known = [c for c in map(chr, range(0x110000)) if category(c) not in {"Cn", "Cs", "Co"}]
    for character in known:
        text = f"a{character}. {character}"
        assert dsir.find_words(text) == NLTK.tokenize(text), hex(ord(character))


def test_what_resembles_the_target_is_chosen() -> None:
    chosen = dsir_select(table(POOL), table(MEDICAL), 20)
    assert sum("patient" in text for text in chosen["text"]) >= 18


@pytest.mark.slow
def test_stream_gives_the_same_choice() -> None:
    rows = [{"id": i, "text": text} for i, text in enumerate(POOL)]
    whole = Dataset.from_list(rows)
    stream = IterableDataset.from_generator(lambda: iter(rows))
    for seed in range(5):
        chosen = dsir_select(whole, table(MEDICAL), 60, seed)
        streamed = dsir_select(stream, table(MEDICAL).to_iterable_dataset(), 60, seed)
        assert streamed.to_list() == chosen.to_list()
        assert chosen["id"] == sorted(set(chosen["id"]))


def test_a_stream_is_read_twice_and_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsir, "BATCH_TEXTS", 15)

    class Counted(dict):
        alive = most = read = 0

        def __init__(self, **columns: str) -> None:
            super().__init__(**columns)
            Counted.read += 1
            Counted.alive += 1
            Counted.most = max(Counted.most, Counted.alive)

        def __del__(self) -> None:
            Counted.alive -= 1

    class Stream(IterableDataset):
        """The least that a stream can be."""

        def __init__(self) -> None:
            pass

        column_names = features = None

        def __iter__(self) -> Iterator[dict]:
            return (Counted(text=text) for text in POOL * 5)

    assert len(dsir_select(Stream(), table(MEDICAL), 10)) == 10
    assert Counted.read == 2 * len(POOL) * 5
    assert Counted.most < 50


def test_temporary_file_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    make = tempfile.TemporaryFile
    monkeypatch.setattr(dsir.tempfile, "TemporaryFile", lambda: opened.append(make()) or opened[-1])

    def broken() -> Iterator[str]:
        yield from POOL * 20
        raise ConnectionResetError("the stream broke")

    dsir_weights(POOL, MEDICAL)
    with pytest.raises(ConnectionResetError, match="the stream broke"):
        dsir_weights(broken(), MEDICAL)
    assert [file.closed for file in opened] == [True, True]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
@pytest.mark.parametrize("texts", [POOL, POOL * 200])
def test_a_full_disk_is_one_line(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsir.tempfile, "TemporaryFile", partial(open, "/dev/full", "w+b"))
    with pytest.raises(FmkitError, match=r"cannot be written: No space left on device; .* TMPDIR") as caught:
        dsir_weights(texts, MEDICAL)
    assert "\n" not in str(caught.value)


def test_divergence_falls_toward_the_target() -> None:
    mixed, near = POOL, POOL[:20]
    assert ngram_divergence(MEDICAL, MEDICAL) == 0
    assert 0 < ngram_divergence([*near, *MEDICAL], MEDICAL) < ngram_divergence(near, MEDICAL)
    assert ngram_divergence(near, MEDICAL) < ngram_divergence(mixed, MEDICAL)
    with pytest.raises(FmkitError, match="the given texts hold no words"):
        ngram_divergence([" "], MEDICAL)


def test_divergence_is_the_plain_formula() -> None:
    """KL(target ‖ texts) of "a b" and "a a": three n-grams each, one of them common to both."""
    third, smoothing = 1 / 3, dsir.SMOOTHING
    only_target = third * np.log((third + smoothing) / smoothing)  # of "b" and of "a b"
    common = third * np.log((third + smoothing) / (2 * third + smoothing))
    rest = smoothing * np.log(smoothing / (third + smoothing))  # of "a a"
    expected = 2 * only_target + common + rest
    assert ngram_divergence(["a a"], ["a b"]) == pytest.approx(expected, abs=1e-6)


def test_the_seed_decides() -> None:
    def choose(seed: int) -> list[str]:
        return dsir_select(table(POOL), table(MEDICAL), 60, seed)["text"][:]

    assert choose(1) == choose(1) != choose(2)


@pytest.mark.slow
def test_chosen_in_proportion_to_the_weights() -> None:
    """Where one of two texts weighs four times the other, it is chosen four times as often."""
    raw, target = ["cat"] + ["dog"] * 4, ["cat"] * 4 + ["dog"] * 4
    weights = np.exp(dsir_weights(raw, target))
    assert weights[0] / weights[1] == pytest.approx(4, rel=1e-6)
    wins = sum(dsir_select(table(raw), table(target), 1, seed)["text"][0] == "cat" for seed in range(300))
    assert wins / 300 == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(("name", "value"), [("REMEMBERED", 7), ("BATCH_TEXTS", 3), ("BATCH_CHARACTERS", 50)])
def test_batches_do_not_change_a_weight(name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["", *POOL, "", " ", "x"]
    weights = dsir_weights(texts, MEDICAL)
    monkeypatch.setattr(dsir, name, value)
    monkeypatch.setattr(dsir, "BATCH_TEXTS", min(dsir.BATCH_TEXTS, 30))
    assert (dsir_weights(texts, MEDICAL) == weights).all()


@pytest.mark.parametrize(
    ("raw", "target", "k", "message"),
    [
        (["a"], ["a"], 0, "k = 0: at least one document must be selected"),
        (["a", "b"], ["a"], 3, "k = 3: only 2 documents to select from"),
        (["a"], [" "], 1, "the target texts hold no words"),
        (["", " "], ["a"], 1, "the raw texts hold no words"),
    ],
)
def test_selection_errors_are_one_line(raw: list[str], target: list[str], k: int, message: str) -> None:
    for dataset in (table(raw), table(raw).to_iterable_dataset()):
        with pytest.raises(FmkitError, match=message):
            dsir_select(dataset, table(target), k)


def test_stream_that_changes_its_length() -> None:
    for later in (30, 41):
        lengths = iter([40, later])
        stream = IterableDataset.from_generator(lambda lengths=lengths: map(numbered, range(next(lengths))))
        with pytest.raises(FmkitError, match=f"gave 40 rows, and {later} when it was read again; gather it"):
            dsir_select(stream, table(["w1"]), 35)


def numbered(i: int) -> dict[str, str]:
    return {"text": f"w{i}"}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text()), st.lists(st.text()))
def test_any_text_has_a_finite_weight(raw: list[str], target: list[str]) -> None:
    weights = dsir_weights([*raw, "x"], [*target, "y"])
    assert weights.shape == (len(raw) + 1,)
    assert np.isfinite(weights).all()


def table(texts: list[str]) -> Dataset:
    return Dataset.from_dict({"text": texts})
