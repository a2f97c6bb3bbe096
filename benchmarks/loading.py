"""How long a run takes to start: loading, tokenizing and knowing its data, beside `datasets` alone.

    python benchmarks/loading.py [--megabytes 50]

A file of JSON Lines is opened, tokenized and hashed in a process of its own, three times: at the first start
everything is made, the second checks what the first has written, and the third is like every later one. The
peer loads the same file by `load_dataset` and tokenizes by `map`, with the same tokenizer, and neither splits
nor hashes. CPU seconds of one thread; memory is the peak above what the imported libraries take, of which
memory-mapped files that were read are a part.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import datasets
import numpy as np
import torch
from tokenizers import Tokenizer

from bookkit.experiments.recording import processor
from fmkit import ModelConfig, TrainConfig, Transformer, load_corpus, train_tokenizer
from fmkit.data.batches import tokenize
from fmkit.data.cache import SETTLED
from fmkit.data.tokenizer import load_tokenizer, save_tokenizer
from fmkit.recipes.prepare import prepare_texts

CONTEXT, VOCABULARY = 256, 2048


def write_corpus(file: Path, megabytes: int) -> list[str]:
    """Write documents of 20 to 300 words; return the first of them."""
    rng, first, size = np.random.default_rng(0), [], 0
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "in")]
    words = np.array(["".join(rng.choice(syllables, rng.integers(1, 4))) for _ in range(5000)])
    with open(file, "w", encoding="utf-8") as stream:
        while size < 1e6 * megabytes:
            ranks = np.minimum(rng.zipf(1.3, rng.integers(20, 300)), len(words)) - 1
            text = " ".join(words[ranks]) + "."
            first += [text] if len(first) < 2000 else []
            size += stream.write(json.dumps({"text": text}) + "\n")
    return first


def start_fmkit(file: str, tokenizer: Tokenizer) -> dict[str, float]:
    model = Transformer(ModelConfig(VOCABULARY, hidden_size=32, num_hidden_layers=1))
    config = TrainConfig(batch_size=16, context_length=CONTEXT)
    watch = Watch()
    corpus = load_corpus(file)
    watch("load")
    tokenize(corpus["train"], tokenizer, CONTEXT)
    watch("tokenize")
    next(prepare_texts(model, tokenizer, corpus, config).loader)
    watch("the rest, to the first batch")  # the held-out tenth, the hash, packing
    return watch.seen


def start_datasets(file: str, tokenizer: Tokenizer) -> dict[str, float]:
    def encode(rows: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        return {"input_ids": [encoding.ids for encoding in tokenizer.encode_batch_fast(rows["text"])]}

    watch = Watch()
    rows = datasets.load_dataset("json", data_files=file, split="train")
    watch("load")
    rows.map(encode, batched=True, remove_columns="text")
    watch("tokenize")
    return watch.seen


class Watch:
    """CPU seconds from each call to the next, and the peak of memory."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.memory, self.last = self.peak(), time.process_time()

    def peak(self) -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3

    def __call__(self, what: str) -> None:
        self.seen[what] = time.process_time() - self.last
        self.seen["peak MB"] = self.peak() - self.memory
        self.last = time.process_time()


STARTS = {"fmkit": start_fmkit, "datasets": start_datasets}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--start", nargs=3, metavar=("WHO", "FILE", "TOKENIZER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start:
        who, file, tokenizer = options.start
        datasets.disable_progress_bars()
        print(json.dumps(STARTS[who](file, load_tokenizer(tokenizer))))
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    print(
        f"{processor()}; datasets {datasets.__version__}; torch {torch.__version__}; commit {commit.strip()}"
    )
    with tempfile.TemporaryDirectory() as folder:
        file, tokenizer = Path(folder, "corpus.jsonl"), Path(folder, "tokenizer")
        save_tokenizer(train_tokenizer(write_corpus(file, options.megabytes), VOCABULARY), tokenizer)
        environment = os.environ | {"HF_HOME": f"{folder}/cache", "HF_HUB_OFFLINE": "1"}
        print(f"{file.stat().st_size / 1e6:.0f} MB of JSON Lines; one thread, CPU seconds\n")
        print(f"{'':40}first start  second   third")
        for who in STARTS:
            command = [sys.executable, __file__, "--start", who, file, tokenizer]
            seen = []
            for _ in range(3):
                time.sleep(SETTLED)
                out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                seen.append(json.loads(out.stdout.splitlines()[-1]))
            for what in sorted(seen[0], key="peak MB".__eq__):
                cells = "".join(
                    f"{each[what]:{width}.{2 * (what != 'peak MB')}f}"
                    for each, width in zip(seen, (11, 8, 8), strict=True)
                )
                print(f"{who + ', ' + what:40}{cells}", flush=True)


if __name__ == "__main__":
    main()
