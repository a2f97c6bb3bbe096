"""Reading the same text again: some stories for more and more epochs, beside as many fresh ones.

The question of Muennighoff et al. 2023 (arXiv:2305.16264): up to about four epochs, repeated text is almost
as useful as new text.
"""

from typing import Any

from bookkit.experiments.course import curve, follow
from bookkit.experiments.lab import about
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import TrainConfig
from fmkit.data.batches import PackedLoader, tokenize
from fmkit.data.tokenizer import PAD, special_id
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.trainer import Trainer
from fmkit.widgets.text_lab import SMALL, story_lab
from fmkit.world import load_stories

EPOCHS = (1, 2, 4, 8, 16, 32)
UNIQUE = 300  # stories that are read again and again: about 24,000 tokens
TRAINING: dict[str, Any] = {"batch_size": 2, "learning_rate": 5e-3}  # at twice the rate, chance decides more


@experiment("repetition")
def repetition() -> Experiment:
    shared = story_lab()
    context, pad = SMALL.max_position_embeddings, special_id(shared.tokenizer, PAD)
    fresh = tokenize(load_stories(n_train=UNIQUE * EPOCHS[-1])["train"], shared.tokenizer, context)
    few = fresh.select(range(UNIQUE))
    tokens = sum(len(ids) - 1 for ids in few["input_ids"])

    def train(text: str, epochs: int, seed: int) -> dict[str, Any]:
        config = TrainConfig(epochs * tokens // (TRAINING["batch_size"] * context), **TRAINING, seed=seed)
        pieces = few if text == "repeated" else fresh
        loader = PackedLoader(pieces, config.batch_size, context, pad, seed)
        trainer = Trainer(Transformer(SMALL, seed=seed), language_modeling, loader, config)
        history = list(follow(trainer, lambda: {"validation_loss": trainer.evaluate(shared.validation)}))
        losses = curve(history)["loss"]
        end = losses[-(len(losses) // 10) :]
        scores = {"loss": history[-1]["validation_loss"], "training": sum(end) / len(end)}
        return {"scores": {name: round(value, 3) for name, value in scores.items()}}

    arms = [
        {"text": text, "epochs": epochs, "seed": seed}
        for epochs in EPOCHS
        for text in ("fresh", "repeated")
        for seed in range(3)
        if epochs > 1 or text == "fresh"  # one epoch is fresh
    ]
    own = {
        "corpus": f"{UNIQUE} stories, or as many new ones as are read",
        "unique_tokens": tokens,
        "training": TRAINING,
    }
    return Experiment({**about(shared), **own}, train, arms)
