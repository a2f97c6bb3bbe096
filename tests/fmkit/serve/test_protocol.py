"""What a client may ask: a faulty request is refused by an error object that names the field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit import Transformer
from fmkit.assets import asset
from fmkit.serve.protocol import Refused, Request, Served

MESSAGES = [{"role": "user", "content": "Where is my parcel?"}]


def opened(name: str) -> Served:
    model = Transformer.from_pretrained(asset(f"models/{name}"))
    return Served(name, model, model.tokenizer, 256, 8)


ASSISTANT, BASE = opened("assistant"), opened("base")


def read(chat: bool = True, served: Served = ASSISTANT, **fields) -> Request:
    asked = {"messages": MESSAGES} if chat else {"prompt": "Once upon"}
    body = json.dumps({"model": served.name} | asked | fields)
    return Request(body.encode(), chat, served)


def refused(body: bytes, chat: bool = True, served: Served = ASSISTANT) -> Refused:
    with pytest.raises(Refused) as caught:
        Request(body, chat, served)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 3}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages[0]"),
        ({"messages": [{"role": "pirate", "content": "Ahoy"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "3", "tool_call_id": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "messages"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"temperature": 10**400}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": True}, "max_completion_tokens"),
        ({"n": 9}, "n"),
        ({"seed": 2**63}, "seed"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": "a" * 257}, "stop"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"usage": True}}, "stream_options"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"temprature": 1}, "temprature"),
        ({"prompt": "Once"}, "prompt"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_faulty_field_is_named(fields, param):
    with pytest.raises(Refused) as caught:
        read(**fields)
    error = caught.value.object["error"]
    assert (caught.value.status, error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ([], "1 to 8"),
        (["a"] * 9, "1 to 8"),
        ([[]], "must have tokens"),
        ([1027], "below 1027"),
        ([-1], "below 1027"),
        ([5, True], "texts, or lists of token ids"),
        ({"text": "a"}, "a text or a list"),
        ("\ud800", "not valid Unicode"),
        ("word " * 400, "this server takes 256 with the answer"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_faulty_prompt(prompt, words):
    with pytest.raises(Refused, match=words) as caught:
        read(chat=False, prompt=prompt)
    assert (caught.value.status, caught.value.object["error"]["param"]) == (400, "prompt")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"temperature": NaN}',
        b'{"temperature": -Infinity}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"model": ' * 20_000 + b"1" + b"}" * 20_000,
    ],
    ids=lambda body: str(body[:16]),
)
def test_a_body_that_is_no_request(body):
    assert refused(body).status == 400


def test_another_model_is_not_found():
    with pytest.raises(Refused) as caught:
        read(model="gpt-5")
    assert (caught.value.status, caught.value.object["error"]["code"]) == (404, "model_not_found")


def test_a_model_that_never_learned_to_chat():
    with pytest.raises(Refused, match="has not learned to chat: ask it at /v1/completions") as caught:
        read(served=BASE)
    assert caught.value.object["error"]["code"] == "model_cannot_chat"
    assert read(chat=False, served=BASE).answers


def test_fields_that_ask_for_nothing():
    many = {"user": "me", "metadata": {"a": "b"}, "logprobs": False, "tools": [], "presence_penalty": 0}
    asked = read(**many, frequency_penalty=0.0, response_format={"type": "text"}, stop=None, seed=None)
    assert asked.answers[0].most == 256 - len(asked.answers[0].prompt)
    with pytest.raises(Refused, match="logprobs"):  # of a completion: those of the tokens themselves
        read(chat=False, logprobs=0)


def test_messages_as_clients_write_them():
    parts = [{"type": "text", "text": "Where is "}, {"type": "text", "text": "my parcel?"}]
    plain = read(messages=[{"role": "system", "content": "Be kind."}, *MESSAGES])
    other = read(messages=[{"role": "developer", "content": "Be kind."}, {"role": "user", "content": parts}])
    assert other.answers[0].prompt == plain.answers[0].prompt


def test_settings_reach_the_answer():
    asked = read(temperature=0.5, top_p=0, max_completion_tokens=3, seed=-1, n=2, stop="a")
    first, second = asked.answers
    assert (first.how, first.most, first.text.stop) == ((0.5, 1e-9), 3, ("a",))
    assert first.draws != second.draws
    assert first.draws == read(max_tokens=3, seed=2**63 - 1).answers[0].draws


def test_several_prompts_have_answers_each():
    ids = ASSISTANT.tokenizer.encode("Once upon").ids
    asked = read(chat=False, prompt=["Once upon", "The"], n=2)
    assert [answer.prompt for answer in asked.answers][:2] == [ids, ids]
    assert read(chat=False, prompt=ids).answers[0].prompt == ids
    assert len(asked.answers) == 4


# --- anything at all --------------------------------------------------------------------------------------

TOLD = ("messages", "prompt", "model", "stream", "stream_options", "logprobs")
SET = ("n", "stop", "temperature", "top_p", "seed", "max_tokens")
PARTS = st.sampled_from(["role", "content", "type", "text", "user"]) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("assistant"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(TOLD + SET), VALUES), st.booleans())
def test_any_json_is_read_or_refused(fields, chat):
    asked = {"messages": MESSAGES} if chat else {"prompt": "Once"}
    body = json.dumps({"model": "assistant"} | asked | fields).encode()
    status = 200
    try:
        assert Request(body, chat, ASSISTANT).answers
    except Refused as error:
        status = error.status
        json.dumps(error.object).encode()
    assert status in (200, 400, 404)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(body):
    assert refused(body).status in (400, 404)
