"""Runs that are measured before their schedule has ended, against runs that end there.

One arm is one chain of `scaling`. Each of its five sizes is trained once, over the largest amount of text,
and measured on the way where the smaller amounts would have ended: with a learning rate that is still high.
Such losses make one of the differences between the laws of Kaplan et al. 2020 and Hoffmann et al. 2022
(section 2). The last loss of each size is that of the record `scaling`.
"""

from typing import Any

from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.scaling import ABOUT, TOKENS, WIDTHS, Text, measure, steps


@experiment("cut-short")
def cut_short() -> Experiment:
    return Experiment({**ABOUT, "widths": WIDTHS, "tokens": TOKENS}, train, [{"world": w} for w in range(3)])


def train(world: int) -> dict[str, Any]:
    """The losses on the way of five long runs, and the law that would be fitted to them."""
    text = Text(world, max(TOKENS))
    at = [steps(tokens) for tokens in TOKENS]
    runs = [run for width in WIDTHS for run in text.course(width, max(TOKENS), at)]
    columns = {name: [run[name] for run in runs] for name in ("parameters", "tokens", "loss")}
    return {**columns, "truth": round(text.entropy, 4), **measure(**columns, truth=text.entropy)}
