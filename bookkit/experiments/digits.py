"""The transformer of the book reads pictures: scikit-learn's digits, 8 × 8 pixels of 17 grays, as 64 tokens.

A row is a digit's name and its pixels, and the model predicts the pixels. It draws a digit when it is given a
name, and names one by the name that makes its pixels likeliest. In one of the arms all pictures have their
pixels shuffled, in the same way: whether neighbors are neighbors is nothing that the model is told.
"""

from dataclasses import asdict
from typing import Any

import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import ModelConfig, reproducible
from fmkit.generation import generate_ids
from fmkit.model import Transformer
from fmkit.objectives import language_modeling

GRAYS, NAMES, PIXELS = 17, 10, 64
SIZE = ModelConfig(
    vocab_size=GRAYS + NAMES, hidden_size=64, num_hidden_layers=2, max_position_embeddings=1 + PIXELS
)
STEPS, BATCH, RATE = 1200, 16, 4e-3
TRAINED_ON = 1500  # of 1,797 pictures; the others are held out
TEMPERATURE = 0.7  # of drawing
LOOKS = (100, 200, 300, 450, 600, 900, STEPS)


@experiment("digits")
def digits() -> Experiment:
    def train(pixels: str, seed: int) -> dict[str, Any]:
        reproducible(seed)
        kept, held_out = rows(pixels == "shuffled")
        model = Transformer(SIZE, seed=seed)
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
        generator = torch.Generator().manual_seed(seed)
        course = []
        for step in range(1, STEPS + 1):
            optimizer.param_groups[0]["lr"] = RATE * min(1, step / 30) * (1 - (step - 1) / STEPS)
            batch = kept[torch.randint(len(kept), (BATCH,), generator=generator)]
            (language_modeling(model, to_batch(batch)) / batch[:, 1:].numel()).backward()
            optimizer.step()
            optimizer.zero_grad()
            if step in LOOKS:
                course.append(share_named(model, held_out))
        prompts = [[GRAYS + name] for name in range(NAMES)]
        drawn = generate_ids(model, prompts, PIXELS, temperature=TEMPERATURE, seed=seed)
        scores = {"named": course[-1], "nats": nats(model, held_out)}
        return {"steps": LOOKS, "named": course, "drawn": drawn, "scores": scores}

    kept, held_out = rows()
    plain = LogisticRegression(max_iter=5000).fit(kept[:, 1:], kept[:, 0])
    about = {
        "model": asdict(SIZE),
        "training": {"steps": STEPS, "batch_size": BATCH, "learning_rate": RATE, "pictures": TRAINED_ON},
        "held_out": len(held_out),
        "logistic_regression": round(float(plain.score(held_out[:, 1:], held_out[:, 0])), 3),
    }
    arms = [{"pixels": pixels, "seed": seed} for seed in range(3) for pixels in ("as they are", "shuffled")]
    return Experiment(about, train, arms)


def rows(shuffled: bool = False) -> tuple[Tensor, Tensor]:
    """Names and pixels (N, 65), those to learn from and those held out; the split is always the same."""
    data = load_digits()
    names, pixels = torch.tensor(data.target) + GRAYS, torch.tensor(data.data).long()
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(names), generator=generator)
    if shuffled:
        pixels = pixels[:, torch.randperm(PIXELS, generator=generator)]
    whole = torch.cat([names[:, None], pixels], dim=1)[order]
    return whole[:TRAINED_ON], whole[TRAINED_ON:]


def to_batch(some: Tensor) -> dict[str, Any]:
    return {"input_ids": some[:, :-1], "labels": some[:, 1:], "document_ids": None}


@torch.no_grad()
def share_named(model: Transformer, some: Tensor) -> float:
    """The share of pictures that are likeliest under their own name."""
    likely = []
    for name in range(NAMES):
        renamed = torch.cat([torch.full_like(some[:, :1], GRAYS + name), some[:, 1:]], dim=1)
        log_p = model(renamed[:, :-1]).log_softmax(-1)
        likely.append(log_p.gather(-1, some[:, 1:, None]).sum((1, 2)))
    named = torch.stack(likely).argmax(0) + GRAYS
    return round(float((named == some[:, 0]).float().mean()), 3)


@torch.no_grad()
def nats(model: Transformer, some: Tensor) -> float:
    """The mean loss of a pixel."""
    return round(float(language_modeling(model, to_batch(some)) / some[:, 1:].numel()), 3)
