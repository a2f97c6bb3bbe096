"""One model, however it is asked: packed or alone, cached or not, by either attention kernel."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM

from fmkit import Classifier, FmkitError, LoraConfig, ModelConfig, Transformer, add_lora, generate
from fmkit import attention as attention_module
from fmkit.attention import Mask, allowed_positions, attention, make_mask
from fmkit.evaluation.likelihood import perplexity
from fmkit.flops import flops_per_token, num_parameters, peak_flops, trained_flops_per_token
from fmkit.generation import DRAWS, generate_ids, pick
from fmkit.model import RMSNorm


@pytest.fixture
def trained_size() -> Transformer:
    torch.manual_seed(0)
    model = Transformer(
        ModelConfig(vocab_size=120, hidden_size=48, num_hidden_layers=3, num_key_value_heads=2)
    )
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn_like(weight)
    return model.eval()


@pytest.mark.parametrize("explicit", [False, True])
def test_packed_documents_are_as_if_alone(trained_size, explicit, monkeypatch):
    monkeypatch.setattr(attention_module, "prefer_explicit", lambda *given: explicit)
    documents = [torch.randint(4, 120, (n,)) for n in (17, 1, 30, 16)]
    packed = torch.cat(documents)[None]
    ids = torch.cat([torch.full((len(d),), i) for i, d in enumerate(documents)])[None]
    with torch.no_grad():
        together = trained_size(packed, ids)[0].split([len(d) for d in documents])
        for document, logits in zip(documents, together, strict=True):
            torch.testing.assert_close(logits, trained_size(document[None])[0], atol=1e-4, rtol=0)


def test_a_norm_in_bfloat16_is_the_formula():
    torch.manual_seed(0)
    norm, x, given = RMSNorm(48, 1e-5), torch.randn(2, 5, 3, 48), torch.randn(2, 5, 3, 48).bfloat16()
    norm.weight.data = (1 + 0.2 * torch.randn(48)).bfloat16().float()
    x = x.bfloat16().requires_grad_()
    exact = x.double() * (x.double().square().mean(-1, keepdim=True) + 1e-5).rsqrt() * norm.weight.double()
    found = [[y, *torch.autograd.grad(y, (x, norm.weight), given.to(y.dtype))] for y in (norm(x), exact)]
    for ours, formula in zip(*found, strict=True):
        assert (ours - formula).norm() < 0.01 * formula.norm()


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("chunks", [[1] * 40, [25] + [1] * 15, [10, 20, 10]])
def test_cached_is_uncached(trained_size, chunks, explicit, monkeypatch):
    monkeypatch.setattr(attention_module, "prefer_explicit", lambda *given: explicit)
    ids = torch.randint(0, 120, (2, 40))
    with torch.no_grad():
        cache = trained_size.new_cache(2, 40)
        pieces = [trained_size(part, cache=cache) for part in ids.split(chunks, dim=1)]
        torch.testing.assert_close(torch.cat(pieces, 1), trained_size(ids), atol=1e-4, rtol=0)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("heads", [(4, 4), (6, 2), (4, 1)])
def test_attention_kernels_agree(causal, packed, heads, monkeypatch):
    H, K = heads
    torch.manual_seed(0)
    inputs = [torch.randn(2, 31, h, 8, requires_grad=True) for h in (H, K, K)]
    documents = torch.arange(31).expand(2, -1) // 7 if packed else None
    cpu, full = torch.device("cpu"), torch.float32
    masks = [
        make_mask(causal, 8, 31, 31, documents, cpu, full),
        Mask(allowed=allowed_positions(31, 31, causal, documents, cpu)),
    ]
    assert (masks[0].lengths == [7, 7, 7, 7, 3] * 2) if packed else (masks[0] == Mask(causal))
    results = []
    for mask, explicit in ((masks[0], False), (masks[1], False), (masks[1], True)):
        monkeypatch.setattr(attention_module, "prefer_explicit", lambda *given, e=explicit: e)
        out = attention(*inputs, mask)
        results.append((out, *torch.autograd.grad(out.square().sum(), inputs)))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("causal", [True, False])
def test_blocks_are_the_dense_mask(causal, monkeypatch):
    """What FlexAttention may see where a GPU's code is compiled, tried where its kernel can be: forward."""
    documents = torch.tensor([[0] * 100 + [1] * 156 + [2] * 44, [0] * 300])
    q, k, v = (torch.randn(2, 300, heads, 16) for heads in (4, 2, 2))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    masks = [
        make_mask(causal, 16, 300, 300, documents, torch.device(device), torch.float32)
        for device in ("cuda", "cpu")
    ]
    assert (masks[0].blocks is None, masks[1].allowed is None) == (False, False)
    torch.testing.assert_close(*(attention(q, k, v, mask) for mask in masks), atol=1e-4, rtol=1e-4)


def test_bfloat16_is_near_float32(trained_size):
    ids = torch.randint(0, 120, (2, 40))
    with torch.no_grad():
        exact = trained_size(ids).log_softmax(-1)
        trained_size.dtype = torch.bfloat16
        rounded = trained_size(ids).float().log_softmax(-1)
    assert (exact - rounded).abs().mean() < 0.1


def test_only_bidirectional_models_see_ahead():
    ids = torch.randint(4, 50, (1, 12))
    changed = ids.clone()
    changed[0, -1] = 3
    for causal in (True, False):
        model = Transformer(ModelConfig(vocab_size=50, hidden_size=32, is_causal=causal)).eval()
        with torch.no_grad():
            same = torch.equal(model(ids)[:, :-1], model(changed)[:, :-1])
        assert same == causal


def test_greedy_and_sampled_text(tokenizer, model):
    text = generate(model, tokenizer, "Once upon a time", max_new_tokens=20, temperature=0.9, seed=3)
    assert text.startswith("Once upon a time")
    assert text == generate(model, tokenizer, "Once upon a time", 20, 0.9, seed=3)
    assert text != generate(model, tokenizer, "Once upon a time", 20, 0.9, seed=4)
    long = generate_ids(model, [[0, 5], [0, 6]], max_new_tokens=1000, temperature=0)
    assert [len(row) for row in long] == [94, 94]  # as far as the context goes


def test_sampling_follows_its_settings():
    draws = torch.randint(DRAWS, (20_000,), generator=torch.Generator().manual_seed(0))
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().repeat(20_000, 1)

    def shares(**settings):
        settings = {"temperature": 1.0, "top_k": None, "top_p": None} | settings
        return pick(logits, draw=draws, **settings).bincount(minlength=4) / 20_000

    torch.testing.assert_close(shares(), torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.015, rtol=0)
    torch.testing.assert_close(shares(top_k=2), torch.tensor([0.625, 0.375, 0, 0]), atol=0.015, rtol=0)
    torch.testing.assert_close(shares(top_p=0.75), torch.tensor([0.625, 0.375, 0, 0]), atol=0.015, rtol=0)
    torch.testing.assert_close(
        shares(temperature=0.5), torch.tensor([0.685, 0.247, 0.062, 0.007]), atol=0.015, rtol=0
    )
    for coldest in (0, 1e-45, 1e-38):
        assert shares(temperature=coldest).tolist() == [1, 0, 0, 0]
    assert shares(top_p=1e-9).tolist() == [1, 0, 0, 0]


def test_the_last_draw_is_still_a_token():
    """And never one that is left out."""
    logits = torch.tensor([[0.0, -1.0, -5.0, -100.0, 3.0, -float("inf")]])
    for draw, token in ((0, 0), (DRAWS - 1, 4)):
        assert pick(logits, 1.0, None, None, torch.tensor([draw])).item() == token


def test_predictions_that_are_not_finite(model, tokenizer):
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(FmkitError, match="not finite numbers"):
        generate(model, tokenizer, "Once")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompt": "word " * 200}, "shorten it"),
        ({"prompt": "a\udcff"}, "not valid Unicode at character 1"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"temperature": -1.0}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 1.5}, "top_p"),
    ],
)
def test_bad_settings_of_generation(tokenizer, model, settings, message):
    with pytest.raises(FmkitError, match=message):
        generate(model, tokenizer, **({"prompt": "Once"} | settings))


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def trained(request, trained_model) -> Transformer:
    """The trained model, or the same with a head of its own."""
    model = Transformer(replace(trained_model.config, tie_word_embeddings=request.param))
    model.load_state_dict(trained_model.state_dict())
    return model


def test_new_tokens_take_nothing_over(trained, tokenizer, stories, tmp_path):
    texts = stories["validation"]["text"][:5]
    before = perplexity(trained, tokenizer, texts)
    old, size = trained.model.embed_tokens.weight.clone(), trained.config.vocab_size
    trained.resize_vocab(size + 3)
    assert torch.equal(trained.model.embed_tokens.weight[:size], old)
    tied = trained.lm_head.weight is trained.model.embed_tokens.weight
    assert tied == trained.config.tie_word_embeddings
    assert perplexity(trained, tokenizer, texts) == pytest.approx(before, rel=0.05)
    trained.save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config.vocab_size == size + 3


def test_no_token_is_dropped(model):
    with pytest.raises(FmkitError, match="no token can be dropped"):
        model.resize_vocab(model.config.vocab_size - 1)


def test_parameters_and_flops(monkeypatch):
    monkeypatch.setattr(attention_module, "prefer_explicit", lambda *given: True)  # what the counter can see
    for tied in (True, False):
        config = ModelConfig(
            vocab_size=2048, num_attention_heads=8, num_key_value_heads=2, tie_word_embeddings=tied
        )
        model = Transformer(config)
        assert num_parameters(config) == sum(p.numel() for p in model.parameters())
        embeddings = sum(p.numel() for n, p in model.named_parameters() if "embed" in n or "head" in n)
        assert num_parameters(config, embeddings=False) == num_parameters(config) - embeddings
    config = ModelConfig(vocab_size=512, hidden_size=64, num_hidden_layers=2)
    with FlopCounterMode(display=False) as counter:
        Transformer(config)(torch.zeros(1, 128, dtype=torch.long)).sum().backward()
    # A trained token costs what autograd computes, bar the gradient of the embedded input of block one.
    assert counter.get_total_flops() / 128 == pytest.approx(flops_per_token(config, 128), rel=0.01)


FROZEN = {
    "nothing": lambda model: None,
    "all but adapters": lambda model: add_lora(model, LoraConfig(r=8)),
    "all but adapters and embeddings": lambda model: add_lora(
        model, LoraConfig(r=8, modules_to_save=("embed_tokens",))
    ),
    "all but the last adapters": lambda model: add_lora(
        model, LoraConfig(r=8, target_modules=("down_proj",))
    ),
    "all but the last block": lambda model: train_only(model, model.model.layers[-1]),
    "all but the head": lambda model: train_only(model, model.score),
}


def train_only(model, module) -> None:
    model.requires_grad_(False)
    module.requires_grad_(True)


@pytest.mark.parametrize("freeze", FROZEN.values(), ids=FROZEN.keys())
def test_flops_leave_out_frozen_weights(freeze, monkeypatch):
    monkeypatch.setattr(attention_module, "prefer_explicit", lambda *given: True)  # what the counter can see
    config = ModelConfig(vocab_size=512, hidden_size=64, num_hidden_layers=3, num_key_value_heads=2)
    model = Classifier(config, ["no", "yes"])
    freeze(model)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 128, dtype=torch.long), torch.tensor([127])).sum().backward()
    counted = counter.get_total_flops() / 128
    assert counted == pytest.approx(trained_flops_per_token(model, 128), rel=0.01)


def test_flops_of_a_model_are_the_formula():
    model = Transformer(ModelConfig(vocab_size=512, hidden_size=64, num_hidden_layers=2))
    assert trained_flops_per_token(model, 128) == flops_per_token(model.config, 128)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA L4", 121e12),
        ("Tesla T4", 65e12),
        ("NVIDIA RTX A1000", None),
        ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", None),
        ("NVIDIA T400", None),
        ("cpu", None),
    ],
)
def test_peak_is_known_by_exact_names(name, peak):
    assert peak_flops(name) == peak
