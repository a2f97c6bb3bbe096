"""Which vocabulary is best for a budget of compute: tokens of several sizes, and what is left for reading.

A larger vocabulary makes a text shorter and every token more expensive, as the head has a row for each.
Tao et al. 2024 (arXiv:2407.13623) find that the best vocabulary grows with the budget.
"""

from functools import cache
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.recording import Experiment, experiment
from fmkit import pretrain
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import train_tokenizer
from fmkit.evaluation.likelihood import bits_per_byte
from fmkit.flops import flops_per_token, num_parameters
from fmkit.model import Transformer

VOCABULARIES = (260, 1024, 2048, 4096, 8192)
BUDGETS = (125e9, 500e9, 2e12)  # FLOPs; the run of the chapter A first run takes about the second
CONTEXT, BATCH = 128, 4
READ, HELD_OUT = 6_000, 200  # documents: more than any arm reads, and those that it is measured with
TRAINING: dict[str, Any] = {"batch_size": BATCH, "learning_rate": 4e-3}


@experiment("vocabulary-sizes")
def vocabulary_sizes() -> Experiment:
    corpus = load_corpus("python-docs")
    held_out = list(corpus["validation"].shuffle(seed=0)["text"][:HELD_OUT])
    part = {"train": corpus["train"].shuffle(seed=0).select(range(READ)), "validation": corpus["validation"]}

    @cache
    def tokenizer(vocabulary: int) -> Tokenizer:
        return train_tokenizer(corpus["train"], vocabulary)

    @cache
    def bytes_per_token(vocabulary: int) -> float:
        encoded = tokenizer(vocabulary).encode_batch_fast(held_out, add_special_tokens=False)
        return sum(len(text.encode()) for text in held_out) / sum(map(len, encoded))

    def train(vocabulary: int, flops: float, seed: int) -> dict[str, Any]:
        reproducible(seed)
        size = ModelConfig(
            vocab_size=vocabulary, hidden_size=64, num_hidden_layers=3, max_position_embeddings=CONTEXT
        )
        steps = round(flops / (flops_per_token(size, CONTEXT) * BATCH * CONTEXT))
        model = Transformer(size, seed=seed)
        settings = {**TRAINING, "context_length": CONTEXT, "seed": seed, "eval_every": steps}
        run = pretrain(model, tokenizer(vocabulary), part, TrainConfig(steps, **settings))
        scores = {
            "nats_per_token": run.history[-1]["validation_loss"],  # of other documents
            "bits_per_byte": bits_per_byte(model, tokenizer(vocabulary), held_out),
        }
        parameters = num_parameters(size)
        return {
            "steps": steps,
            "parameters": parameters,
            "embeddings": parameters - num_parameters(size, embeddings=False),
            "bytes_per_token": round(bytes_per_token(vocabulary), 3),
            "scores": {name: round(value, 3) for name, value in scores.items()},
        }

    about = {"corpus": "python-docs", "training": TRAINING, "context": CONTEXT, "held_out_texts": HELD_OUT}
    arms = [
        {"vocabulary": vocabulary, "flops": flops, "seed": seed}
        for flops in BUDGETS
        for seed in range(3 if flops < BUDGETS[-1] else 1)  # the largest takes a minute each
        for vocabulary in VOCABULARIES
        if vocabulary > 260 or flops < BUDGETS[-1]  # far behind already
    ]
    return Experiment(about, train, arms)
