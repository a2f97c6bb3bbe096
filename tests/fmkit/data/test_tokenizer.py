"""Promises of the tokenizer: lossless, deterministic, opened by transformers, clear about bad input."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict, IterableDataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from fmkit.data import tokenizer as module
from fmkit.data.chat import add_chat_tokens, chat_prompt, decode_next, encode_completion
from fmkit.data.tokenizer import (
    BOS,
    BOS_ID,
    EOS,
    EOS_ID,
    MASK,
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


def sentencepiece(directory: Path, start: str, **how: Any) -> PreTrainedTokenizerFast:
    """Save a tokenizer as those of Llama 2 are: words begin with ▁, which `start` puts before a text, too."""
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    learned.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=330, special_tokens=special, show_progress=False)
    )
    model = json.loads(learned.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    made = Tokenizer(models.BPE(model["vocab"], merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    if start == "normalizer":
        spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        made.normalizer = normalizers.Sequence(spaces)
    else:
        made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=start, split=False)
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    theirs = PreTrainedTokenizerFast(tokenizer_object=made, **names, **how)
    theirs.save_pretrained(directory)
    return theirs


@pytest.mark.parametrize("start", ["normalizer", "first", "always"])
def test_a_completion_follows_its_prompt(start: str, tmp_path: Path) -> None:
    theirs, ours = sentencepiece(tmp_path, start), load_tokenizer(tmp_path)
    for prompt, completion in [
        ("The fox", " ran by the tree."),
        ("The fox", "es sang."),
        ("The owl: ", " é☃"),
        (" The hen", "\n\nsaw"),
        ("", "The fox"),
    ]:
        ids, labels = encode_completion(prompt, completion, ours)
        joint = theirs(prompt + completion, add_special_tokens=False)["input_ids"]
        assert ids == [ours.token_to_id("<s>"), *joint, ours.token_to_id("</s>")]
        start_at = next(i for i, label in enumerate(labels) if label >= 0)
        if prompt:
            assert decode_next(ids[:start_at], ids[start_at:], ours) == completion


@pytest.mark.parametrize("start", ["normalizer", "first", "always", "never"])
def test_messages_are_encoded_as_served(start: str, tmp_path: Path) -> None:
    sentencepiece(tmp_path, start)
    ours = add_chat_tokens(load_tokenizer(tmp_path))
    save_tokenizer(ours, tmp_path)
    said = [("user", "The fox"), ("assistant", "ran."), ("user", " by the tree")]
    messages = [{"role": role, "content": content} for role, content in said]
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    expected = theirs.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]
    assert chat_prompt(messages, ours) == expected == chat_prompt(messages, load_tokenizer(tmp_path))


def test_a_start_that_cannot_be_left_alone(tmp_path: Path) -> None:
    sentencepiece(tmp_path, "first")
    file = tmp_path / "tokenizer.json"
    data = json.loads(file.read_text())
    data["normalizer"] = {"type": "Replace", "pattern": {"Regex": "^"}, "content": "▁▁"}
    file.write_text(json.dumps(data))
    with pytest.raises(FmkitError, match=r"cannot encode ' ran' apart from the text before it"):
        encode_completion("The fox", " ran", load_tokenizer(tmp_path))


@pytest.mark.parametrize(
    "how",
    [
        {"truncation": True, "max_length": 3},
        {"padding": "max_length", "max_length": 9},
        {"truncation": True, "padding": "max_length", "max_length": 4},
    ],
)
def test_nothing_cuts_or_pads_a_text(how: dict, tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    theirs(TEXTS[:2], **how)
    theirs.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "tokenizer.json").read_text())
    assert written["truncation"] or written["padding"]
    ours = load_tokenizer(tmp_path)
    for text in ("", "x", *TEXTS[:2]):
        assert ours.encode(text).ids == theirs(text)["input_ids"] == tokenizer.encode(text).ids


def put_around(directory: Path, *around: str) -> None:
    """Have the saved tokenizer put tokens around a text, $A."""
    file = directory / "tokenizer.json"
    ours = Tokenizer.from_file(str(file))
    special = [(token, ours.token_to_id(token)) for token in around if token != "$A"]
    ours.post_processor = processors.TemplateProcessing(single=" ".join(around), special_tokens=special)
    ours.save(str(file))


@pytest.mark.parametrize("around", [[BOS, "$A", EOS], ["$A", EOS], ["$A"], [BOS, "$A"], ["$A", BOS]])
def test_every_text_begins_and_none_ends(around: list[str], tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    put_around(tmp_path, *around)
    assert load_tokenizer(tmp_path).to_str() == tokenizer.to_str()


@pytest.mark.parametrize(
    ("around", "odd"), [([PAD, "$A"], PAD), ([BOS, "$A", MASK], MASK), ([BOS, BOS, "$A"], BOS)]
)
def test_other_tokens_around_a_text(
    around: list[str], odd: str, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    save_tokenizer(tokenizer, tmp_path)
    put_around(tmp_path, *around)
    with pytest.raises(FmkitError, match=rf"post_processor puts {re.escape(odd)} around each text"):
        load_tokenizer(tmp_path)


def test_a_classifier_reads_the_last_token(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    for around in ([BOS, "$A", EOS], ["$A", EOS], ["$A", BOS]):
        put_around(tmp_path, *around)
        with pytest.raises(FmkitError, match="a classifier reads the last token"):
            load_tokenizer(tmp_path, classifies=True)
    put_around(tmp_path, "$A")
    assert load_tokenizer(tmp_path, classifies=True).encode("The").ids == tokenizer.encode("The").ids[1:]


def test_a_text_has_the_same_ids_each_time(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    file = tmp_path / "tokenizer.json"
    data = json.loads(file.read_text())
    data["model"]["dropout"] = 0.9
    file.write_text(json.dumps(data))
    assert load_tokenizer(tmp_path).to_str() == tokenizer.to_str()


@pytest.mark.parametrize("role", ["bos_token", "eos_token"])
def test_a_named_token_must_be_there(role: str, tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {role: "<s>"}))
    with pytest.raises(FmkitError, match=f"has no token '<s>', the {role} beside it"):
        load_tokenizer(tmp_path)


def test_no_other_tokenizer_is_left_beside(tokenizer: Tokenizer, tmp_path: Path) -> None:
    sentencepiece(tmp_path, "first")
    for name in ("special_tokens_map.json", "chat_template.jinja", "tokenizer.model"):
        (tmp_path / name).write_text('{"eos_token": "</s>"}')
    save_tokenizer(tokenizer, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"tokenizer.json", "tokenizer_config.json"}
    assert len(AutoTokenizer.from_pretrained(tmp_path)) == tokenizer.get_vocab_size()


@pytest.mark.parametrize("text", ["{", "[]", '{"eos_token": ["b"]}', "[" * 100_000])
def test_names_that_cannot_be_read_are_none(tokenizer: Tokenizer, text: str, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        (tmp_path / file).write_text(text)
    assert load_tokenizer(tmp_path).to_str() == tokenizer.to_str()
