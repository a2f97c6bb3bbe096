"""Packing loses nothing, invents nothing, and goes on exactly where it was."""

import json

import numpy as np
import pytest
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tasks import SALES

from fmkit import FmkitError, train_tokenizer
from fmkit.data.batches import (
    IGNORE,
    Mixed,
    PackedLoader,
    Shuffled,
    collate,
    fill_row,
    make_loader,
    tokenize,
    validation_batches,
)
from fmkit.data.masking import MaskedLoader, mask_batches


@given(st.lists(st.integers(2, 11), min_size=1, max_size=60), st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_every_token_is_predicted_once(lengths, seed):
    rng = np.random.default_rng(seed)
    pool = [rng.integers(3, 99, n).astype(np.int32) for n in lengths]
    expected = sorted(tuple(piece) for piece in pool)
    seen = []
    while pool:
        batch = collate([fill_row(pool, int(rng.integers(len(pool))), 10)], 10, pad_id=2)
        ids, labels = batch["input_ids"][0].numpy(), batch["labels"][0].numpy()
        if batch["document_ids"] is None:
            documents = np.zeros(10, dtype=int)
        else:
            documents = batch["document_ids"][0].numpy()
        assert batch["num_items"] == batch["num_tokens"] == (labels != IGNORE).sum() == (documents >= 0).sum()
        for number in range(documents.max() + 1):
            here = documents == number
            seen.append((*ids[here], labels[here][-1]))
            assert (ids[here][1:] == labels[here][:-1]).all()
    assert sorted(seen) == expected


def test_pieces_of_a_document_overlap_by_one(tokenizer):
    text = "Once upon a time there was a little fox. " * 30
    ids = [*tokenizer.encode(text).ids, 1]
    pieces = tokenize(Dataset.from_dict({"text": [text, "Hello."]}), tokenizer, 32)["input_ids"]
    assert all(2 <= len(piece) <= 33 for piece in pieces)
    assert [token for piece in pieces[:-1] for token in piece[1:]] == ids[1:]
    assert pieces[-1] == [*tokenizer.encode("Hello.").ids, 1]


def test_packed_rows_are_nearly_full(stories, tokenizer):
    words = " ".join(stories["train"]["text"]).split(" ")
    lengths = np.random.default_rng(0).geometric(1 / 60, 700)
    texts = [" ".join(words[end - n : end]) for n, end in zip(lengths, lengths.cumsum(), strict=True)]
    loader = make_loader(Dataset.from_dict({"text": texts}), tokenizer, 8, 256, seed=0)
    batches = [next(loader) for _ in range(20)]
    assert sum(b["num_tokens"] for b in batches) / (20 * 8 * 256) > 0.98


def test_an_epoch_shows_each_document_once(stories, tokenizer):
    pieces = tokenize(stories["train"].select(range(100)), tokenizer, 64)
    loader = PackedLoader(pieces, 4, 64, pad_id=2, seed=0)
    drawn = [tuple(next(loader.source)["input_ids"]) for _ in range(2 * len(pieces))]
    everything = sorted(map(tuple, pieces["input_ids"]))
    first, second = drawn[: len(pieces)], drawn[len(pieces) :]
    assert sorted(first) == sorted(second) == everything
    assert first != second


def test_the_seed_decides_order_and_packing(stories, tokenizer):
    pieces = tokenize(stories["train"].select(range(300)), tokenizer, 64)
    orders = [
        [next(source)["input_ids"] for _ in range(20)] for source in map(Shuffled, [pieces] * 3, (0, 1, 1))
    ]
    assert orders[0] != orders[1] == orders[2]
    rows = []  # of a stream, which has an order of its own
    for seed in (0, 1, 1):
        loader = PackedLoader(pieces.to_iterable_dataset(), 4, 64, pad_id=2, seed=seed)
        rows.append(next(loader)["input_ids"].tolist())
    assert rows[0] != rows[1] == rows[2]


def test_row_takes_the_largest_fitting_piece():
    pool = [np.zeros(n, dtype=np.int32) for n in (3, 6, 4, 9, 5)]  # of 2, 5, 3, 8 and 4 positions
    assert [len(piece) for piece in fill_row(pool, 0, 10)] == [3, 9]
    assert [len(piece) for piece in fill_row(pool, 1, 10)] == [4, 6]
    assert [len(piece) for piece in pool] == [5]


def test_mixture_starts_with_largest_part(stories, tokenizer):
    pieces = tokenize(stories["train"].select(range(20)), tokenizer, 64)
    small, large = pieces.select(range(10)), pieces.select(range(10, 20))
    source = Mixed([(small, 0.3), (large, 0.7)], seed=0)
    assert next(source)["input_ids"] in large["input_ids"]
    assert source.drawn[0] == 0
    with pytest.raises(FmkitError, match="the corpus has 0 tokens"):
        Mixed([(small, 0.5), (large.select([]), 0.5)], seed=0)


def corpora(stories, streamed):
    train = stories["train"].select(range(300))
    return train.to_iterable_dataset() if streamed else train


@pytest.mark.slow
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("done", [0, 1, 23, 60])
def test_restored_loader_repeats_batches(stories, tokenizer, causal, streamed, done):
    def make():
        packed = make_loader(corpora(stories, streamed), tokenizer, 4, 48, seed=5)
        return packed if causal else MaskedLoader(packed, tokenizer, seed=5)

    loader = make()
    for _ in range(done):
        next(loader)
    state = loader.state_dict()
    tensors = {name: state.pop(name).clone() for name in list(state) if torch.is_tensor(state[name])}
    state = json.loads(json.dumps(state))  # as it is stored
    expected = [next(loader) for _ in range(30)]
    restored = make()
    restored.load_state_dict({**state, **tensors})
    for one in expected:
        other = next(restored)
        assert (one["input_ids"] == other["input_ids"]).all()
        assert (one["labels"] == other["labels"]).all()
        assert str(one["document_ids"]) == str(other["document_ids"])


def test_a_stream_begins_again_at_its_end(stories, tokenizer):
    loader = make_loader(corpora(stories, streamed=True).take(40), tokenizer, 4, 48, seed=0)
    assert sum(next(loader)["num_tokens"] for _ in range(100)) > 100 * 4 * 40


def test_validation_batches_are_fixed(stories, tokenizer):
    once, again = (
        mask_batches(validation_batches(stories["validation"], tokenizer, 4, 64, limit=20), tokenizer)
        for _ in range(2)
    )
    assert len(once) == 5
    assert all((a["labels"] == b["labels"]).all() for a, b in zip(once, again, strict=True))
    everything = validation_batches(stories["validation"], tokenizer, 4, 64, limit=10_000)
    tokens = sum(len(tokenizer.encode(text).ids) for text in stories["validation"]["text"])
    assert sum(b["num_items"] for b in everything) == tokens  # each token but <|bos|>, and <|eos|>


def test_corpus_shorter_than_a_context():
    texts = ["A short text about a fox and a hen. " * 3] * 4
    tokenizer = train_tokenizer(texts, 262)
    with pytest.raises(FmkitError, match=r"the corpus has \d+ tokens and a context 4096"):
        make_loader(Dataset.from_dict({"text": texts}), tokenizer, 4, 4096, seed=0)


@pytest.fixture
def mix(stories, tokenizer):
    """Makes a mixture of three corpora, always the same."""
    parts = [(SALES["train"], 0.7), (stories["train"], 0.2), (stories["validation"], 0.1)]
    pieces = [(tokenize(part, tokenizer, 64), share) for part, share in parts]
    return lambda: Mixed(pieces, seed=3)


def test_mixture_keeps_shares_of_tokens(mix):
    source = mix()
    for _ in range(1000):
        next(source)
    shares = [drawn / sum(source.drawn) for drawn in source.drawn]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=64 / sum(source.drawn) * 3)


def test_mixture_continues_from_its_state(mix):
    source, again = mix(), mix()
    for _ in range(1000):
        next(source)
    again.load_state_dict(json.loads(json.dumps(source.state_dict())))
    assert [next(again) for _ in range(100)] == [next(source) for _ in range(100)]
