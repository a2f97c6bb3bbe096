"""Scores of overlap are what their papers' formulas say, and bad input is one line."""

import math
import random
import re
import sys
from collections import Counter

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit import FmkitError
from fmkit.evaluation import overlap
from fmkit.evaluation.overlap import bleu, chrf, rouge, sentence_bleu, word_f1

WORDS = st.lists(st.sampled_from(["we", "will", "send", "a", "robot", "lamp"]), min_size=1, max_size=12)


def grams(words: list[str], n: int) -> Counter:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def shared(said: list[str], wanted: list[str], n: int) -> int:
    return sum((grams(said, n) & grams(wanted, n)).values())


def lcs(said: list[str], wanted: list[str]) -> int:
    row = [0] * (len(wanted) + 1)
    for word in said:
        before = row[:]
        for k, other in enumerate(wanted):
            row[k + 1] = before[k] + 1 if word == other else max(before[k + 1], row[k])
    return row[-1]


def f1_of(hits: int, said: int, wanted: int) -> float:
    return 2 * hits / (said + wanted) if hits else 0.0


@settings(deadline=None)  # the library is imported by the first call
@given(WORDS, WORDS)
def test_rouge_by_definition(said, wanted):
    scored = rouge([" ".join(said)], [" ".join(wanted)])
    assert scored["rouge1"] == pytest.approx(f1_of(shared(said, wanted, 1), len(said), len(wanted)))
    assert scored["rouge2"] == pytest.approx(f1_of(shared(said, wanted, 2), len(said) - 1, len(wanted) - 1))
    assert scored["rougeL"] == pytest.approx(f1_of(lcs(said, wanted), len(said), len(wanted)))


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6))
def test_bleu_by_definition(pairs):
    """Without smoothing, wherever some run of four words is shared."""
    hits = [sum(shared(said, wanted, n) for said, wanted in pairs) for n in range(1, 5)]
    if not all(hits):
        return
    totals = [sum(max(len(said) - n + 1, 0) for said, _ in pairs) for n in range(1, 5)]
    said, wanted = (sum(len(pair[k]) for pair in pairs) for k in (0, 1))
    penalty = min(1.0, math.exp(1 - wanted / said))
    mean = math.exp(sum(math.log(hit / total) for hit, total in zip(hits, totals, strict=True)) / 4)
    texts = [[" ".join(pair[k]) for pair in pairs] for k in (0, 1)]
    assert bleu(*texts) == pytest.approx(penalty * mean)


@pytest.mark.slow
@settings(deadline=None)
@given(WORDS)
def test_a_text_scores_1_with_itself(words):
    text = " ".join(words)
    assert rouge([text], [text])["rougeL"] == 1
    assert sentence_bleu(text, text) == pytest.approx(1)
    assert chrf([text], [text]) == pytest.approx(1)
    assert word_f1([text], [text]) == 1


def test_the_best_reference_counts():
    said = ["we send the lamp today"]
    other, same = "please keep the old robot", said[0]
    assert rouge(said, [[other, same]])["rouge2"] == 1
    assert bleu(said, [[other, same]]) == pytest.approx(1)
    assert word_f1(said, [[other, same]]) == 1


def test_references_may_differ_in_number():
    said = ["the lamp is here now", "we send the robot today"]
    alone = bleu(said, ["the lamp is not here", "we send the robot today"])
    assert bleu(said, [["the lamp is not here", "the lamp is here now"], "we send the robot today"]) > alone


def test_no_shared_word_scores_0():
    assert rouge(["red kettle"], ["blue lamp"]) == {"rouge1": 0, "rouge2": 0, "rougeL": 0}
    assert bleu(["red kettle"], ["blue lamp"]) == sentence_bleu("red kettle", "blue lamp") == 0


@pytest.mark.parametrize("measure", [bleu, chrf, word_f1])
def test_an_empty_text_scores_0(measure):
    assert measure([""], ["a lamp of glass"]) == 0


def test_a_stem_finds_other_endings():
    assert rouge(["walking lamps"], ["walked lamp"], stem=True)["rouge1"] == 1
    assert rouge(["walking lamps"], ["walked lamp"])["rouge1"] == 0


def test_words_without_articles_and_case():
    assert word_f1(["The lamp!"], ["a lamp"]) == 1
    assert word_f1(["the red lamp"], ["the lamp"]) == pytest.approx(2 / 3)


def test_bleu_is_no_mean_of_sentences():
    said, wanted = ["a b c d e f g h", "x y z w"], ["a b c d e f g h", "x y z v"]
    each = [sentence_bleu(*pair) for pair in zip(said, wanted, strict=True)]
    assert bleu(said, wanted) > sum(each) / 2 + 0.05


@pytest.mark.parametrize("measure", [rouge, bleu, chrf, word_f1])
@pytest.mark.parametrize(
    ("said", "wanted", "message"),
    [
        ([], [], "0 predictions and 0 references"),
        (["a"], ["a", "b"], "1 predictions and 2 references"),
        (["a", "b"], ["a", []], "prediction 2 has no reference"),
    ],
)
def test_bad_pairs_are_one_line(measure, said, wanted, message):
    with pytest.raises(FmkitError, match=message) as error:
        measure(said, wanted)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("module", "measure"), [("rouge_score", rouge), ("sacrebleu", bleu)])
def test_a_missing_library_is_one_line(monkeypatch, module, measure):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, f"{module}.rouge_scorer", None)
    overlap._rouge_scorer.cache_clear()
    with pytest.raises(FmkitError, match=re.escape("pip install 'fmkit[evaluation]'")):
        measure(["a"], ["a"])


def test_order_of_pairs_does_not_matter():
    rng = random.Random(0)
    texts = ["we send the lamp", "keep the robot", "it costs 45 dollars", "it is made of glass"]
    pairs = [(rng.choice(texts), rng.choice(texts)) for _ in range(20)]
    mixed = rng.sample(pairs, len(pairs))
    assert bleu(*zip(*pairs, strict=True)) == pytest.approx(bleu(*zip(*mixed, strict=True)))


def test_texts_without_spaces_are_compared():
    text = "昨天下午在城市东部的一家工厂发生了火灾，没有人受伤。"
    other = text.replace("东", "西")
    by_sacrebleu = sacrebleu.BLEU(tokenize="zh")
    assert bleu([other], [text]) == pytest.approx(by_sacrebleu.corpus_score([other], [[text]]).score / 100)
    assert 0.8 < sentence_bleu(other, text) < word_f1([other], [text]) == pytest.approx(25 / 26)
    by_sacrebleu = sacrebleu.CHRF()
    assert chrf([other], [text]) == pytest.approx(by_sacrebleu.corpus_score([other], [[text]]).score / 100)
    with pytest.raises(FmkitError, match="reference 2 has no letter from a to z, as ROUGE needs: use chrf"):
        rouge(["a", other], ["a", text])
