"""What happens to clients that ask fmkit's server all at once, slow and vanishing ones among them.

The server is a program of its own, as `fmkit serve` starts it. The clients are of OpenAI's library, all in
this process, so that both share the machine: times are those of a clock, and other programs count.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openai

from bookkit.experiments.foundations import MODELS, committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit.generation import generate

PROMPTS = ("Once upon", "The fox", "Where is", "A")
KINDS = ("patient", "patient", "patient", "slow", "vanishing")
PAUSE = 0.02  # seconds that a slow client takes for each piece
LIMITS: dict[str, list[str]] = {
    "256": [],
    "16": ["--max-batch", "4", "--max-waiting", "16"],
}  # by how many may wait


def asked(number: int) -> dict[str, Any]:
    """What a client asks; every second one samples."""
    how = {"prompt": PROMPTS[number % 4], "max_tokens": 8 + number % 33, "temperature": float(number % 2)}
    return how | {"seed": number % 40}


async def ask(client: openai.AsyncOpenAI, number: int) -> dict[str, Any]:
    """Read a stream as this kind of client does; return its seconds to the first piece and to the end."""
    kind, text, first = KINDS[number % len(KINDS)], "", 0.0
    start = time.perf_counter()
    try:
        async with await client.completions.create(model="assistant", stream=True, **asked(number)) as stream:
            async for chunk in stream:
                first = first or time.perf_counter() - start
                text += chunk.choices[0].text
                if kind == "slow":
                    await asyncio.sleep(PAUSE)
                elif kind == "vanishing":
                    break
    except openai.RateLimitError:
        return {"kind": "refused"}
    whole = time.perf_counter() - start
    return {"kind": kind, "number": number, "text": text, "first": first, "whole": whole}


async def all_at_once(url: str, clients: int) -> list[dict[str, Any]]:
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=600) as client:
        return await asyncio.gather(*(ask(client, number) for number in range(clients)))


def serve_crowd(clients: int, *options: str) -> tuple[list[dict[str, Any]], float]:
    """What each client got from a server that has answered before, and the server's largest memory in MB."""
    command = [sys.executable, "-m", "fmkit.cli", "serve", str(MODELS / "assistant"), "--port", "0", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    url = next(word for word in server.stdout.readline().split() if word.startswith("http")) + "v1"
    asyncio.run(all_at_once(url, 4))
    answers = asyncio.run(all_at_once(url, clients))
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")  # on Linux
    server.terminate()
    server.communicate()
    return answers, int(status.partition("VmHWM:")[2].split()[0]) / 1000


def is_right(answer: dict[str, Any], model: Any, tokenizer: Any) -> bool:
    """Whether an answer is what the library writes to the same prompt alone."""
    how = asked(answer["number"])
    prompt, most = how.pop("prompt"), how.pop("max_tokens")
    whole: str = generate(model, tokenizer, prompt, most, **how)
    return whole == prompt + answer["text"]


@experiment("crowd")
def crowd() -> Experiment:
    """Clients that ask at once, three fifths of them patient; the same with little room to wait."""

    def train(clients: int, room: str, repeat: int) -> dict[str, Any]:
        answers, megabytes = serve_crowd(clients, *LIMITS[room])
        model, tokenizer = committed("assistant")
        counts: dict[str, int] = {}
        for answer in answers:
            counts[answer["kind"]] = counts.get(answer["kind"], 0) + 1
        read = [answer for answer in answers if answer["kind"] in ("patient", "slow")]
        patient = [answer for answer in answers if answer["kind"] == "patient"]
        first, whole = (sorted(round(1000 * answer[key]) for answer in patient) for key in ("first", "whole"))
        return {
            "counts": counts,
            "wrong": sum(not is_right(answer, model, tokenizer) for answer in read),
            "first_ms": first,
            "whole_ms": whole,
            "peak_mb": round(megabytes, 1),
            "scores": {"first ms": statistics.median(first), "whole ms": statistics.median(whole)},
        }

    arms = [
        {"clients": clients, "room": room, "repeat": number}
        for number in range(3)
        for clients, room in ((1, "256"), (10, "256"), (32, "256"), (100, "256"), (200, "256"), (200, "16"))
    ]
    return Experiment({"kinds": KINDS, "pause": PAUSE}, train, arms)
