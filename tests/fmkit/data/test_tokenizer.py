"""Promises of the tokenizer: lossless, deterministic, opened by transformers, clear about bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict, IterableDataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer

from fmkit.data import tokenizer as module
from fmkit.data.chat import add_chat_tokens
from fmkit.data.tokenizer import (
    BOS,
    BOS_ID,
    EOS,
    EOS_ID,
    MASK_ID,
    PAD,
    PAD_ID,
    SPECIAL_TOKENS,
    load_tokenizer,
    save_tokenizer,
    special_id,
    train_tokenizer,
)
from fmkit.errors import FmkitError

TEXTS = [f"The {a} {b} saw {n} other {a}s by the {c}." for n in range(9) for a in ("fox", "owl", "hen")
         for b in ("ran", "sang") for c in ("river", "tree", "old barn")]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(TEXTS, 300)


def test_special_tokens_have_the_first_ids(tokenizer: Tokenizer) -> None:
    assert [tokenizer.id_to_token(i) for i in (BOS_ID, EOS_ID, PAD_ID, MASK_ID)] == list(SPECIAL_TOKENS)
    assert tokenizer.get_vocab_size() == 300
    assert tokenizer.encode("The fox").ids[0] == BOS_ID
    assert tokenizer.encode("").ids == [BOS_ID]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.sampled_from(SPECIAL_TOKENS))
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids) == text
    assert not set(ids[1:]) & {BOS_ID, EOS_ID, PAD_ID, MASK_ID}


def test_special_strings_in_a_text_are_text(tokenizer: Tokenizer, tmp_path: Path) -> None:
    text = "a <|eos|> in the <|bos|> text <|pad|><|mask|>"
    save_tokenizer(tokenizer, tmp_path)
    ids = tokenizer.encode(text).ids
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).encode(text).ids == theirs(text)["input_ids"] == ids
    assert not set(ids[1:]) & {0, 1, 2, 3}


def test_transformers_gives_the_same_ids(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in ("The owl sang.", "ünï — ☃\n\n\tcode()", " two  spaces ", ""):
        ids = tokenizer.encode(text).ids
        assert theirs(text)["input_ids"] == ids
        assert theirs.decode(ids, skip_special_tokens=True) == text
    assert (theirs.bos_token_id, theirs.eos_token_id) == (BOS_ID, EOS_ID)
    assert (theirs.pad_token_id, theirs.mask_token_id) == (PAD_ID, MASK_ID)
    assert len(theirs) == tokenizer.get_vocab_size()
    assert load_tokenizer(tmp_path).to_str() == tokenizer.to_str()


def test_list_dataset_and_stream_agree(tokenizer: Tokenizer) -> None:
    rows = [{"text": text} for text in TEXTS]
    for dataset in (Dataset.from_list(rows), IterableDataset.from_generator(lambda: iter(rows)), iter(TEXTS)):
        assert train_tokenizer(dataset, 300).to_str() == tokenizer.to_str()


@pytest.mark.slow
def test_another_hash_seed_changes_nothing(tokenizer: Tokenizer) -> None:
    program = (
        "import json, sys; from fmkit.data.tokenizer import train_tokenizer;"
        "sys.stdout.write(train_tokenizer(json.load(sys.stdin), 300).to_str())"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(TEXTS),
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == tokenizer.to_str()
    assert process.stderr == ""


def test_vocabulary_larger_than_the_text() -> None:
    with pytest.raises(FmkitError, match=r"choose \d+ or less") as caught:
        train_tokenizer(TEXTS, 5000)
    allowed = int(str(caught.value).split("choose ")[1].split()[0])
    assert train_tokenizer(TEXTS, allowed).get_vocab_size() == allowed
    with pytest.raises(FmkitError, match=f"choose {allowed} or less"):
        train_tokenizer(TEXTS, allowed + 1)
    with pytest.raises(FmkitError, match="choose 260 or less"):
        train_tokenizer([], 300)


@pytest.mark.parametrize("size", [259, 0, -1])
def test_vocabulary_smaller_than_all_bytes(size: int) -> None:
    with pytest.raises(FmkitError, match="260"):
        train_tokenizer(TEXTS, size)


@pytest.mark.parametrize(
    "dataset",
    ["The fox ran.", {"train": TEXTS}, DatasetDict({"train": Dataset.from_dict({"text": TEXTS})})],
    ids=["one string", "splits", "a corpus"],
)
def test_a_string_or_a_corpus_is_refused(dataset: Any) -> None:
    with pytest.raises(FmkitError, match=r"takes one split, such as corpus\['train'\]"):
        train_tokenizer(dataset, 300)


@pytest.mark.parametrize("rows", [[{"body": "a"}], [{"text": 7}]])
def test_a_dataset_without_texts_is_refused(rows: list) -> None:
    with pytest.raises(FmkitError, match="the column 'text'"):
        train_tokenizer(Dataset.from_list(rows), 300)


def test_large_corpora_are_sampled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = " ".join(TEXTS) * 20 + "x" * 40_000
    pieces = list(module._pieces([long, "", "short"]))
    assert "".join(pieces) == long + "short"
    assert max(map(len, pieces)) <= module.PIECE

    monkeypatch.setattr(module, "SAMPLE", 1000)
    for dataset in (TEXTS, Dataset.from_dict({"text": TEXTS})):
        sample = list(module._sample(dataset))
        assert 0 < sum(map(len, sample)) <= 1000
        assert sample[-1] not in TEXTS[:50]  # taken from the whole length
    assert sum(map(len, module._sample(iter(TEXTS)))) == 1000


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_is_one_line(
    tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("tokenizer")
    whole = tokenizer.to_str().encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    junk = data.draw(st.binary(max_size=20))
    (directory / "tokenizer.json").write_bytes(whole[:cut] + junk + whole[cut + len(junk) :])
    message = None
    try:
        load_tokenizer(directory).encode("The fox ran.")
    except FmkitError as error:
        message = str(error)
    assert message is None or ("tokenizer.json" in message and "\n" not in message)


def test_template_with_an_unknown_token(tokenizer: Tokenizer, tmp_path: Path) -> None:
    """The library opens such a file, and panics when it is used."""
    damaged = json.loads(tokenizer.to_str())
    damaged["post_processor"]["special_tokens"] = {"<|box|>": {"id": "<|box|>", "ids": [0], "tokens": ["x"]}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(damaged))
    with pytest.raises(FmkitError, match=r"tokenizer.json: damaged"):
        load_tokenizer(tmp_path)


def test_missing_file_unwritable_directory(tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(FmkitError, match=r"tokenizer.json: cannot be read"):
        load_tokenizer(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(FmkitError, match="cannot be written"):
        save_tokenizer(tokenizer, tmp_path / "file")


def test_chat_template_with_chat_tokens_only(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path / "plain")
    save_tokenizer(add_chat_tokens(tokenizer), tmp_path / "chat")
    assert AutoTokenizer.from_pretrained(tmp_path / "plain").chat_template is None
    theirs = AutoTokenizer.from_pretrained(tmp_path / "chat")
    assert theirs.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False) == (
        "<|bos|><|user|>Hi"
    )
    assert len(theirs) == tokenizer.get_vocab_size() + 3


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"bos_token": "a", "eos_token": {"content": "b"}, "pad_token": "c"}, ["a", "b", "c"]),
        ({"bos_token": None, "eos_token": "b"}, ["b", "b", "b"]),
        ({"bos_token": "b", "eos_token": "b", "pad_token": "b"}, ["b", "b", "b"]),
        ({"bos_token": "a", "eos_token": "b", "pad_token": 3}, ["a", "b", "b"]),
    ],
)
@pytest.mark.parametrize("file", ["tokenizer_config.json", "special_tokens_map.json"])
def test_special_tokens_of_transformers(config: dict, names: list[str], file: str, tmp_path: Path) -> None:
    foreign = Tokenizer(models.WordLevel({"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}, unk_token="e"))
    foreign.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    foreign.add_special_tokens(["a", "b", "c"])
    foreign.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / file).write_text(json.dumps(config))
    ids = [foreign.token_to_id(name) for name in names]
    ours = load_tokenizer(tmp_path)
    assert [special_id(ours, token) for token in (BOS, EOS, PAD)] == ids
    assert ours.encode("d e d").ids == [ids[0], 3, 4, 3]
    save_tokenizer(ours, tmp_path / "again")
    theirs = AutoTokenizer.from_pretrained(tmp_path / "again")
    assert len(theirs) == 5
    assert [theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id] == ids


@pytest.mark.parametrize("text", ["{", "[]", '{"eos_token": ["b"]}', "[" * 100_000])
def test_names_that_cannot_be_read_are_none(tokenizer: Tokenizer, text: str, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        (tmp_path / file).write_text(text)
    assert load_tokenizer(tmp_path).to_str() == tokenizer.to_str()
