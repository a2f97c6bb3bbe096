"""The experiment with frozen features: counts and scores, and what a review's label rests on."""

import pytest

from bookkit.experiments.frozen_features import CLAIMS, confusion, kind_of, scores_of
from fmkit.evaluation.classification import accuracy, f1
from fmkit.world import load_reviews

OPENING = "I saw this movie yesterday."


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("The story was really good.", "plain"),
        ("The story was not bad at all.", "negation"),
        ("There was nothing bad about the story.", "negation"),
        ("The title song was never dull.", "negation"),
        ("The story was bad, but the movie itself was good.", "contrast"),
        ("The movie was good, even though the story was bad.", "contrast"),
        ("A friend told me that it was bad, but that was wrong.", "hearsay"),
        ("I expected a bad movie, but this one was good.", "expectation"),
        ("I wanted to love it, but I could not.", "expectation"),
        ("The story was good. The music was good.", None),
        ("The story was good. Four stars.", None),
    ],
)
def test_kind_of_a_statement(statement: str, kind: str | None) -> None:
    assert kind_of(f"{OPENING} {statement}") == kind


def test_every_lone_statement_has_a_kind() -> None:
    lone = [text for text in load_reviews(1, 1_000)["validation"]["text"] if text.count(". ") == 1]
    assert {kind_of(text) for text in lone} == set(CLAIMS)


def test_scores_are_those_of_the_counts() -> None:
    predicted, truth = [1, 1, 1, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 1, 1]
    counts = confusion(predicted, truth)
    assert counts == {"true_positive": 3, "false_positive": 1, "false_negative": 1, "true_negative": 3}
    assert scores_of(**counts) == {"accuracy": 0.75, "precision": 0.75, "recall": 0.75, "f1": 0.75}
    assert scores_of(**counts)["accuracy"] == accuracy(predicted, truth)
    swapped = confusion([1 - label for label in predicted], [1 - label for label in truth])
    both = (scores_of(**counts)["f1"] + scores_of(**swapped)["f1"]) / 2
    assert both == pytest.approx(f1(predicted, truth), abs=1e-3)


def test_nothing_claimed_has_no_precision() -> None:
    scores = scores_of(**confusion([0, 0], [1, 0]))
    assert scores == {"accuracy": 0.5, "precision": 0.0, "recall": 0.0, "f1": 0.0}
