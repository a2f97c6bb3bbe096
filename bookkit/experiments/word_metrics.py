"""Metrics of words against the truth: how often each scores a false sentence above a true one.

Each triple has references, a true sentence that says what they say in other words, and a false one. A metric
that knows nothing prefers the false one half of the time; ties count half.
"""

from typing import Any

from bookkit.experiments.recording import Experiment, experiment
from fmkit.evaluation.overlap import chrf, rouge, sentence_bleu
from fmkit.world import TRIPLE_KINDS, WORDINGS, make_triples

COUNT = 1_000  # triples of each arm
TIE = 1e-9  # smaller gaps are rounding


@experiment("word-metrics")
def word_metrics() -> Experiment:
    arms = [
        {"kind": kind, "wording": wording, "references": references, "seed": seed}
        for seed in range(3)
        for kind in TRIPLE_KINDS
        for wording in WORDINGS
        for references in ((1,) if wording == "right" else (1, 2, 3))
    ]
    about = {"triples": COUNT, "metrics": "ROUGE-1, ROUGE-2, ROUGE-L (F1), BLEU of a sentence, chrF"}
    return Experiment(about, judge, arms)


def judge(kind: str, wording: str, references: int, seed: int) -> dict[str, Any]:
    """How often each metric prefers the wrong sentence, and how often it gives both the same score."""
    triples = make_triples(kind, COUNT, wording, references, seed)
    gaps: dict[str, list[float]] = {}
    for triple in triples:
        right, wrong = (measure(text, triple.references) for text in (triple.right, triple.wrong))
        for name in right:
            gaps.setdefault(name, []).append(wrong[name] - right[name])
    return {
        "scores": {name: sum(map(lost, each)) / COUNT for name, each in gaps.items()},
        "ties": {name: sum(abs(gap) < TIE for gap in each) / COUNT for name, each in gaps.items()},
    }


def lost(gap: float) -> float:
    """1 where the wrong sentence scores higher, 1/2 where both score the same."""
    return 0.5 if abs(gap) < TIE else float(gap > 0)


def measure(text: str, references: tuple[str, ...]) -> dict[str, float]:
    """The scores of a sentence by each metric."""
    both = [text], [references]
    return {**rouge(*both), "bleu": sentence_bleu(text, references), "chrf": chrf(*both)}
