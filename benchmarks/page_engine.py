"""The transformer in the page beside fmkit on the same processor: tokens a second, and the wait.

    python benchmarks/page_engine.py [--rounds 3]

The base model writes 200 tokens after a prompt, greedy, batch 1; the lab's model (80,112 parameters) trains
on batches of 8 x 128 tokens of stories. "First token" is the time from the reader's press, with an empty
cache, to the first token: scripts, weights, worker, and prompt. "Longest block" is that of the page's main
thread while all this happens; Chromium reports those above 50 ms. "A quarter": the browser's process is
stopped for three quarters of the time, as on a phone that is four times slower. fmkit has one thread. Medians
over the rounds.
"""

import argparse
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil
import torch
from page import ROOT, chromium, served
from playwright.sync_api import Browser, sync_playwright

from bookkit.experiments.recording import processor
from bookkit.site.build import build, site
from fmkit import Transformer, asset
from fmkit.generation import generate_ids
from fmkit.widgets.text_lab import story_lab

PROMPT, NEW = "Once upon a time, there was a", 200
TRAINED = {"learning_rate": 0.003, "batch_size": 8, "steps": 60}
RUN, STOP = 0.005, 0.015  # seconds that a slowed process runs, and is stopped

# Talks to the worker itself, since widgets always take the faster kernels.
MEASURE = """async ([prompt, count, training, simd]) => {
    const blocks = [];
    new PerformanceObserver((list) => blocks.push(...list.getEntries())).observe({ type: "longtask" });
    const pressed = performance.now();
    const scripts = ["engine-worker", "models/base"].map((name) => fmkit.load(name));
    const [source, base64] = await Promise.all(scripts);
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    let heard;
    const ask = (request) => new Promise((resolve) => {
        const started = performance.now();
        let first = 0, last = 0, tokens = 0;
        worker.onmessage = ({ data: { event, done, failed } }) => {
            if (failed) throw Error(failed);
            last = performance.now();
            first ||= last;
            tokens = event?.points?.at(-1)?.tokens ?? (event ? tokens + 1 : tokens);
            if (done) resolve({ done, first, tokens, seconds: (last - first) / 1000 });
        };
        worker.postMessage({ id: 0, simd, ...request });
    });
    const { done: { config } } = await ask({ method: "open", base64 });
    const { Tokenizer } = await fmkit.load("tokenizer");
    const tokenizer = new Tokenizer(await fmkit.load("tokenizers/base"));
    const ids = [tokenizer.id("<|bos|>"), ...tokenizer.encode(prompt)];
    const written = await ask({ method: "generate", ids, maxNewTokens: count, temperature: 0, seed: 0 });
    const [lab, world] = await Promise.all([fmkit.load("labs/stories"), fmkit.load("worlds/stories")]);
    const trained = await ask({ method: "train", ...lab, world, training, seed: 0, interval: 100 });
    worker.terminate();
    return {
        first: written.first - pressed, generated: written.tokens / written.seconds,
        trained: trained.tokens / trained.seconds,
        longest: Math.max(0, ...blocks.map((block) => block.duration)),
    };
}"""


@contextmanager
def slowed(wanted: bool) -> Iterator[None]:
    """Stop our own browser's renderers for three quarters of the time."""
    done = threading.Event()
    children = psutil.Process().children(recursive=True)
    renderers = [child for child in children if "--type=renderer" in child.cmdline()] if wanted else []

    def toggle() -> None:
        while not done.is_set():
            for act, pause in ((psutil.Process.suspend, STOP), (psutil.Process.resume, RUN)):
                for renderer in renderers:
                    act(renderer)
                time.sleep(pause)

    thread = threading.Thread(target=toggle)
    if wanted:
        thread.start()
    yield
    done.set()
    if wanted:
        thread.join()


def in_page(browser: Browser, address: str, simd: bool, slow: bool) -> dict[str, float]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/chapters/0-front/life.html", wait_until="networkidle")
        with slowed(slow):
            return page.evaluate(MEASURE, [PROMPT, NEW, TRAINED, simd])  # type: ignore[no-any-return]


def in_fmkit() -> dict[str, float]:
    model = Transformer.from_pretrained(asset("models/base"))
    assert model.tokenizer is not None
    started = time.perf_counter()
    (made,) = generate_ids(model, [model.tokenizer.encode(PROMPT).ids], NEW, temperature=0)
    generated = len(made) / (time.perf_counter() - started)
    started = time.perf_counter()
    (*_, last) = story_lab().trainer(**TRAINED).run()
    return {"generated": generated, "trained": last["tokens"] / (time.perf_counter() - started)}


def row(name: str, seen: list[dict[str, float]], peer: dict[str, float]) -> None:
    cells = ""
    for key in ("generated", "trained"):
        value = statistics.median(one[key] for one in seen)
        cells += f"{value:12.0f}{value / peer[key]:7.2f}"
    if "first" in seen[0]:
        first, longest = (statistics.median(one[key] for one in seen) for key in ("first", "longest"))
        cells += f"{first:12.0f}{f'{longest:.0f}' if longest else '<= 50':>15}"
    print(f"{name:34}{cells}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    build(ROOT)
    ways = {
        "page, SIMD": (True, False),
        "page, plain JavaScript": (False, False),
        "page, SIMD, at a quarter": (True, True),
        "page, plain JavaScript, a quarter": (False, True),
    }
    story_lab()
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in ("fmkit, one thread", *ways)}
    with served(site(ROOT)) as address, sync_playwright() as playwright:
        for _ in range(rounds):
            seen["fmkit, one thread"].append(in_fmkit())
            for name, (simd, slow) in ways.items():
                with playwright.chromium.launch(
                    executable_path=chromium.find(), args=chromium.ARGUMENTS
                ) as browser:
                    version = browser.version
                    seen[name].append(in_page(browser, address, simd, slow))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    print(f"{processor()}; torch {torch.__version__}; Chromium {version}; commit {commit}; {rounds} rounds\n")
    print(f"{'':34}{'tokens/s, ratio to fmkit':^38}{'milliseconds':>20}")
    print(f"{'':34}{'generated':>12}{'':7}{'trained':>12}{'':7}{'first token':>12}{'longest block':>15}")
    peer = {
        key: statistics.median(one[key] for one in seen["fmkit, one thread"])
        for key in ("generated", "trained")
    }
    for name, runs in seen.items():
        row(name, runs, peer)


if __name__ == "__main__":
    main()
