"""Promises of the chat encoding: only what the assistant says is learned; transformers lays it out alike."""

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from fmkit.data.batches import IGNORE
from fmkit.data.chat import (
    CHAT_TOKENS,
    ROLES,
    add_chat_tokens,
    chat_prompt,
    encode_chat,
    encode_completion,
    recent,
)
from fmkit.data.example_batches import collate_completions, tokenize_completions
from fmkit.data.tokenizer import (
    BOS_ID,
    EOS_ID,
    PAD_ID,
    SPECIAL_TOKENS,
    load_tokenizer,
    save_tokenizer,
    train_tokenizer,
)
from fmkit.errors import FmkitError

TEXTS = [f"The {a} {b} saw {n} other {a}s by the {c}." for n in range(9) for a in ("fox", "owl", "hen")
         for b in ("ran", "sang") for c in ("river", "tree", "old barn")]  # fmt: skip
TALK = [
    {"role": "system", "content": "You sell owls.\n"},
    {"role": "user", "content": "Does it sing? "},
    {"role": "assistant", "content": "It sang by the river."},
    {"role": "user", "content": "And ☃?"},
    {"role": "assistant", "content": " Ünï — 日本, 👩‍👩‍👧\n"},
]
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.fixture(scope="module")
def plain() -> Tokenizer:
    return train_tokenizer(TEXTS, 300)


@pytest.fixture(scope="module")
def tokenizer(plain: Tokenizer) -> Tokenizer:
    return add_chat_tokens(plain)


@pytest.fixture(scope="module")
def theirs(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    directory = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(tokenizer, directory)
    return AutoTokenizer.from_pretrained(directory)


def message(call: Any, *arguments: Any) -> str:
    with pytest.raises(FmkitError) as caught:
        call(*arguments)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_chat_tokens_are_added_at_the_end(plain: Tokenizer, tokenizer: Tokenizer) -> None:
    before = plain.to_str()
    assert [tokenizer.token_to_id(token) for token in CHAT_TOKENS] == [300, 301, 302]
    assert plain.to_str() == before
    assert plain.get_vocab_size() == 300
    assert add_chat_tokens(tokenizer).to_str() == tokenizer.to_str()
    for text in TEXTS[:5]:
        assert tokenizer.encode(text).ids == plain.encode(text).ids


def test_only_the_assistant_is_learned(tokenizer: Tokenizer) -> None:
    ids, labels = encode_chat(TALK, tokenizer)
    assert len(ids) == len(labels)
    learned = [label for label in labels if label != IGNORE]
    assert tokenizer.decode(learned, skip_special_tokens=False) == (
        "It sang by the river.<|eos|> Ünï — 日本, 👩‍👩‍👧\n<|eos|>"
    )
    assert tokenizer.decode(ids, skip_special_tokens=False) == (
        "<|bos|><|system|>You sell owls.\n<|user|>Does it sing? <|assistant|>It sang by the river.<|eos|>"
        "<|user|>And ☃?<|assistant|> Ünï — 日本, 👩‍👩‍👧\n<|eos|>"
    )
    assert encode_chat(TALK, tokenizer, mask_prompt=False) == (ids, ids)


def test_a_turn_of_weight_zero_is_only_read(tokenizer: Tokenizer) -> None:
    ids, labels = encode_chat(TALK, tokenizer)
    weighted = [*TALK[:2], {**TALK[2], "weight": 0}, TALK[3], {**TALK[4], "weight": 1}]
    learned = [label for label in encode_chat(weighted, tokenizer)[1] if label != IGNORE]
    assert encode_chat(weighted, tokenizer)[0] == ids
    assert tokenizer.decode(learned, skip_special_tokens=False) == f"{TALK[4]['content']}<|eos|>"
    first = len(chat_prompt(TALK[:2], tokenizer))
    spoken = len(tokenizer.encode(TALK[2]["content"], add_special_tokens=False).ids) + 1
    all_but_it = [*ids[:first], *[IGNORE] * spoken, *ids[first + spoken :]]
    assert encode_chat(weighted, tokenizer, mask_prompt=False)[1] == all_but_it
    assert encode_chat([{**turn, "weight": None} for turn in TALK], tokenizer) == (ids, labels)
    assert chat_prompt(weighted[:3] + TALK[3:4], tokenizer) == chat_prompt(TALK[:4], tokenizer)


def test_labels_of_a_batch_are_next_tokens(tokenizer: Tokenizer) -> None:
    rows = tokenize_completions(Dataset.from_list([{"messages": TALK}]), tokenizer, context_length=500)
    batch = collate_completions(list(rows), PAD_ID)
    ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
    assert [label for label in labels if label != IGNORE] == [
        label for label in encode_chat(TALK, tokenizer)[1] if label != IGNORE
    ]
    for position, label in enumerate(labels):
        assert label in (IGNORE, [*ids, PAD_ID][position + 1])
    first = labels.index(next(label for label in labels if label != IGNORE))
    assert ids[first] == tokenizer.token_to_id("<|assistant|>")


def test_chat_prompt_ends_before_the_answer(tokenizer: Tokenizer) -> None:
    asked = chat_prompt(TALK[:-1], tokenizer)
    ids, labels = encode_chat(TALK, tokenizer)
    assert ids[: len(asked)] == asked
    assert labels[len(asked) - 1] == IGNORE != labels[len(asked)]


def test_recent_begins_with_the_user(tokenizer: Tokenizer) -> None:
    talk = [TALK[0], *[turn for n in range(5) for turn in ({**TALK[1], "content": f"{n}?"}, TALK[2])]]
    asked = talk[:-1]
    whole = len(chat_prompt(asked, tokenizer))
    assert recent(asked, tokenizer, whole) == asked
    assert recent(asked, tokenizer, whole - 1) == [TALK[0], *asked[3:]]
    assert recent(asked[1:], tokenizer, whole // 2)[0]["role"] == "user"
    assert recent(asked, tokenizer, 1) == [TALK[0], asked[-1]]


@settings(max_examples=60, deadline=None)
@given(TEXT | st.sampled_from([*SPECIAL_TOKENS, *CHAT_TOKENS]), TEXT)
def test_special_strings_in_messages(tokenizer: Tokenizer, asked: str, answer: str) -> None:
    talk = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    ids, _ = encode_chat(talk, tokenizer)
    special = {tokenizer.token_to_id(token) for token in (*SPECIAL_TOKENS, *CHAT_TOKENS)}
    names = [tokenizer.id_to_token(token) for token in ids if token in special]
    assert names == ["<|bos|>", "<|user|>", "<|assistant|>", "<|eos|>"]
    ids, labels = encode_completion(asked, answer, tokenizer)
    assert [token for token in ids if token in special] == [BOS_ID, EOS_ID]
    assert tokenizer.decode([label for label in labels if label != IGNORE]) == answer


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ROLES), TEXT.filter(lambda text: "<|" not in text)), min_size=1))
def test_transformers_chat_template_agrees(tokenizer: Tokenizer, theirs: Any, turns: list) -> None:
    talk = [{"role": role, "content": content} for role, content in turns]
    assert theirs.apply_chat_template(talk, add_generation_prompt=True)["input_ids"] == chat_prompt(
        talk, tokenizer
    )
    talk.append({"role": "assistant", "content": "The owl sang."})
    ids, labels = encode_chat(talk, tokenizer)
    given = theirs.apply_chat_template(talk, return_dict=True, return_assistant_tokens_mask=True)
    assert given["input_ids"] == ids
    assert given["assistant_masks"] == [int(label != IGNORE) for label in labels]


def test_saved_tokenizer_encodes_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    talk = [*TALK, {"role": "assistant", "content": "<|user|> <|eos|>"}]
    assert encode_chat(talk, load_tokenizer(tmp_path)) == encode_chat(talk, tokenizer)


def test_completion_is_learned_prompt_is_not(plain: Tokenizer) -> None:
    ids, labels = encode_completion("The fox ran", " by the river.", plain)
    asked = plain.encode("The fox ran").ids
    assert ids[: len(asked)] == asked
    assert labels == [IGNORE] * len(asked) + ids[len(asked) :]
    assert plain.decode(ids[len(asked) : -1]) == " by the river."
    assert ids[-1] == EOS_ID
    assert encode_completion("The fox ran", " by the river.", plain, mask_prompt=False) == (ids, ids)


@pytest.mark.parametrize(
    ("talk", "wanted"),
    [
        ([{"role": "user", "content": "a"}, {"role": "bot", "content": "b"}], "messages[1].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "user", "content": ["a"]}], "messages[0].content"),
        (["Hello"], "messages[0].role"),
        ([{"role": ["user"], "content": "a"}], "messages[0].role"),
        ([{"role": "user", "content": "a"}], "the assistant says nothing"),
        ([], "the assistant says nothing"),
        ([{"role": "assistant", "content": "\ud800"}], "half a character"),
        ([{"role": "assistant", "content": "a", "weight": 0}], "the assistant says nothing"),
        ([{"role": "assistant", "content": "a", "weight": 0.5}], "messages[0].weight: a number, not 0 or 1"),
        ([{"role": "assistant", "content": "a", "tool_calls": [{}]}], "messages[0].tool_calls: not read"),
    ],
)
def test_a_broken_conversation_is_one_line(tokenizer: Tokenizer, talk: Any, wanted: str) -> None:
    assert wanted in message(encode_chat, talk, tokenizer)


def test_tokenizer_without_chat_tokens(plain: Tokenizer) -> None:
    assert "add_chat_tokens" in message(encode_chat, TALK, plain)
    assert "add_chat_tokens" in message(chat_prompt, [], plain)
