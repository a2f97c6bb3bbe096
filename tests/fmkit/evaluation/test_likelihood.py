"""Perplexity, bits per byte and divergence against the plain formulas."""

import copy
import math

import pytest
import torch
from tokenizers import Tokenizer, normalizers

from fmkit import FmkitError, Transformer
from fmkit.data.batches import IGNORE
from fmkit.data.example_batches import collate_completions
from fmkit.evaluation.answers import exact_match
from fmkit.evaluation.divergence import sampled_kl
from fmkit.evaluation.likelihood import bits_per_byte, perplexity
from fmkit.evaluation.sampling import complete
from fmkit.objectives import log_probs


@pytest.fixture
def texts(stories) -> list[str]:
    return list(stories["validation"]["text"][:3])


@pytest.fixture
def plain_nats(trained_model, tokenizer, texts) -> tuple[float, int]:
    """Nats and tokens of the texts, each alone, those longer than the context in parts."""
    nats, tokens = 0.0, 0
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([[*tokenizer.encode(text).ids, 1]])
            for start in range(0, ids.shape[1] - 1, 96):
                part = ids[:, start : start + 97]
                log_p = trained_model(part[:, :-1]).log_softmax(-1)
                nats -= log_p.gather(-1, part[:, 1:, None]).sum().item()
                tokens += part.shape[1] - 1
    return nats, tokens


def test_perplexity_by_definition(trained_model, tokenizer, texts, plain_nats):
    nats, tokens = plain_nats
    assert perplexity(trained_model, tokenizer, texts) == pytest.approx(math.exp(nats / tokens), rel=1e-4)


def test_bits_per_byte_by_definition(trained_model, tokenizer, texts, plain_nats):
    size = sum(len(text.encode()) for text in texts)
    expected = plain_nats[0] / math.log(2) / size
    assert bits_per_byte(trained_model, tokenizer, texts) == pytest.approx(expected, rel=1e-4)


def test_a_tokenizer_that_loses_text_is_told(trained_model, tokenizer, texts, capsys):
    loses = Tokenizer.from_str(tokenizer.to_str())
    loses.normalizer = normalizers.Lowercase()
    bits_per_byte(trained_model, tokenizer, texts)
    assert capsys.readouterr().err == ""
    bits_per_byte(trained_model, loses, [*texts, "all is kept here"])
    assert "does not give back 3 of 4 texts" in capsys.readouterr().err


def test_perplexity_of_no_texts_is_one_line(model, tokenizer):
    with pytest.raises(FmkitError, match="no texts"):
        perplexity(model, tokenizer, [])


def test_perplexity_may_be_infinite(model, tokenizer, texts):
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(1e6)
    assert perplexity(model, tokenizer, texts) == math.inf  # e^710 is not a float any more


def test_exact_match_ignores_space_around():
    assert exact_match(["a ", "b", "c"], ["a", "b", "d"]) == pytest.approx(2 / 3)


@pytest.fixture(scope="session")
def changed_model(trained_model) -> Transformer:
    """The trained model after a small step in a random direction."""
    model, generator = copy.deepcopy(trained_model), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.03 * torch.randn(weight.shape, generator=generator)
    return model


@pytest.mark.slow
def test_divergence_is_the_mean_log_ratio(changed_model, trained_model, tokenizer, stories):
    prompts = [tokenizer.encode(text).ids[:4] for text in stories["train"]["text"]] * 2
    answers = complete(changed_model, prompts, 20, eos_id=1, seed=9)
    answers = [answer + [1] * (len(answer) < 20) for answer in answers]
    rows = [
        {"input_ids": prompt + answer, "labels": [IGNORE] * len(prompt) + answer}
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    batch = collate_completions(rows, pad_id=2)
    with torch.no_grad():
        ratio = (log_probs(changed_model, batch) - log_probs(trained_model, batch)).mean().item()
    kl = sampled_kl(changed_model, trained_model, prompts, max_new_tokens=20, eos_id=1, pad_id=2)
    assert kl > 0.1
    assert kl == pytest.approx(ratio, rel=0.2)
