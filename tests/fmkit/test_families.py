"""Models of other families, with random weights: as transformers computes them, trained, saved, adapted."""

import json

import peft
import pytest
import torch
from chat_families import CHATML, MISTRAL, TALK, TEXTS, learn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    ModelConfig,
    RopeScaling,
    TrainConfig,
    Transformer,
    add_lora,
    load_adapter,
    merge_lora,
    pretrain,
    quantize,
    save_adapter,
)
from fmkit.flops import flops_per_token, num_parameters, trained_flops_per_token
from fmkit.generation import generate_ids

LLAMA3 = {
    **{"rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0},
    **{"high_freq_factor": 4.0, "original_max_position_embeddings": 32},
}
LINEAR = {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 4.0}
FAMILIES = {
    "llama, llama3": (LlamaForCausalLM, LlamaConfig, {"rope_parameters": LLAMA3}),
    "llama, linear": (LlamaForCausalLM, LlamaConfig, {"rope_parameters": LINEAR}),
    "llama, wide heads": (LlamaForCausalLM, LlamaConfig, {"head_dim": 32}),
    "llama, biases": (LlamaForCausalLM, LlamaConfig, {"attention_bias": True, "head_dim": 6}),
    "mistral": (MistralForCausalLM, MistralConfig, {"sliding_window": None}),
    "mistral, window": (MistralForCausalLM, MistralConfig, {"sliding_window": 128, "head_dim": 24}),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, {"tie_word_embeddings": True}),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, {"head_dim": 24}),
    "qwen3, biases": (Qwen3ForCausalLM, Qwen3Config, {"head_dim": 24, "attention_bias": True}),
}
CHATML_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TOKENIZERS = {
    "qwen2": (Qwen2Tokenizer, CHATML, CHATML_TOKENS),
    "qwen3": (Qwen2Tokenizer, CHATML, CHATML_TOKENS),
    "mistral": (LlamaTokenizer, MISTRAL, ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]),
}
every_family = pytest.mark.parametrize("family", FAMILIES)
IDS = torch.randint(4, 400, (2, 100), generator=torch.Generator().manual_seed(0))


def theirs_in(directory, family, **settings):
    """Save a model of transformers, of which each weight matters, biases and norms too."""
    kind, config, own = FAMILIES[family]
    shape = {
        **{"vocab_size": 400, "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2},
        **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128},
    }
    torch.manual_seed(0)
    model = kind(config(**shape | own | settings)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn_like(weight)
    model.save_pretrained(directory)
    return model


def logits(model):
    with torch.no_grad():
        out = model.eval()(IDS)
    return getattr(out, "logits", out)


def same(ours, theirs):
    torch.testing.assert_close(logits(ours), logits(theirs), atol=2e-4, rtol=1e-4)


@every_family
def test_a_family_is_computed_as_theirs(family, tmp_path):
    theirs = theirs_in(tmp_path, family)
    ours = Transformer.from_pretrained(tmp_path)
    same(ours, theirs)
    how = {"do_sample": False, "eos_token_id": None, "pad_token_id": 2}
    greedy = theirs.generate(IDS[:, :20], max_new_tokens=30, **how)
    assert generate_ids(ours, IDS[:, :20].tolist(), 30, temperature=0) == greedy[:, 20:].tolist()
    assert num_parameters(ours.config) == sum(p.numel() for p in ours.parameters())
    assert flops_per_token(ours.config, 50) == trained_flops_per_token(ours, 50)


@pytest.mark.slow
@every_family
def test_a_family_is_trained_and_returned(family, tmp_path, tokenizer, stories):
    theirs_in(tmp_path, family)
    ours = Transformer.from_pretrained(tmp_path)
    before = logits(ours)
    config = TrainConfig(steps=2, batch_size=2, context_length=64, learning_rate=1e-2, device="cpu")
    pretrain(ours, tokenizer, stories["train"]["text"][:40], config, output_dir=tmp_path / "run")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "run")
    assert type(theirs) is FAMILIES[family][0]
    same(ours, theirs)
    same(Transformer.from_pretrained(tmp_path / "run"), theirs)
    assert (logits(ours) - before).abs().max() > 0.01
    text = "Once upon a time"
    assert AutoTokenizer.from_pretrained(tmp_path / "run")(text)["input_ids"] == tokenizer.encode(text).ids


@pytest.mark.parametrize("family", TOKENIZERS)
def test_a_familys_tokenizer_is_kept(family, tmp_path):
    """Ids and layout of messages; as ever in fmkit, a text begins with one special token."""
    kind, template, special = TOKENIZERS[family]
    learned = json.loads(learn(special, kind is LlamaTokenizer).to_str())["model"]
    theirs = kind(vocab=learned["vocab"], merges=[tuple(pair) for pair in learned["merges"]])
    theirs.chat_template = template
    model = Transformer(ModelConfig(len(theirs), hidden_size=32, num_hidden_layers=1, model_type=family))
    model.save_pretrained(tmp_path)
    theirs.save_pretrained(tmp_path)
    theirs, ours = AutoTokenizer.from_pretrained(tmp_path), Transformer.from_pretrained(tmp_path)
    ours.save_pretrained(tmp_path / "again")
    again = AutoTokenizer.from_pretrained(tmp_path / "again")
    for text in TEXTS:
        ids = theirs(text, add_special_tokens=False)["input_ids"]
        assert ours.tokenizer.encode(text).ids[1:] == ids
        assert again(text, add_special_tokens=False)["input_ids"] == ids
    assert again.apply_chat_template(TALK[1:]) == theirs.apply_chat_template(TALK[1:])
    assert again.eos_token == theirs.eos_token


@pytest.mark.slow
@every_family
def test_a_family_has_adapters(family, tmp_path):
    base = theirs_in(tmp_path / "base", family)
    ours = Transformer.from_pretrained(tmp_path / "base")
    add_lora(ours, LoraConfig(r=2))
    same(ours, base)
    with torch.no_grad():
        for parameter in ours.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn(parameter.shape)
    adapted = logits(ours)
    assert (adapted - logits(base)).abs().max() > 0.1
    save_adapter(ours, tmp_path / "adapter")
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "adapter")
    same(ours, theirs)
    again = Transformer.from_pretrained(tmp_path / "base")
    load_adapter(again, tmp_path / "adapter")
    assert torch.equal(logits(again), adapted)
    ours.save_pretrained(tmp_path / "sum")
    same(ours, AutoModelForCausalLM.from_pretrained(tmp_path / "sum"))
    merge_lora(ours)
    torch.testing.assert_close(logits(ours), adapted, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("model_type", ["llama", "mistral", "qwen2", "qwen3"])
@pytest.mark.parametrize("is_causal", [True, False])
def test_a_new_model_of_a_family(model_type, is_causal, tmp_path):
    model = Transformer(ModelConfig(400, hidden_size=48, model_type=model_type, is_causal=is_causal))
    model.save_pretrained(tmp_path)
    same(model, AutoModelForCausalLM.from_pretrained(tmp_path))
    assert Transformer.from_pretrained(tmp_path).config == model.config


@pytest.mark.parametrize("family", ["llama, llama3", "qwen2", "qwen3"])
def test_bfloat16_is_saved_and_opened(family, tmp_path):
    theirs_in(tmp_path, family)
    exact = Transformer.from_pretrained(tmp_path)
    exact.save_pretrained(tmp_path / "half", dtype="bfloat16")
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in (".", "half")]
    assert sizes[1] < 0.55 * sizes[0]
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "half")
    assert theirs.dtype == torch.bfloat16
    same(Transformer.from_pretrained(tmp_path / "half"), theirs.float())
    ours = Transformer.from_pretrained(tmp_path / "half", dtype="bfloat16")
    far = (logits(ours) - logits(theirs.bfloat16())).abs().max()
    assert far < 0.05 * logits(theirs).abs().max()  # one rounds where the other does not
    with pytest.raises(FmkitError, match="dtype='float16' is unknown: choose from float32, bfloat16"):
        exact.save_pretrained(tmp_path / "other", dtype=torch.float16)


def test_a_classifier_of_a_family(tmp_path):
    model = Classifier(ModelConfig(400, hidden_size=48, model_type="qwen2"), ["no", "yes"])
    model.save_pretrained(tmp_path)
    theirs = Qwen2ForSequenceClassification.from_pretrained(tmp_path, pad_token_id=2)
    with torch.no_grad():
        ours = model.eval()(IDS, torch.full((2,), 99))
    torch.testing.assert_close(ours, logits(theirs), atol=2e-4, rtol=1e-4)


def test_biases_are_kept_when_rounded(tmp_path):
    theirs_in(tmp_path, "qwen2")
    ours = Transformer.from_pretrained(tmp_path)
    before = logits(ours)
    for dtype, rows in ((torch.float32, IDS), (torch.bfloat16, IDS[:1, :3])):
        rounded = Transformer.from_pretrained(tmp_path, dtype=dtype)
        quantize(rounded)
        with torch.no_grad():
            far = (rounded(rows) - before[: len(rows), : rows.shape[1]]).abs().max()
        assert far < 0.1 * before.abs().max()


@pytest.mark.parametrize("model_type", ["llama", "mistral", "qwen2", "qwen3"])
def test_what_a_family_leaves_out_is_theirs(model_type):
    theirs = {kind.model_type: kind for _, kind, _ in FAMILIES.values()}[model_type]()
    ours = ModelConfig.from_hugging_face({"model_type": model_type, "sliding_window": None})
    for name in vars(ours).keys() - {"is_causal", "rope_theta", "rope_scaling", "head_dim", "attention_bias"}:
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.head_dim == getattr(theirs, "head_dim", 4096 // 32)
    assert ours.rope_theta == theirs.rope_parameters["rope_theta"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "gpt2"}, "model_type='gpt2' is unknown: choose from llama, mistral, qwen2, qwen3"),
        ({"model_type": "qwen2", "attention_bias": True}, "attention_bias: a qwen2 has"),
        ({"rope_scaling": "linear"}, "rope_scaling='linear' must be a RopeScaling"),
        ({"head_dim": -2}, "head_dim=-2 must be a positive"),
    ],
)
def test_what_no_family_has(settings, message):
    with pytest.raises(FmkitError, match=message):
        ModelConfig(400, **settings)


def test_a_slowed_model_says_how(tmp_path):
    slowed = RopeScaling("llama3", 8.0, 1.0, 4.0, 64)
    Transformer(ModelConfig(400, hidden_size=48, rope_scaling=slowed)).save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["rope_parameters"]["original_max_position_embeddings"] == 64
    assert Transformer.from_pretrained(tmp_path).config.rope_scaling == slowed
    with pytest.raises(FmkitError, match=r"low_freq_factor=4\.0 must be below"):
        RopeScaling("llama3", 8.0, 4.0, 1.0, 64)


COMMON = {
    **{"hidden_act": "silu", "use_cache": True, "torch_dtype": "bfloat16", "attention_dropout": 0.0},
    **{"rope_scaling": None, "initializer_range": 0.02, "transformers_version": "4.43.1"},
}
LLAMA_3 = COMMON | {
    **{"model_type": "llama", "vocab_size": 128_256, "attention_bias": False, "mlp_bias": False},
    **{"max_position_embeddings": 131_072, "rope_theta": 500_000.0, "pretraining_tp": 1},
    **{"num_attention_heads": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-5},
}
SLOWED = {
    **{"low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_type": "llama3"},
    "original_max_position_embeddings": 8192,
}
QWEN = COMMON | {
    **{"vocab_size": 151_936, "tie_word_embeddings": True, "use_sliding_window": False},
    **{"rope_theta": 1_000_000.0, "rms_norm_eps": 1e-6, "max_window_layers": 21},
}
PUBLISHED = {  # as far as it is said in their config.json, and the parameters that they have
    "Llama-3.1-8B": (8_030_261_248, LLAMA_3, [4096, 14_336, 32], {"rope_scaling": SLOWED | {"factor": 8.0}}),
    "Llama-3.2-1B": (
        *(1_235_814_400, LLAMA_3, [2048, 8192, 16]),
        {"rope_scaling": SLOWED | {"factor": 32.0}, "tie_word_embeddings": True, "head_dim": 64},
    ),
    "Mistral-7B-v0.3": (
        *(7_248_023_552, COMMON, [4096, 14_336, 32]),
        {"model_type": "mistral", "sliding_window": None, "vocab_size": 32_768, "rope_theta": 1e6}
        | {"num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 32_768},
    ),
    "Qwen2.5-0.5B": (
        *(494_032_768, QWEN, [896, 4864, 24]),
        {
            "model_type": "qwen2",
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "sliding_window": 32_768,
        },
    ),
    "Qwen3-0.6B": (
        *(596_049_920, QWEN, [1024, 3072, 28]),
        {"model_type": "qwen3", "num_attention_heads": 16, "num_key_value_heads": 8, "sliding_window": None}
        | {"head_dim": 128, "attention_bias": False, "max_position_embeddings": 40_960},
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_are_of_their_size(name):
    parameters, common, (hidden, inner, layers), own = PUBLISHED[name]
    sizes = {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers}
    config = ModelConfig.from_hugging_face(common | sizes | own)
    assert num_parameters(config) == parameters
    assert (config.rope_scaling is not None) == name.startswith("Llama")
