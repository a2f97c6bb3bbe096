"""The best size for a budget: models of six sizes that cost the same, on Markov text.

One arm is one budget of FLOPs on one chain. A small model reads many tokens and a large one few: `tokens` is
the budget over `fmkit.flops.flops_per_token`, which counts the output matrix and the attention, and not the
lookup of embeddings. The record has the loss of each model, and the lowest point of a parabola through the
losses (Hoffmann et al. 2022, section 3.2). `isoflop-check` is a budget four times the largest of them: its
sizes were chosen around the best size that the other three predict, and trained after it was predicted.
"""

from typing import Any

from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.scaling import ABOUT, CONTEXT, Text, shape
from fmkit.flops import flops_per_token
from fmkit.scaling import fit_valley

WIDTHS = {  # of the models that share a budget of so many FLOPs
    1e10: (6, 8, 12, 16, 24, 32),
    4e10: (8, 12, 16, 24, 32, 48),
    1.6e11: (12, 16, 24, 32, 48, 64),
}
LARGER = {6.4e11: (24, 32, 48, 64, 96)}


@experiment("isoflop")
def isoflop() -> Experiment:
    arms = [{"flops": flops, "world": world} for world in range(3) for flops in WIDTHS]
    return Experiment(ABOUT, train, arms)


@experiment("isoflop-check")
def isoflop_check() -> Experiment:
    return Experiment(
        ABOUT, train, [{"flops": flops, "world": world} for world in range(3) for flops in LARGER]
    )


def train(flops: float, world: int) -> dict[str, Any]:
    """The models of one budget, and the best size among them."""
    tokens = {width: flops / flops_per_token(shape(width), CONTEXT) for width in (WIDTHS | LARGER)[flops]}
    text = Text(world, max(tokens.values()))
    runs = [text.train(width, count) for width, count in tokens.items()]
    columns = {name: [run[name] for run in runs] for name in ("parameters", "tokens", "loss")}
    valley = fit_valley(columns["parameters"], columns["loss"])
    scores = {"best": round(valley.best), "lowest_loss": round(valley.lowest_loss, 4)}
    return {"widths": list(tokens), **columns, "truth": round(text.entropy, 4), "scores": scores}
