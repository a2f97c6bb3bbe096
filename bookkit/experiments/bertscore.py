"""BERTScore against the truth: how often it scores a false sentence above a true one, by model and layer.

The triples are those of `word_metrics`, so that both can be compared. Zhang et al. 2020 (arXiv:1904.09675)
compare with models that see a token from both sides; ours are trained at the same cost, one on next tokens
and one on masked ones.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer
from torch import Tensor

from bookkit.experiments.foundations import SIZE
from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.word_metrics import lost
from fmkit import pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.tokenizer import train_tokenizer
from fmkit.evaluation.activations import trace
from fmkit.evaluation.meaning import cosines, greedy_match
from fmkit.model import Transformer
from fmkit.world import FACTS, REVIEWS, SUPPORT, TRIPLE_KINDS, WORDINGS, Triple, make_triples

DOMAINS = (SUPPORT, REVIEWS, FACTS)  # what the triples are about
TEXTS = 10_000  # of each domain, to read
COUNT = 100  # triples of each kind and wording: the first of those of the word metrics
TRAINING: dict[str, Any] = {
    "steps": 1_200,
    "context_length": 128,
    "batch_size": 4,
    "learning_rate": 4e-3,
    "adam_beta2": 0.98,
    "min_lr_ratio": 0.0,
}


@experiment("bertscore")
def bertscore() -> Experiment:
    corpus = read_everything()
    tokenizer = train_tokenizer(corpus["train"], SIZE.vocab_size)

    def train(model: str, seed: int) -> dict[str, Any]:
        network = Transformer(replace(SIZE, is_causal=model != "masked"), seed=seed)
        loss = {}
        if model != "untrained":
            reproducible(seed)
            config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
            history = pretrain(network, tokenizer, corpus, config).history
            loss = {"validation_loss": round(history[-1]["validation_loss"], 3)}
        return {**loss, **judge(network, tokenizer, seed)}

    arms = [
        {"model": model, "seed": seed} for seed in range(3) for model in ("causal", "masked", "untrained")
    ]
    about = {
        "corpus": "texts of the shop, reviews and the almanac, as many of each",
        "training": TRAINING,
        "triples": COUNT,
    }
    return Experiment(about, train, arms)


def read_everything() -> DatasetDict:
    """Texts of all domains of the triples."""
    loaded = [domain.load(TEXTS, 100) for domain in DOMAINS]
    splits = {
        split: Dataset.from_dict({"text": [text for each in loaded for text in each[split]["text"]]})
        for split in ("train", "validation")
    }
    return DatasetDict(splits)


def judge(model: Transformer, tokenizer: Tokenizer, seed: int) -> dict[str, Any]:
    """How often the wrong sentence of a triple has the higher F1, by kind, wording and layer."""
    by_kind: dict[str, dict[str, list[float]]] = {}
    for kind in TRIPLE_KINDS:
        by_kind[kind] = {}
        known: dict[str, list[Tensor]] = {}
        for wording in WORDINGS:
            triples = make_triples(kind, COUNT, wording, 1, seed)
            for text in texts_of(triples):
                if text not in known:
                    known[text] = layers_of(model, tokenizer, text)
            gaps = torch.tensor([gap_of(triple, known) for triple in triples])
            by_kind[kind][wording] = [round(sum(map(lost, column)) / COUNT, 4) for column in gaps.T.tolist()]
    last = {kind: wordings["own"][-1] for kind, wordings in by_kind.items()}
    return {"scores": last, "by_kind": by_kind}


def texts_of(triples: Iterable[Triple]) -> Iterable[str]:
    return (text for triple in triples for text in (triple.references[0], triple.right, triple.wrong))


@torch.no_grad()
def layers_of(model: Transformer, tokenizer: Tokenizer, text: str) -> list[Tensor]:
    """The vectors of a text's tokens at every layer, as `token_vectors` has those of one."""
    parts = trace(model, torch.tensor([tokenizer.encode(text).ids]))
    names = ["embedding", *(f"block {number}" for number in range(1, model.config.num_hidden_layers + 1))]
    return [model.model.norm(parts[name])[0] for name in names]


def gap_of(triple: Triple, known: dict[str, list[Tensor]]) -> list[float]:
    """How far the F1 of the wrong sentence is above that of the right one, at every layer."""
    reference, right, wrong = (known[text] for text in (triple.references[0], triple.right, triple.wrong))
    return [
        greedy_match(cosines(false, told)).f1 - greedy_match(cosines(true, told)).f1
        for told, true, false in zip(reference, right, wrong, strict=True)
    ]
