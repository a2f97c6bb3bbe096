"""The `rater` directive: the reader rates twelve pairs of endings, and a reward model of theirs is fitted.

    ```{rater}
    ```

shows the pairs of assets/rater/pairs.json one at a time; rater.js fits a Bradley-Terry model to the answers
and compares it with the world's rule on held-out pairs. The file is made by

    python -m bookkit.widgets.rater

(see `bookkit.widgets.rater.making`) from the validation split of the preferences, from which no model has
learned: twelve pairs to rate, and a hundred that are held out. `x` is the difference of the features of the
two endings: what the committed preference-start, which has read stories but no judgments, computes of them,
and their numbers of words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sphinx.application import Sphinx

from bookkit.site.entries import read
from bookkit.site.page_widget import PageWidget
from bookkit.site.scripts import PLACE, define
from fmkit.errors import FmkitError
from fmkit.world import annotate
from fmkit.world.preferences import rewarded

FILE = "assets/rater/pairs.json"
DATA = "rater/pairs"  # the script that has the file's pairs
FITTED, HELD_OUT = 12, 100
COMPONENTS = 16  # of the states' 64, the principal ones
LENGTH = 0.5  # the size of the feature "words", the states being 1 together
RIDGE, STEPS = 0.25, 1_000  # as in rater.js
SLIPS = 0.25  # of the careless rater

Pair = dict[str, Any]

RULE = (
    "The world’s rule: an ending has three parts, what the hero does, how the friend takes it and how it "
    "ends. A kind part counts +1, an unkind one −1, and the ending with the higher sum is better."
)

# What a reward model may reward: a name, and how much of it an ending has.
PROPERTIES: dict[str, Callable[[str], float]] = {
    "a kind deed": lambda ending: parts(ending)[0],
    "a kind reply": lambda ending: parts(ending)[1],
    "a happy end": lambda ending: parts(ending)[2],
    "more words": lambda ending: len(ending.split()),
    "speech": lambda ending: '"' in ending,
    "a game": lambda ending: "play" in ending,
    "more names": lambda ending: sum(word[0].isupper() for word in re.findall(r"(?<![.] )\b\w+", ending[1:])),
}


def parts(ending: str) -> list[int]:
    """Whether deed, reply and close are kind (+1) or unkind (-1): each has one word that says so."""
    kind, unkind = rewarded()
    words = re.findall(r"[a-z]+", ending.lower())
    return [1 if word in kind else -1 for word in words if word in kind | unkind]


def fit(x: Sequence[Sequence[float]], answers: Sequence[int]) -> np.ndarray:
    """The weights of a Bradley-Terry model whose reward is linear in the features, by gradient descent.

    An answer is 1 for the first ending, -1 for the second and 0 for a pair that was skipped. The loss is that
    of a reward model, -log sigmoid(answer * x @ w) a pair, plus RIDGE / 2 * w @ w: the weights are small
    unless the answers say otherwise.
    """
    rows = np.array([row for row, answer in zip(x, answers, strict=True) if answer])
    signs = np.array([answer for answer in answers if answer])
    weights = np.zeros(rows.shape[1])
    rate = 1 / ((rows**2).sum() / 4 + RIDGE)  # at most 1 over the curvature, so that every step goes down
    for _ in range(STEPS):
        wrong = 1 / (1 + np.exp(signs * (rows @ weights)))
        weights -= rate * (RIDGE * weights - (wrong * signs) @ rows)
    return weights


def by_rule(pairs: Sequence[Pair]) -> list[int]:
    return [1 if pair["lead"] > 0 else -1 for pair in pairs]


def by_length(pairs: Sequence[Pair]) -> list[int]:
    """The longer ending; the pairs to rate have none of equal length."""
    return [1 if len(pair["first"].split()) > len(pair["second"].split()) else -1 for pair in pairs]


def agreement(scores: Sequence[float], pairs: Sequence[Pair]) -> int:
    """How many pairs are ranked as the world's rule does; a score is the first ending's reward less the
    other's."""
    return sum(score * pair["lead"] > 0 for score, pair in zip(scores, pairs, strict=True))


def careless(pairs: Sequence[Pair]) -> int:
    """How often a rater is right who knows the rule and slips at one answer in four."""
    truth = [str(answer) for answer in by_rule(pairs)]
    said = annotate(truth, ["1", "-1"], slips=SLIPS)
    return sum(a == b for a, b in zip(truth, said, strict=True))


def read_pairs(path: Path, file: str) -> tuple[int, list[Pair]]:
    """How many answers the book's reward model learned from, and the pairs; raises FmkitError with `file`,
    line and the first fault."""
    whole = read(path, file).fields("the rater's file", ["command", "judged", "pairs"])
    entries = whole["pairs"].list("pairs")
    if len(entries) != FITTED + HELD_OUT:
        raise FmkitError(f"{file}:1: {len(entries)} pairs, not {FITTED + HELD_OUT}: make it again")
    pairs = []
    for entry in entries:
        fields = entry.fields("a pair", ["prompt", "first", "second", "lead", "judge", "score", "x"])
        pair: Pair = {name: fields[name].text(name) for name in ("prompt", "first", "second")}
        pair |= {name: fields[name].number(name) for name in ("lead", "judge", "score")}
        pair["x"] = [number.number("x") for number in fields["x"].list("x")]
        if len(pair["x"]) != COMPONENTS + 1:
            raise fields["x"].fault(f"x must have {COMPONENTS + 1} numbers")
        pairs.append(pair)
    return whole["judged"].whole("judged"), pairs


class Rater(PageWidget):
    """Twelve pairs to rate, and what a reward model learns from the answers."""

    widget = "rater"
    data = DATA

    def values(self) -> dict[str, Any]:
        judged, pairs = read_pairs(self.source(FILE), FILE)
        rated, held_out = pairs[:FITTED], pairs[FITTED:]
        weights = fit([pair["x"] for pair in rated], by_rule(rated))
        lengths = fit([pair["x"] for pair in rated], by_length(rated))
        return {
            "rated": rated,
            "rule_in_words": RULE,
            "features": COMPONENTS + 1,
            "judged": judged,
            "held_out": len(held_out),
            "rule": agreement([float(weights @ pair["x"]) for pair in held_out], held_out),
            "length": agreement([float(lengths @ pair["x"]) for pair in held_out], held_out),
            "model": agreement([pair["score"] for pair in held_out], held_out),
            "judge": agreement([pair["judge"] for pair in held_out], held_out),
            "careless": careless(held_out),
        }


def write_pairs(app: Sphinx) -> None:
    """The script with the pairs, and the properties of the held-out ones."""
    path = Path(app.srcdir, FILE)
    if not path.is_file():
        return
    whole = json.loads(path.read_text(encoding="utf-8"))
    pairs = whole["pairs"]
    for pair in pairs:
        pair["rewards"] = [sum(parts(pair[ending])) for ending in ("first", "second")]
        pair["has"] = [sign(has(pair["first"]) - has(pair["second"])) for has in PROPERTIES.values()]
    content = {
        "judged": whole["judged"],
        "rated": pairs[:FITTED],
        "heldOut": pairs[FITTED:],
        "properties": list(PROPERTIES),
        "careless": careless(pairs[FITTED:]),
    }
    text = define(DATA, [], f"() => ({json.dumps(content, separators=(',', ':'))})")
    target = Path(app.outdir) / "_static" / PLACE / f"{DATA}.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def sign(number: float) -> int:
    return (number > 0) - (number < 0)


def setup(app: Sphinx) -> None:
    app.add_directive("rater", Rater)
    app.connect("builder-inited", write_pairs)
