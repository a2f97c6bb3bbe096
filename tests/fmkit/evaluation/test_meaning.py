"""BERTScore by hand equals the library's on models of fmkit, causal or not, at every layer."""

import copy
import random
import sys

import pytest
import torch

from fmkit import FmkitError, ModelConfig, Transformer
from fmkit.evaluation.meaning import bert_score, cosines, greedy_match, token_vectors

SENTENCES = ["Nora had five red kites.", "Nora did not have five red kites.", "Tom saw a dog in the barn."]


@pytest.fixture(scope="module", params=[True, False], ids=["causal", "masked"])
def saved(request, tmp_path_factory, tokenizer):
    """A model whose weights are not those that it began with, and where it is saved."""
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = ModelConfig(vocab_size=400, max_position_embeddings=96, is_causal=request.param, **sizes)
    model = Transformer(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    model.tokenizer = copy.deepcopy(tokenizer)
    model.save_pretrained(directory := tmp_path_factory.mktemp("model"))
    return model, directory


@pytest.mark.slow
@pytest.mark.parametrize("layer", [0, 1, 2, 3, None])
def test_by_hand_equals_the_library(saved, stories, layer):
    """On texts of all lengths, some longer than the context, in batches with padding."""
    model, directory = saved
    chance = random.Random(0)
    texts = [text[: chance.randint(60, len(text))] for text in stories["train"]["text"][:80]]
    pairs = list(zip(texts[:40], texts[40:], strict=True))
    theirs = bert_score(*zip(*pairs, strict=True), directory, layer)
    for (prediction, reference), expected in zip(pairs, theirs, strict=True):
        vectors = [token_vectors(model, model.tokenizer, text, layer) for text in (prediction, reference)]
        assert greedy_match(cosines(*vectors)) == pytest.approx(tuple(expected), abs=1e-6)


def test_a_text_matches_itself(saved):
    assert bert_score(SENTENCES, SENTENCES, saved[1])[2] == pytest.approx((1, 1, 1), abs=1e-5)


def test_a_text_that_is_cut_off_is_told(saved, capsys):
    model, directory = saved
    context = model.config.max_position_embeddings
    bert_score(["the fox " * context, *SENTENCES[:2]], SENTENCES[:3], directory)
    told = f"fmkit: 1 of 6 texts are cut off: they exceed the context of {context} tokens\n"
    assert capsys.readouterr().err == told


def test_the_best_reference_counts(saved):
    references = [SENTENCES] * 3
    assert [match.f1 for match in bert_score(SENTENCES, references, saved[1])] == pytest.approx([1, 1, 1])


def test_silence_has_a_score_of_zero(saved):
    silent, said = bert_score(["  ", SENTENCES[0]], SENTENCES[:2], saved[1])
    assert silent == (0, 0, 0)
    assert said.f1 > 0


def test_greedy_match_by_hand():
    """Rows .8 and .6, columns .8, .6 and .1: precision .7, recall .5."""
    assert greedy_match(torch.tensor([[0.8, 0.0, 0.1], [0.2, 0.6, 0.0]])) == pytest.approx((0.7, 0.5, 7 / 12))


@pytest.mark.parametrize(
    ("prediction", "reference", "message"),
    [
        ("a", SENTENCES[0], "pair 1: 'a' is too short"),
        (SENTENCES[0], " ", "pair 1: ' ' is too short"),
    ],
)
def test_too_short_a_text_is_one_line(saved, prediction, reference, message):
    with pytest.raises(FmkitError, match=message):
        bert_score([prediction], [reference], saved[1])


@pytest.mark.parametrize("layer", [-1, 4])
def test_a_missing_layer_is_one_line(saved, layer):
    model, directory = saved
    with pytest.raises(FmkitError, match=f"layer {layer} of a model of 3"):
        bert_score(SENTENCES, SENTENCES, directory, layer)
    with pytest.raises(FmkitError, match=f"layer {layer} of a model of 3"):
        token_vectors(model, model.tokenizer, SENTENCES[0], layer)


def test_no_model_is_one_line(tmp_path):
    with pytest.raises(FmkitError, match="no model here"):
        bert_score(SENTENCES, SENTENCES, tmp_path)


def test_a_missing_library_is_one_line(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "bert_score", None)
    with pytest.raises(FmkitError, match="pip install 'fmkit"):
        bert_score(SENTENCES, SENTENCES, saved[1])
