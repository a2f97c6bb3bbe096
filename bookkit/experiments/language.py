"""A second language: what its text costs in the tokens of the first, and what reading on in it teaches.

Stories in Spanish are read by the model of English stories, with its tokenizer, and by models that begin
from nothing, with that tokenizer or one of their own. Losses are bits per byte of UTF-8, which do not depend
on the tokenizer; fertility is tokens per word (Rust et al. 2021, arXiv:2012.15613, section 3).
"""

import math
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.foundations import SIZE, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import train_tokenizer
from fmkit.evaluation.likelihood import bits_per_byte
from fmkit.model import Transformer
from fmkit.world import SPANISH

TRAINING: dict[str, Any] = {"steps": 500, "batch_size": 4, "learning_rate": 4e-3}
SAME_TEXT = 216  # steps in which the tokenizer of its own reads what that of the stories reads in 500
HELD_OUT = 300  # texts of each language to measure with
STARTS: tuple[
    tuple[str, str, float | None], ...
] = (  # start, tokenizer, share of replay (None: nothing is read)
    ("base", "stories", None),
    ("base", "stories", 0.0),
    ("base", "stories", 0.05),
    ("base", "stories", 0.25),
    ("nothing", "stories", 0.0),
    ("nothing", "Spanish", 0.0),
)


@experiment("language")
def language() -> Experiment:
    english, spanish = load_corpus("stories"), SPANISH.load(6_000, HELD_OUT)
    held_out = {
        "stories": english["validation"].select(range(HELD_OUT)),
        "spanish": spanish["validation"],
    }

    def train(
        start: str, tokenizer: str, replay_share: float | None, seed: int, steps: int = TRAINING["steps"]
    ) -> dict[str, Any]:
        model, cuts = base(seed)
        if tokenizer == "Spanish":
            cuts = train_tokenizer(spanish["train"], SIZE.vocab_size)
        if start == "nothing":
            model = Transformer(SIZE, seed=seed)
        reproducible(seed)
        if replay_share is not None:
            config = TrainConfig(**{**TRAINING, "steps": steps}, seed=seed, eval_every=steps)
            continue_pretrain(model, cuts, spanish, config, replay=english, replay_share=replay_share)
        losses = {name: bits_per_byte(model, cuts, rows["text"]) for name, rows in held_out.items()}
        return {
            "fertility": {name: fertility(cuts, rows["text"]) for name, rows in held_out.items()},
            "scores": {name: round(loss, 3) for name, loss in losses.items()},
        }

    arms: list[dict[str, Any]] = [
        {"start": start, "tokenizer": tokenizer, "replay_share": share, "seed": seed}
        for seed in range(3)
        for start, tokenizer, share in STARTS
    ]
    own: dict[str, Any] = {"start": "nothing", "tokenizer": "Spanish", "replay_share": 0.0}
    arms += [{**own, "seed": seed, "steps": SAME_TEXT} for seed in range(3)]
    about = {
        "corpus": "6,000 stories in Spanish",
        "replay": "stories in English",
        "training": TRAINING,
        "held_out_texts": HELD_OUT,
        "least_bits_per_byte": {name: least(rows) for name, rows in held_out.items()},
    }
    return Experiment(about, train, arms)


def fertility(tokenizer: Tokenizer, texts: Sequence[str]) -> float:
    """Tokens per word, where words end at white space."""
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return round(sum(map(len, encodings)) / sum(len(text.split()) for text in texts), 3)


def least(rows: Any) -> float:
    """The entropy of the texts in bits per byte, as the grammar knows it: no model's loss is lower."""
    nats = -math.fsum(rows["log_prob"])
    return round(nats / math.log(2) / sum(len(text.encode()) for text in rows["text"]), 3)
