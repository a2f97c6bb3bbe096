"""The scripts that compute in a page give what fmkit gives: ids, layouts, and what of them is learned."""

import json
import random
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from playwright.sync_api import Page
from tokenizers import Tokenizer

from bookkit.engine import convert
from bookkit.engine.packing import pack_model
from bookkit.engine.tokenizer_script import byte_letters
from fmkit import (
    FmkitError,
    ModelConfig,
    RopeScaling,
    Transformer,
    asset,
    load_corpus,
    load_tokenizer,
    train_tokenizer,
)
from fmkit.data.example_batches import tokenize_completions, tokenize_labeled, tokenize_pairs
from fmkit.world import DOMAINS

MODEL = asset("models/assistant/tokenizer.json")
ENCODE = """(texts) => {
    const { Tokenizer } = fmkit.modules.tokenizer;
    const tokenizer = new Tokenizer(fmkit.modules["tokenizers/assistant"]);
    return texts.map((text) => { const ids = tokenizer.encode(text); return [ids, tokenizer.decode(ids)]; });
}"""
LAY_OUT = """(rows) => {
    const { Tokenizer } = fmkit.modules.tokenizer;
    const { segmentsOfChat, segmentsOfCompletion, segmentsOfText, lastAnswer, flatten } = fmkit.modules.chat;
    const tokenizer = new Tokenizer(fmkit.modules["tokenizers/assistant"]);
    const segments = ({ messages, prompt, completion, answer, text }) => {
        if (messages) return segmentsOfChat(messages, tokenizer);
        if (answer) return lastAnswer(segmentsOfChat([...prompt, ...answer], tokenizer));
        if (text) return segmentsOfText(text, tokenizer, false);
        return segmentsOfCompletion(prompt, completion, tokenizer);
    };
    return rows.map((row) => flatten(segments(row), row.context));
}"""
# Blocks of Unicode in which words, spaces, marks and signs behave in their own ways.
BLOCKS = (
    (0x00, 0x7F), (0x80, 0x24F), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F),
    (0xE00, 0xE7F), (0x1680, 0x1680), (0x2000, 0x206F), (0x20A0, 0x20BF), (0x2100, 0x21FF), (0x3000, 0x30FF),
    (0x4E00, 0x4FFF), (0xAC00, 0xAD00), (0xE000, 0xE010), (0xFE00, 0xFEFF), (0xFF00, 0xFFEF),
    (0xFFF0, 0xFFFF), (0x1D400, 0x1D7FF), (0x1F300, 0x1F6FF), (0x10FF00, 0x10FFFF),
)  # fmt: skip
ODD = [
    "", " ", "  \n\n\t x", "<|bos|><|user|>hi<|eos|>", "it's 'll 'LL don't'd", "\ufeffa", "\x85\x1c\u180e ",
    "\0", "e\u0301\u200d\U0001f469\u200d\U0001f467", "a" * 5_000, " " * 3_000, "\u2028\u2029", "1\u0663\xbd",
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(MODEL.parent)


@pytest.fixture
def page(visit: Any) -> Page:
    opened: Page = visit(name="chapters/back/inspector")
    opened.evaluate(
        "() => Promise.all(['tokenizer', 'chat', 'tokenizers/assistant'].map((n) => fmkit.load(n)))"
    )
    return opened


def hostile(count: int) -> list[str]:
    rng = random.Random(0)
    texts = []
    for _ in range(count):
        blocks = rng.sample(BLOCKS, 3)
        texts.append("".join(chr(rng.randint(*rng.choice(blocks))) for _ in range(rng.randint(1, 60))))
    return texts


def test_ids_are_those_of_tokenizers(page: Page, tokenizer: Tokenizer) -> None:
    texts = [text for domain in DOMAINS.values() for text in domain.load(60, 1)["train"]["text"]]
    texts += hostile(600) + ODD
    assert len(texts) > 1_000
    for text, (ids, back) in zip(texts, page.evaluate(ENCODE, texts), strict=True):
        assert ids == tokenizer.encode(text, add_special_tokens=False).ids, text
        assert back == text


OTHERS = {
    "model_type": "qwen2",
    "attention_bias": True,
    "head_dim": 64,
    "rope_scaling": RopeScaling("linear", factor=2.0),
}


@pytest.mark.parametrize(("name", "value"), OTHERS.items(), ids=OTHERS)
def test_what_the_page_does_not_compute(name: str, value: Any) -> None:
    model = Transformer(ModelConfig(300, hidden_size=32, num_hidden_layers=1, **{name: value}))
    with pytest.raises(FmkitError, match=f"^mine: {name} is"):
        pack_model(model, {}, "mine")


SEAMS = """async ([name, words]) => {
    const { Tokenizer } = fmkit.modules.tokenizer;
    const tokenizer = new Tokenizer(await fmkit.load(name));
    return words.map((word) => tokenizer.join(new TextEncoder().encode(word)).seams.map((rank) =>
        Number.isFinite(rank) ? rank : null));
}"""


def with_first(used: int) -> Tokenizer:
    """The tokenizer of the assistant, with the first `used` of its merges."""
    whole = json.loads(MODEL.read_text())
    model = whole["model"]
    model["merges"] = model["merges"][:used]
    made = {left + right for left, right in model["merges"]}
    letters = set(byte_letters())
    model["vocab"] = {one: id for one, id in model["vocab"].items() if one in made | letters or id < 4}
    limited = Tokenizer.from_str(json.dumps(whole))
    limited.encode_special_tokens = True
    return limited


@pytest.mark.parametrize("used", [0, 1, 40, 252, 500, 764])
def test_seams_are_any_smaller_vocabulary(page: Page, used: int) -> None:
    """Where the first merges leave places open, `tokenizers` ends tokens with these merges alone."""
    texts = [text for domain in DOMAINS.values() for text in domain.load(6, 1)["train"]["text"]]
    texts += hostile(100) + ODD
    limited = with_first(used)
    cut = [word for text in texts for word, _ in limited.pre_tokenizer.pre_tokenize_str(text)]
    bytes_of = {letter: byte for byte, letter in enumerate(byte_letters())}
    words = [bytes(bytes_of[letter] for letter in word).decode() for word in dict.fromkeys(cut)]
    assert len(words) > 500
    for word, seams in zip(words, page.evaluate(SEAMS, ["tokenizers/assistant", words]), strict=True):
        ends = [at + 1 for at, rank in enumerate(seams) if rank is None or rank >= used]
        lengths = [len(token) for token in limited.encode(word, add_special_tokens=False).tokens]
        assert [*ends, len(word.encode())] == list(accumulate(lengths)), word


@pytest.mark.slow
def test_less_vocabulary_is_fewer_merges() -> None:
    """A tokenizer of the same texts with a smaller vocabulary has the first merges, and the same ids."""
    texts = load_corpus("python-docs")["train"]
    whole, small = (train_tokenizer(texts, size) for size in (1024, 300))
    merges = [json.loads(one.to_str())["model"]["merges"] for one in (whole, small)]
    assert merges[1] == merges[0][:40]
    assert small.get_vocab().items() <= whole.get_vocab().items()
    assert (
        merges[0] == json.loads(asset("tokenizers/python-docs/tokenizer.json").read_text())["model"]["merges"]
    )


@pytest.mark.parametrize("name", ["models/base", "tokenizers/medical", "tokenizers/python-docs"])
def test_no_two_merges_make_one_token(name: str) -> None:
    """Then ranks only rise while a word is joined, and its seams hold for every smaller vocabulary."""
    merges = json.loads(asset(f"{name}/tokenizer.json").read_text())["model"]["merges"]
    assert len({left + right for left, right in merges}) == len(merges) == 764


def test_half_a_character_is_an_error(page: Page) -> None:
    for text in ('"\\ud83d"', '"x\\ude00y"'):
        said = page.evaluate(
            f"() => {{ try {{ ({ENCODE})([{text}]) }} catch (error) {{ return String(error) }} }}"
        )
        assert said == "RangeError: half a character (a lone surrogate) in a text"


def test_part_of_a_character_is_decoded(page: Page, tokenizer: Tokenizer) -> None:
    """Bytes that are no text become U+FFFD, as many as in `tokenizers`."""
    cuts = [
        tokenizer.encode("é😀한", add_special_tokens=False).ids[start:end]
        for start in range(6)
        for end in (7, 8)
    ]
    script = ENCODE.replace("const ids = tokenizer.encode(text); ", "const ids = text; ")
    for ids, (_, back) in zip(cuts, page.evaluate(script, cuts), strict=True):
        assert back == tokenizer.decode(ids)


CONVERSATIONS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": "Where is my kettle?"}, {"role": "assistant", "content": "On its way."}],
    [
        {"role": "system", "content": "You answer for a shop."},
        {"role": "user", "content": "<|assistant|>é😀"},
        {"role": "assistant", "content": "No."},
        {"role": "user", "content": "  Why?\n"},
        {"role": "user", "content": "Why not?"},
        {"role": "assistant", "content": "It is late."},
        {"role": "assistant", "content": "Sorry."},
    ],
    [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Hi."}],
    [
        {"role": "assistant", "content": "Go!", "weight": 0},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello!"},
    ],
]


@pytest.mark.parametrize("context", [256, 40])
def test_what_is_learned_is_what_fmkit_says(page: Page, tokenizer: Tokenizer, context: int) -> None:
    """Conversations, prompts with completions, pairs of both, and labeled texts, also cut at a context."""
    prompt, answers = CONVERSATIONS[1][:2], CONVERSATIONS[1][2:3]
    texts = {"prompt": "Where is my kettle?", "completion": " It is on its way."}
    pairs: list[dict[str, Any]] = [
        {"prompt": texts["prompt"], "chosen": " Here.", "rejected": " Gone."},
        {"prompt": prompt, "chosen": answers, "rejected": [{**answers[0], "content": "Yes!"}]},
        {"prompt": CONVERSATIONS[0], "chosen": answers, "rejected": answers},
    ]
    want: list[Any] = []
    rows: list[dict[str, Any]] = []
    for messages in CONVERSATIONS:
        found = tokenize_completions(Dataset.from_list([{"messages": messages}]), tokenizer, context)
        want += list(found)
        rows.append({"messages": messages})
    want += list(tokenize_completions(Dataset.from_list([texts]), tokenizer, context))
    rows.append(texts)
    for pair in pairs if context == 256 else pairs[:1]:
        row = tokenize_pairs(Dataset.from_list([pair]), tokenizer, context)[0]
        for side in ("chosen", "rejected"):
            want.append(row[side])
            name = "completion" if isinstance(pair["prompt"], str) else "answer"
            rows.append({"prompt": pair["prompt"], name: pair[side]})
    got = page.evaluate(LAY_OUT, [{**row, "context": context} for row in rows])
    assert [(one["ids"], one["labels"]) for one in got] == [(one["input_ids"], one["labels"]) for one in want]


def test_a_labeled_text_is_only_read(page: Page, tokenizer: Tokenizer) -> None:
    row = {"text": "Where is it? " * 9, "label": 0}
    want = tokenize_labeled(Dataset.from_list([row]), tokenizer, 30, ("yes", "no"))[0]["input_ids"]
    (got,) = page.evaluate(LAY_OUT, [{"text": row["text"], "context": 30}])
    assert got == {"ids": want, "labels": [-100] * 30}


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"type": "Unigram"}},
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"normalizer": {"type": "NFC"}},
    ],
)
def test_another_kind_is_one_line(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(json.loads(MODEL.read_text()) | change))
    with pytest.raises(FmkitError, match=r"^a\.json:1: not a byte-level BPE"):
        convert(path.read_text(encoding="utf-8"), "a.json")


def test_the_file_for_a_page_is_small() -> None:
    assert len(json.dumps(convert(MODEL.read_text(encoding="utf-8"), MODEL.name))) < 20_000
