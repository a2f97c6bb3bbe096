"""Two hundred clients at once: nothing is lost, each answer is that of `generate`, memory has a bound."""

import asyncio
from collections import Counter

import openai
import psutil
import pytest
from serving import serving

from fmkit import Transformer, generate
from fmkit.assets import asset

pytestmark = pytest.mark.slow

COUNT, PROMPTS = 200, ("Once upon", "The fox", "Where is", "A")
GROWTH = 100 * 2**20  # bytes that the server may need beside what it had after its first answer


def asked(i: int) -> dict:
    """What client i asks; every second one samples."""
    how = {"prompt": PROMPTS[i % 4], "max_tokens": 8 + i % 33, "temperature": float(i % 2)}
    return how | {"model": "assistant", "seed": i % 40}


@pytest.fixture(scope="module")
def expected() -> list[str]:
    model = Transformer.from_pretrained(asset("models/assistant"))
    texts = []
    for i in range(COUNT):
        how = asked(i)
        whole = generate(
            model,
            model.tokenizer,
            how["prompt"],
            how["max_tokens"],
            temperature=how["temperature"],
            seed=how["seed"],
        )
        texts.append(whole[len(how["prompt"]) :])
    return texts


async def ask(client: openai.AsyncOpenAI, i: int) -> str | None:
    """Ask as one of four kinds of client: whole, streaming, slow to read, and one that vanishes (None)."""
    if i % 4 == 0:
        return (await client.completions.create(**asked(i))).choices[0].text
    text = ""
    async with await client.completions.create(**asked(i), stream=True) as stream:
        async for chunk in stream:
            text += chunk.choices[0].text
            if i % 4 == 1:
                await asyncio.sleep(0.02)
            elif i % 4 == 2:
                return None
    return text


def at_once(url: str) -> list:
    """What all clients get: a text, None or an error."""

    async def run() -> list:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            return await asyncio.gather(*(ask(client, i) for i in range(COUNT)), return_exceptions=True)

    return asyncio.run(run())


def test_two_hundred_clients_at_once(expected):
    with serving(asset("models/assistant")) as server:
        at_once(server.url)
        before = psutil.Process(server.process.pid).memory_info().rss
        answers = at_once(server.url)
        grown = psutil.Process(server.process.pid).memory_info().rss - before
        assert server.end() == 0
        assert "client gone" in server.log
    wanted = [None if i % 4 == 2 else text for i, text in enumerate(expected)]
    assert answers == wanted
    assert grown < GROWTH


def test_a_bounded_queue_refuses_the_rest(expected):
    with serving(asset("models/assistant"), "--max-batch", "4", "--max-waiting", "16") as server:
        answers = at_once(server.url)
    kinds = Counter(type(answer) for answer in answers)
    assert set(kinds) <= {str, type(None), openai.RateLimitError}
    assert kinds[openai.RateLimitError] > 0
    assert kinds[str] >= 10
    for i, answer in enumerate(answers):
        assert not isinstance(answer, str) or answer == expected[i]
