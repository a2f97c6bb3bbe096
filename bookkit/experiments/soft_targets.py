"""What the teacher expects at three places of a held-out story, at several temperatures.

The soft targets of Hinton et al. 2015 (arXiv:1503.02531, section 2): its logits, divided by the temperature.
"""

from typing import Any

import torch

from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment

STORY = (
    "Once upon a time, there was a brave rabbit named Benny. One day, Benny took the wrong path and got lost."
)
PLACES = {  # how many characters of the story have been read, by what comes next
    "open": len("Once upon a time, there was a brave"),
    "half open": len("Once upon a time, there was a brave rabbit named Benny. One"),
    "certain": len("Once upon a time, there was a brave rabbit named"),
}
TEMPERATURES = (0.5, 1.0, 2.0, 4.0, 8.0)
TOKENS = 8  # that are shown, the likeliest ones; the others are added up


@experiment("soft-targets")
def soft_targets() -> Experiment:
    teacher, tokenizer = committed("teacher")

    @torch.no_grad()
    def train(place: str) -> dict[str, Any]:
        ids = tokenizer.encode(STORY[: PLACES[place]]).ids
        logits = teacher(torch.tensor([ids]))[0, -1].float()
        best = logits.topk(TOKENS).indices
        soft = {t: (logits / t).softmax(-1) for t in TEMPERATURES}
        return {
            "tokens": [tokenizer.decode([token]) for token in best.tolist()],
            "probabilities": {str(t): [round(float(p[i]), 5) for i in best] for t, p in soft.items()},
            "scores": {"likeliest": round(float(soft[1.0].max()), 3)},
        }

    about = {"model": "teacher", "story": STORY, "places": PLACES, "vocabulary": tokenizer.get_vocab_size()}
    return Experiment(about, train, [{"place": place} for place in PLACES])
