"""The server as its clients meet it: OpenAI's own client, and what that client would never send."""

import asyncio
import json
import signal
import socket
import time

import httpx
import openai
import pytest
import torch
from serving import serving
from tokenizers import Tokenizer

from fmkit import ModelConfig, Transformer, generate, reply
from fmkit.assets import asset
from fmkit.cli import main
from fmkit.serve import listen

pytestmark = pytest.mark.slow

ASSISTANT, BASE = asset("models/assistant"), asset("models/base")
MESSAGES = [{"role": "user", "content": "Where is my parcel?"}]
KEY = "a-key-of-ours"


@pytest.fixture(scope="module")
def model() -> Transformer:
    return Transformer.from_pretrained(ASSISTANT)


@pytest.fixture(scope="module")
def tokenizer(model) -> Tokenizer:
    return model.tokenizer


@pytest.fixture(scope="module")
def server():
    with serving(ASSISTANT) as started:
        yield started


@pytest.fixture(scope="module")
def client(server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def slow(tmp_path_factory, tokenizer):
    """A model that writes words for seconds, and ends no text."""
    folder = tmp_path_factory.mktemp("models") / "slow"
    sizes = {"hidden_size": 256, "num_hidden_layers": 6, "max_position_embeddings": 600}
    vocab = tokenizer.get_vocab()
    model = Transformer(ModelConfig(vocab_size=len(vocab), **sizes, tie_word_embeddings=False))
    with torch.no_grad():
        for token, i in vocab.items():
            model.lm_head.weight[i] *= token.startswith("Ġ")
    model.tokenizer = tokenizer
    model.save_pretrained(folder)
    return folder


def until(true, seconds: float = 20) -> None:
    """Wait until it is true, or fail."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "too late"
        time.sleep(0.05)


# --- answers ----------------------------------------------------------------------------------------------


def test_a_chat_is_the_reply(client, model, tokenizer):
    answer = client.chat.completions.create(model="assistant", messages=MESSAGES, temperature=0)
    said = reply(model, tokenizer, MESSAGES)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (said, "stop")
    assert answer.usage.completion_tokens == len(tokenizer.encode(said, add_special_tokens=False).ids) + 1


def test_a_completion_is_generated_text(client, model, tokenizer):
    how = {"temperature": 0.9, "top_p": 0.8, "seed": 4}
    whole = generate(model, tokenizer, "Once upon", 40, **how)
    answer = client.completions.create(model="assistant", prompt="Once upon", max_tokens=40, **how)
    assert "Once upon" + answer.choices[0].text == whole
    stop = whole[20:23]
    until_stop = generate(model, tokenizer, "Once upon", 40, **how, stop=stop)
    answer = client.completions.create(model="assistant", prompt="Once upon", max_tokens=40, stop=stop, **how)
    assert "Once upon" + answer.choices[0].text == until_stop != whole
    assert answer.choices[0].finish_reason == "stop"


def test_a_stream_is_the_whole(client):
    asked = {"model": "assistant", "messages": MESSAGES, "seed": 1, "n": 3}
    whole = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    said, ends = ["", "", ""], [None] * 3
    for chunk in chunks:
        for choice in chunk.choices:
            said[choice.index] += choice.delta.content or ""
            ends[choice.index] = choice.finish_reason or ends[choice.index]
    assert said == [choice.message.content for choice in whole.choices]
    assert ends == [choice.finish_reason for choice in whole.choices]
    assert chunks[-1].usage == whole.usage
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert len(set(said)) > 1


def test_an_asynchronous_client(server, model, tokenizer):
    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            stream = await client.completions.create(model="assistant", prompt="The", seed=2, stream=True)
            return "".join([chunk.choices[0].text async for chunk in stream])

    assert "The" + asyncio.run(ask()) == generate(model, tokenizer, "The", 16, seed=2)


def test_several_prompts(client, model, tokenizer):
    answer = client.completions.create(model="assistant", prompt=["The", "Once"], seed=3)
    texts = [before + choice.text for before, choice in zip(("The", "Once"), answer.choices, strict=True)]
    assert texts == [generate(model, tokenizer, before, 16, seed=3) for before in ("The", "Once")]


def test_models_are_listed(client):
    assert [model.id for model in client.models.list()] == ["assistant"]
    assert client.models.retrieve("assistant").object == "model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


# --- errors -----------------------------------------------------------------------------------------------


def test_errors_have_the_client_s_classes(client):
    with pytest.raises(openai.NotFoundError, match="this server has 'assistant'"):
        client.chat.completions.create(model="gpt-5", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError, match="logprobs is not built") as caught:
        client.chat.completions.create(model="assistant", messages=MESSAGES, logprobs=True)
    assert caught.value.param == "logprobs"
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model="assistant", prompt="word " * 500)
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (404, {"method": "GET", "url": "/v1/engines"}),
        (405, {"method": "GET", "url": "/v1/completions"}),
        (400, {"method": "POST", "url": "/v1/completions", "content": "{}"}),
        (400, {"method": "POST", "url": "/v1/completions", "json": [1]}),
        (413, {"method": "POST", "url": "/v1/completions", "json": {"prompt": "a" * 200_000}}),
        (400, {"method": "GET", "url": "/v1/models", "headers": {"Host": "evil.example"}}),
    ],
    ids=["path", "method", "no JSON type", "no object", "too long", "another host"],
)
def test_an_error_is_an_error_object(status, how, server):
    answer = httpx.Client(base_url=server.url).request(**how)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_body_without_a_length(server):
    """Its end is refused, not kept: more than the server takes, in chunks."""
    chunks = (b" " * 10_000 for _ in range(100))
    headers = {"Content-Type": "application/json"}
    try:
        status = httpx.post(f"{server.url}/v1/completions", content=chunks, headers=headers).status_code
    except (httpx.WriteError, httpx.ReadError):  # the server closed before all was sent
        status = 413
    assert status == 413


def test_a_model_that_does_not_chat():
    with serving(BASE) as base:
        client = openai.OpenAI(base_url=f"{base.url}/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.BadRequestError, match="has not learned to chat"):
            client.chat.completions.create(model="base", messages=MESSAGES)
        assert client.completions.create(model="base", prompt="Once upon").choices[0].text


def test_a_key_is_asked_for(model, tokenizer):
    with serving(ASSISTANT, key=KEY) as locked:
        good, bad = (
            openai.OpenAI(base_url=f"{locked.url}/v1", api_key=key, max_retries=0) for key in (KEY, KEY[:-1])
        )
        with pytest.raises(openai.AuthenticationError):
            bad.models.list()
        answer = good.chat.completions.create(model="assistant", messages=MESSAGES, temperature=0)
        assert answer.choices[0].message.content == reply(model, tokenizer, MESSAGES)
        assert httpx.get(f"{locked.url}/health").status_code == 200
        assert KEY not in locked.log + locked.told


@pytest.mark.parametrize(
    ("options", "key", "words"),
    [
        (
            ["--host", "0.0.0.0"],
            None,
            "set the environment variable FMKIT_API_KEY, or say --public-without-key",
        ),
        (["--host", "0.0.0.0"], "", "FMKIT_API_KEY must be of visible ASCII characters"),
        (["--port", "99999"], None, "choose another --host or --port"),
        (["--max-length", "300"], None, "max_length=300 must be from 2 to the model's context, 256"),
        (["--max-batch", "0"], None, "max_batch must be at least 1"),
    ],
    ids=["public", "empty key", "port", "length", "batch"],
)
def test_what_cannot_be_served(options, key, words, capsys, monkeypatch):
    monkeypatch.delenv("FMKIT_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("FMKIT_API_KEY", key)
    assert main(["serve", str(ASSISTANT), *options]) == 2
    assert words in capsys.readouterr().err


def test_a_port_that_is_taken(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", str(ASSISTANT), "--port", str(taken.getsockname()[1])]) == 2
    assert "Address already in use" in capsys.readouterr().err


def test_pieces_do_not_wait_for_more():
    """Without this option, which accepted sockets inherit, a late receipt holds a piece for 40 ms."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_log_has_no_prompts(server, client):
    client.completions.create(model="assistant", prompt="A secret of mine", max_tokens=2)
    httpx.get(f"{server.url}/v1/a%0Aline?secret")
    assert "POST /v1/completions 200" in server.log
    deadline = time.monotonic() + 30
    while "GET /v1/a%0Aline 404" not in server.log:  # it is written after the answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "secret" not in server.log


# --- clients that vanish, and the end ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(slow):
    """A server with one place, and one place to wait; the last test ends it."""
    with serving(slow, "--max-batch", "1", "--max-waiting", "1") as started:
        yield started


LONG = {"model": "slow", "prompt": "Once", "temperature": 0, "max_tokens": 590}


def ask_long(busy):
    return httpx.stream("POST", f"{busy.url}/v1/completions", json=LONG | {"stream": True}, timeout=60)


def health(busy) -> dict:
    return httpx.get(f"{busy.url}/health").json()


def test_who_vanishes_frees_the_place(busy):
    with ask_long(busy) as answer:
        lines = answer.iter_lines()  # closes the connection when it is collected
        next(lines)
        assert health(busy)["running"] == 1
    until(lambda: busy.log.count("client gone") == 1)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{busy.url}/v1/completions", json=LONG, timeout=0.4)
    until(lambda: busy.log.count("client gone") == 2)
    until(lambda: health(busy) == {"status": "ok", "running": 0, "waiting": 0})


def test_too_many_wait(busy):
    with ask_long(busy) as first, ask_long(busy) as second:
        lines = first.iter_lines()
        next(lines)
        client = openai.OpenAI(base_url=f"{busy.url}/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.RateLimitError, match="The queue is full"):
            client.completions.create(model="slow", prompt="Once")
        assert health(busy) == {"status": "ok", "running": 1, "waiting": 1}
        assert second.status_code == 200


def test_an_unfinished_request_holds_no_one(server, client):
    """Its headers promise a body that never comes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as silent:
        head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        silent.sendall(f"{head}Content-Length: 50\r\n\r\n{{".encode())
        assert client.completions.create(model="assistant", prompt="Once", max_tokens=2).choices


def test_sigterm_finishes_what_runs(busy):
    with ask_long(busy) as answer:
        lines = answer.iter_lines()
        next(lines)
        busy.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(httpx.ConnectError):
            health(busy)
        rest = [line for line in lines if line]
    assert rest[-1] == "data: [DONE]"
    assert json.loads(rest[-2].removeprefix("data: "))["choices"][0]["finish_reason"] == "length"
    assert busy.process.wait(20) == 0
