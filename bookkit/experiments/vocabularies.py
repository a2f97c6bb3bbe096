"""Perplexity between tokenizers: the same stories, read once by models with vocabularies of several sizes.

A model's perplexity is counted per token, and its tokens are its own; bits per byte are not (Gao et al. 2020,
arXiv:2101.00027, section 3.1).
"""

import math
from dataclasses import replace
from typing import Any

from bookkit.experiments.foundations import SETTINGS, SIZE
from bookkit.experiments.recording import Experiment, experiment
from fmkit import pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.tokenizer import train_tokenizer
from fmkit.evaluation.likelihood import bits_per_byte, perplexity
from fmkit.model import Transformer
from fmkit.world import World, floor, load_stories

VOCABULARIES = (320, 2048)
STORIES, HELD_OUT = 3_000, 300
CONTEXT = 320  # in tokens: a story has room in each vocabulary
TRAINING: dict[str, Any] = {**SETTINGS, "batch_size": 3}


@experiment("vocabularies")
def vocabularies() -> Experiment:
    corpus = load_stories(STORIES, HELD_OUT)
    held_out = list(corpus["validation"]["text"])
    size_of_a_story = sum(len(text.encode()) for text in held_out) / HELD_OUT

    def train(vocabulary: int, seed: int) -> dict[str, Any]:
        reproducible(seed)
        tokenizer = train_tokenizer(corpus["train"], vocabulary)
        model = Transformer(replace(SIZE, vocab_size=vocabulary, max_position_embeddings=CONTEXT), seed=seed)
        known = floor(World(), tokenizer)
        steps = round(STORIES * known.tokens_per_text / (TRAINING["batch_size"] * CONTEXT))
        config = TrainConfig(steps, **TRAINING, seed=seed, eval_every=steps)
        pretrain(model, tokenizer, corpus, config)
        scores = {
            "perplexity": perplexity(model, tokenizer, held_out),
            "bits_per_byte": bits_per_byte(model, tokenizer, held_out),
            "least_perplexity": math.exp(known.nats_per_token),
        }
        return {
            "steps": steps,
            "tokens_per_story": round(known.tokens_per_text, 1),
            "scores": {name: round(value, 4) for name, value in scores.items()},
        }

    nats = sum(-p for p in corpus["validation"]["log_prob"]) / HELD_OUT
    about = {
        "corpus": f"{STORIES:,} stories, each read once",
        "training": TRAINING,
        "least_bits_per_byte": round(nats / math.log(2) / size_of_a_story, 4),
    }
    arms = [{"vocabulary": v, "seed": seed} for seed in range(3) for v in VOCABULARIES]
    return Experiment(about, train, arms)
