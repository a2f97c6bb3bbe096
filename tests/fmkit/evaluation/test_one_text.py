"""One text where several are read is one of them, not as many as it has letters."""

from collections.abc import Callable
from typing import Any

import pytest

from fmkit.data.answers import read_answers
from fmkit.data.tokenizer import word_level_tokenizer
from fmkit.evaluation.answers import exact_match
from fmkit.evaluation.contamination import contaminated
from fmkit.evaluation.likelihood import bits_per_byte, perplexity
from fmkit.evaluation.overlap import bleu, chrf, rouge, word_f1
from fmkit.evaluation.privacy import exposures, text_losses, text_nats
from fmkit.evaluation.retrieval import KeywordRetriever
from fmkit.evaluation.scores import score_texts
from fmkit.selection.dsir import dsir_weights, ngram_divergence

ONE, OTHER = "The old fox was here.", "A fox was here."

READ: dict[str, Callable[[Any, Any], Any]] = {
    "bleu": bleu,
    "chrf": chrf,
    "rouge": rouge,
    "word_f1": word_f1,
    "exact_match": exact_match,
    "contaminated": lambda texts, corpus: contaminated(texts, corpus, 2),
    "dsir_weights": lambda texts, target: dsir_weights(texts, target).tolist(),
    "ngram_divergence": ngram_divergence,
    "retrieval": lambda texts, queries: KeywordRetriever(texts).search(queries),
    "words": lambda words, _: word_level_tokenizer(words).get_vocab(),
}


@pytest.mark.parametrize("read", READ.values(), ids=READ.keys())
def test_a_text_is_a_list_of_one(read):
    assert read(ONE, OTHER) == read([ONE], [OTHER])


@pytest.mark.parametrize("measure", [perplexity, bits_per_byte, text_nats, text_losses])
def test_a_text_is_measured_as_one(measure, trained_model, tokenizer):
    assert measure(trained_model, tokenizer, ONE) == measure(trained_model, tokenizer, [ONE])


def test_a_name_is_no_list_of_letters(trained_model, tokenizer, tmp_path):
    assert score_texts(ONE, OTHER, "bleu") == score_texts([ONE], [OTHER], ["bleu"])
    found = exposures(trained_model, tokenizer, "The {} was here.", "fox", ["fox", "owl"])
    assert found == exposures(trained_model, tokenizer, "The {} was here.", ["fox"], ["fox", "owl"])
    for name, text in (("said.txt", ONE), ("true.txt", OTHER)):
        (tmp_path / name).write_text(text)
    said, true = (str(tmp_path / name) for name in ("said.txt", "true.txt"))
    assert read_answers(said, true) == read_answers(said, [true]) == ([ONE], [[OTHER]])
