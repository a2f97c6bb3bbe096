"""What a model has kept of its training texts: ranks by hand, AUC by pairs, copies by brute force."""

import builtins
import math
import random
from typing import Any

import pytest
import torch

from fmkit.config import ModelConfig
from fmkit.data.tokenizer import EOS, special_id, train_tokenizer
from fmkit.errors import FmkitError
from fmkit.evaluation.likelihood import perplexity
from fmkit.evaluation.privacy import exposures, longest_copy, membership_auc, text_losses, text_nats
from fmkit.model import Transformer

TEXTS = ["the code of Ben is 41", "the code of Mia is 7", "a dog"]
CODES = [f"{number:02d}" for number in range(100)]


@pytest.fixture(scope="module")
def model_and_tokenizer() -> Any:
    tokenizer = train_tokenizer(TEXTS * 5, 270)
    config = ModelConfig(tokenizer.get_vocab_size(), 32, 2, max_position_embeddings=64)
    return Transformer(config, seed=1), tokenizer


def test_nats_are_those_of_each_text_alone(model_and_tokenizer: Any) -> None:
    model, tokenizer = model_and_tokenizer
    for text, found in zip(TEXTS, text_nats(model, tokenizer, TEXTS), strict=True):
        ids = torch.tensor([*tokenizer.encode(text).ids, special_id(tokenizer, EOS)])
        log_p = model(ids[None, :-1])[0].log_softmax(-1)
        assert found == pytest.approx(-log_p.gather(1, ids[1:, None]).sum().item(), abs=1e-4)


def test_losses_are_logs_of_perplexities(model_and_tokenizer: Any) -> None:
    for text, loss in zip(TEXTS, text_losses(*model_and_tokenizer, TEXTS), strict=True):
        assert loss == pytest.approx(math.log(perplexity(*model_and_tokenizer, [text])), abs=1e-5)


def test_exposure_is_the_rank_by_hand(model_and_tokenizer: Any) -> None:
    nats = dict(zip(CODES, text_nats(*model_and_tokenizer, [f"code {code}." for code in CODES]), strict=True))
    ranked = sorted(CODES, key=nats.__getitem__)
    found = exposures(*model_and_tokenizer, "code {}.", ranked, CODES)
    by_hand = [math.log2(100 / rank) for rank in range(1, 101)]
    assert found == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("text", "secret", "said"),
    [
        ("no place", "41", "needs {} once"),
        ("{} and {}", "41", "needs {} once"),
        ("{}", "x", "not among the 100"),
    ],
)
def test_exposure_refuses(model_and_tokenizer: Any, text: str, secret: str, said: str) -> None:
    with pytest.raises(FmkitError, match=said):
        exposures(*model_and_tokenizer, text, [secret], CODES)


@pytest.mark.parametrize(
    ("texts", "said"), [([], "no texts"), (["a", "b " * 90], r"text 2 has \d+ tokens and .* context 64")]
)
def test_nats_refuse(model_and_tokenizer: Any, texts: list[str], said: str) -> None:
    with pytest.raises(FmkitError, match=said):
        text_nats(*model_and_tokenizer, texts)


def test_the_auc_counts_pairs_in_order() -> None:
    """Its meaning: the share of pairs in which the member has the lower loss; a tie is half a pair."""
    rng = random.Random(0)
    for _ in range(200):
        members, others = ([rng.randrange(9) for _ in range(rng.randint(1, 12))] for _ in range(2))
        pairs = [(a < b) + (a == b) / 2 for a in members for b in others]
        assert membership_auc(members, others) == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)


def test_the_auc_needs_both_groups() -> None:
    with pytest.raises(FmkitError, match="one of the two has none"):
        membership_auc([1.0], [])


def test_without_scikit_learn_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(FmkitError, match=r"fmkit\[evaluation\]"):
        membership_auc([1.0], [2.0])


def test_the_longest_copy_is_found() -> None:
    """Against all runs, on random sequences."""
    rng = random.Random(1)
    for _ in range(200):
        written, source = ([rng.randrange(3) for _ in range(rng.randint(0, 12))] for _ in range(2))
        runs = [
            end - start
            for start in range(len(written))
            for end in range(start + 1, len(written) + 1)
            if any(source[i : i + end - start] == written[start:end] for i in range(len(source)))
        ]
        assert longest_copy(written, source) == max(runs, default=0)
