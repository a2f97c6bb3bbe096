"""Prompts of unequal length in one batch: each answer is that of the prompt alone."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from fmkit import FmkitError, LoraConfig, ModelConfig, Transformer, add_lora, quantize
from fmkit import attention as attention_module
from fmkit.generation import generate, generate_ids, next_logits, pick, stream, with_cast_weights

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


@pytest.mark.slow
@pytest.mark.parametrize("explicit", [False, True], ids=["fused", "explicit"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("length", [5, 1000])
def test_a_batch_is_each_prompt_alone(length, temperature, explicit, writer, prompts, monkeypatch):
    monkeypatch.setattr(attention_module, "prefer_explicit", lambda *given: explicit)
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


@pytest.mark.parametrize(
    "change", [lambda model: None, lambda model: add_lora(model, LoraConfig()), quantize]
)
@pytest.mark.parametrize("tied", [False, True])
def test_weights_cast_once_say_the_same(tied, change):
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "tie_word_embeddings": tied}
    model = Transformer(ModelConfig(vocab_size=90, **shape)).eval()
    change(model)
    assert with_cast_weights(model) is model  # in float32 there is nothing to cast
    model.dtype = torch.bfloat16
    ids = torch.arange(4, 24)[None]
    with torch.no_grad():
        cast = with_cast_weights(model)
        assert torch.equal(cast(ids), model(ids))
    assert {p.dtype for p in cast.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert len(list(cast.parameters())) == len(list(model.parameters()))


# --- rows that come and go --------------------------------------------------------------------------------


def in_turns(model, prompts, most: int, places: int) -> list[list[int]]:
    """Greedy answers, of which a new one begins whenever one of the places is free."""
    rows, waiting = model.new_rows(places, CONTEXT), list(enumerate(prompts))
    running: list[int] = []
    made: dict[int, list[int]] = {i: [] for i in range(len(prompts))}
    with torch.inference_mode():
        while waiting or running:
            while waiting and len(running) < places:
                number, prompt = waiting.pop(0)
                alone = model.new_cache(1, len(prompt))
                made[number].append(int(next_logits(model, torch.tensor([prompt]), alone).argmax()))
                rows.join(alone)
                running.append(number)
            for row in reversed(range(len(running))):
                if len(made[running[row]]) == min(most, CONTEXT - len(prompts[running[row]])):
                    rows.leave(row)
                    running[row] = running[-1]
                    running.pop()
            if running:
                last = torch.tensor([[made[number][-1]] for number in running])
                for number, token in zip(running, next_logits(model, last, rows).argmax(-1), strict=True):
                    made[number].append(int(token))
    return list(made.values())


@pytest.mark.slow
@pytest.mark.parametrize("explicit", [False, True], ids=["fused", "explicit"])
@pytest.mark.parametrize("places", [1, 3, 7])
def test_rows_come_and_go(places, explicit, writer, prompts, monkeypatch):
    monkeypatch.setattr(attention_module, "prefer_explicit", lambda *given: explicit)
    assert in_turns(writer, prompts, 12, places) == alone(writer, prompts, 12, 0.0)


# --- a stream of text -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_stream_is_the_text(seed, trained_model, tokenizer):
    settings = {"max_new_tokens": 60, "seed": seed, "temperature": 1.2, "top_k": 50, "top_p": 0.9}
    whole = generate(trained_model, tokenizer, "The fox", **settings)
    pieces = list(stream(trained_model, tokenizer, "The fox", **settings))
    (ids,) = generate_ids(trained_model, [tokenizer.encode("The fox").ids], eos_id=1, **settings)
    assert "The fox" + "".join(pieces) == whole == tokenizer.decode(tokenizer.encode("The fox").ids + ids)
    assert len(pieces) > 5


def test_generation_stops_before_a_string(trained_model, tokenizer):
    settings = {"max_new_tokens": 60, "seed": 1}
    whole = generate(trained_model, tokenizer, "The fox", **settings)
    stop = whole[20:24]
    until = whole.index(stop, len("The fox"))
    assert generate(trained_model, tokenizer, "The fox", **settings, stop=["§", stop]) == whole[:until]
    assert (
        "The fox" + "".join(stream(trained_model, tokenizer, "The fox", **settings, stop=stop))
        == whole[:until]
    )


def test_a_stream_stops_the_model(trained_model, tokenizer, monkeypatch):
    """What nobody asks for is not made."""
    made = []
    monkeypatch.setattr("fmkit.generation.pick", lambda *given: made.append(1) or pick(*given))
    next(stream(trained_model, tokenizer, "The fox", seed=1))
    assert len(made) < 5


def test_a_faulty_stream_fails_at_once(trained_model, tokenizer):
    with pytest.raises(FmkitError, match="max_new_tokens"):
        stream(trained_model, tokenizer, "The fox", max_new_tokens=0)
    with pytest.raises(FmkitError, match="the tokenizer has no token"):
        stream(trained_model, tokenizer, [{"role": "user", "content": "Hello"}])
