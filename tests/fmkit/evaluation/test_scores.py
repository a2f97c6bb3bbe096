"""Metrics by name give what their functions give, and say what they lack."""

import pytest

from fmkit import FmkitError, asset
from fmkit.evaluation.meaning import bert_score
from fmkit.evaluation.overlap import bleu, chrf, rouge, word_f1
from fmkit.evaluation.scores import METRICS, score_texts

SAID, TRUE = ["Please keep the robot.", "yes"], ["You can keep the robot.", "yes"]


def test_names_are_their_functions():
    measured = score_texts(SAID, TRUE, ["rouge", "bleu", "chrf", "word_f1"])
    expected = {"bleu": bleu(SAID, TRUE), "chrf": chrf(SAID, TRUE), "word_f1": word_f1(SAID, TRUE)}
    assert measured == {**rouge(SAID, TRUE), **expected}


@pytest.mark.slow
def test_bertscore_is_the_mean():
    said, true = SAID[:1] * 2, TRUE[:1] * 2
    measured = score_texts(said, true, ["bertscore"], asset("models/base"))
    assert measured["bertscore_f1"] == pytest.approx(bert_score(said, true, asset("models/base"))[0].f1)


def test_exact_match_takes_any_reference():
    assert score_texts([" a ", "b"], [["c", "a"], "d"], ["exact_match"]) == {"exact_match": 0.5}


def test_f1_is_that_of_labels():
    said, true = ["spam", "spam", "ham", "ham"], ["spam", "ham", "ham", "ham"]
    assert score_texts(said, true, ["f1"])["f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)


@pytest.mark.parametrize(
    ("said", "true", "metrics", "model", "message"),
    [
        (SAID, TRUE, [], None, "no metric: choose from rouge"),
        (SAID, TRUE, ["bleurt"], None, "'bleurt': unknown; did you mean 'bleu'"),
        (SAID, TRUE, ["xyz"], None, "'xyz': unknown; choose from"),
        (SAID, TRUE, ["bertscore"], None, "name its directory"),
        (SAID, TRUE, ["bleu"], "some/model", "leave some/model out"),
        (SAID, [["a", "b"], "c"], ["f1"], None, "one reference for each"),
        ([], [], [*METRICS][:1], None, "0 predictions"),
    ],
)
def test_what_is_lacking_is_one_line(said, true, metrics, model, message):
    with pytest.raises(FmkitError, match=message):
        score_texts(said, true, metrics, model)
