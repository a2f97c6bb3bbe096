"""Prompts of unequal length in one batch: each answer is that of the prompt alone."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from fmkit import FmkitError, ModelConfig, Transformer
from fmkit import attention as attention_module
from fmkit.generation import generate_ids

CONTEXT = 48


@pytest.fixture(scope="module", params=[4, 2, 1], ids=lambda heads: f"{heads} key heads")
def writer(request) -> Transformer:
    """A model with weights of a size at which mistakes show."""
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    heads = {"num_key_value_heads": request.param, "max_position_embeddings": CONTEXT}
    model = Transformer(ModelConfig(vocab_size=90, **shape, **heads))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    """From one token to all but one of the context, in no order."""
    generator = torch.Generator().manual_seed(0)
    lengths = (9, 1, CONTEXT - 1, 20, 2, CONTEXT - 5, 9)
    return [torch.randint(4, 90, (length,), generator=generator).tolist() for length in lengths]


def alone(model, prompts, *settings, **more) -> list[list[int]]:
    return [
        generate_ids(model, [prompt], *settings, **more, numbers=[number])[0]
        for number, prompt in enumerate(prompts)
    ]


@pytest.mark.parametrize("explicit", [False, True], ids=["fused", "explicit"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("length", [5, 1000])
def test_a_batch_is_each_prompt_alone(length, temperature, explicit, writer, prompts, monkeypatch):
    monkeypatch.setattr(attention_module, "prefer_explicit", lambda q, k: explicit)
    together = generate_ids(writer, prompts, length, temperature, seed=3)
    assert together == alone(writer, prompts, length, temperature, seed=3)
    assert [len(row) for row in together] == [min(length, CONTEXT - len(prompt)) for prompt in prompts]


def test_answers_end_on_their_own(writer, prompts):
    whole = generate_ids(writer, prompts, 1000, temperature=1.0, seed=3)
    end = whole[1][6]  # a token that some write early and others never
    together = generate_ids(writer, prompts, 1000, temperature=1.0, seed=3, eos_id=end)
    assert together == [row[: row.index(end)] if end in row else row for row in whole]
    assert together == alone(writer, prompts, 1000, temperature=1.0, seed=3, eos_id=end)
    assert len({len(row) for row in together}) > 2


def test_a_batch_is_that_of_transformers(writer, prompts, tmp_path):
    writer.save_pretrained(tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    short = [prompt[:20] for prompt in prompts]
    ids = torch.tensor([[0] * (20 - len(prompt)) + prompt for prompt in short])
    mask = torch.tensor([[0] * (20 - len(prompt)) + [1] * len(prompt) for prompt in short])
    settings = {"max_new_tokens": 20, "do_sample": False, "eos_token_id": None, "pad_token_id": 2}
    greedy = theirs.generate(ids, attention_mask=mask, **settings)[:, 20:].tolist()
    assert generate_ids(writer, short, 20, temperature=0) == greedy


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "one prompt or more"),
        ([[5], []], "at least one token each"),
        ([[5], [5] * CONTEXT], f"has {CONTEXT} tokens and the model's context {CONTEXT}"),
    ],
    ids=["none", "empty", "too long"],
)
def test_faulty_prompts(prompts, message, writer):
    with pytest.raises(FmkitError, match=message):
        generate_ids(writer, prompts, 5)
