"""Checkpoints are transformers' checkpoints: same logits, same greedy text, both ways round."""

import contextlib
import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
)

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    ModelConfig,
    Transformer,
    add_lora,
    load_adapter,
    save_adapter,
)
from fmkit.data.tokenizer import save_tokenizer
from fmkit.generation import generate_ids
from fmkit.model import open_model

SHAPES = {
    "tied": ModelConfig(vocab_size=300, hidden_size=48, num_hidden_layers=2, num_attention_heads=4),
    "untied, grouped": ModelConfig(
        vocab_size=300,
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        tie_word_embeddings=False,
        rope_theta=50_000.0,
    ),
    "tied, one key head": ModelConfig(
        vocab_size=300, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=1
    ),
}


def shaken(config: ModelConfig) -> Transformer:
    """A model with weights of a size at which mistakes show."""
    model = Transformer(config, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator)
    return model.eval()


@pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES.keys())
def test_transformers_opens_what_we_save(config, tmp_path):
    model = shaken(config)
    model.save_pretrained(tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids = torch.randint(4, 300, (3, 40), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model(ids), theirs(ids).logits, atol=1e-4, rtol=0)
        greedy = theirs.generate(ids, max_new_tokens=50, do_sample=False, eos_token_id=None, pad_token_id=2)
    assert generate_ids(model, ids.tolist(), 50, temperature=0) == greedy[:, 40:].tolist()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shard_size", ["5GB", "60KB"])
def test_we_open_what_transformers_saves(tied, shard_size, tmp_path):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=200,
        hidden_size=64,
        intermediate_size=150,
        num_hidden_layers=3,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=128,
        tie_word_embeddings=tied,
        rope_parameters={"rope_type": "default", "rope_theta": 1234.0},
        initializer_range=0.2,
    )
    theirs = LlamaForCausalLM(config).eval()
    theirs.save_pretrained(tmp_path, max_shard_size=shard_size)
    ours = Transformer.from_pretrained(tmp_path).eval()
    ids = torch.randint(0, 200, (2, 128))
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-4, rtol=0)


def test_bidirectional_model_in_transformers(tmp_path):
    model = shaken(ModelConfig(vocab_size=90, hidden_size=32, num_attention_heads=2, is_causal=False))
    model.save_pretrained(tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids = torch.randint(4, 90, (2, 20))
    with torch.no_grad():
        torch.testing.assert_close(model(ids), theirs(ids).logits, atol=1e-4, rtol=0)


def test_tokenizer_is_saved_with_the_model(tmp_path, stories, tokenizer):
    model = Transformer(ModelConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=32))
    model.tokenizer = tokenizer
    model.save_pretrained(tmp_path)
    text = stories["train"][0]["text"]
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs(text)["input_ids"] == tokenizer.encode(text).ids
    assert theirs.model_max_length == model.config.max_position_embeddings
    assert Transformer.from_pretrained(tmp_path).tokenizer.encode(text).ids == tokenizer.encode(text).ids
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["bos_token_id"], config["eos_token_id"], config["pad_token_id"]) == (0, 1, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "gpt2"}, "'gpt2'"),
        ({"attention_bias": True}, "weights are missing, first .*bias"),
        ({"model_type": "qwen2"}, "weights are missing, first .*k_proj.bias"),
        ({"model_type": "mistral", "attention_bias": True}, "attention_bias: a mistral has"),
        (
            {"model_type": "mistral", "sliding_window": 64},
            "sliding_window=64 .* max_position_embeddings to 64",
        ),
        ({"model_type": "qwen3", "use_sliding_window": True, "sliding_window": 9}, "sliding_window=9"),
        ({"model_type": "qwen2_moe"}, "'qwen2_moe'; fmkit opens llama, mistral, qwen2, qwen3"),
        ({"mlp_bias": True}, "mlp_bias"),
        ({"hidden_act": "gelu"}, "hidden_act='gelu'"),
        ({"sliding_window": 64}, "sliding_window=64"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "layer_types='sliding_attention'"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor=0.5"),
        ({"per_layer_config": {"0": {"head_dim": 4}}}, "per_layer_config"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantized .* dequantize"),
        ({"quantization": {"bits": 4}}, "quantization="),
        ({"auto_map": {"AutoModelForCausalLM": "modeling_mine.Mine"}}, "auto_map"),
        ({"of_next_year": 1}, "of_next_year=1 is not supported by fmkit's Transformer: remove it if"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "rope_parameters: factor=0.0: 'llama3' needs"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 2, "low_freq_factor": 1}}, "has no such"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "rope_scaling: rope_type='dynamic'"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 2.0, "beta_fast": 32}}, "rope_type='yarn'"),
        ({"rope_scaling": {"rope_type": ["linear"]}}, "must be text"),
        ({"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor=0.5"),
        ({"hidden_size": 33}, "not divisible"),
        ({"hidden_size": None}, "shape"),
        ({"head_dim": 16}, "shape"),
        ({"head_dim": 7}, "head_dim=7, .* must be even"),
        ({"vocab_size": None}, r"the model's is \(32000, 32\)"),
        ({"num_hidden_layers": 3}, "weights are missing"),
        ({"vocab_size": 91}, "shape"),
        ({"hidden_size": "many"}, "whole number"),
        ({"vocab_size": True}, "whole number"),
        ({"vocab_size": 10**15}, "does not fit into memory"),
        ({"max_position_embeddings": 10**15}, "does not fit into memory"),
        ({"rms_norm_eps": "1e-5"}, "rms_norm_eps='1e-5' must be a"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps=nan"),
        ({"rope_parameters": [1]}, r"rope_parameters is \[1\], not an object"),
        ({"rope_parameters": {"rope_theta": "x"}}, "rope_theta='x'"),
        ({"tie_word_embeddings": "no"}, "true or false"),
        ({"architectures": 3}, "architectures is 3, not a list"),
        ({"architectures": ["LlamaForTokenClassification"]}, "names LlamaForTokenClassification"),
        ({"architectures": ["LlamaModel"]}, "fmkit opens …ForCausalLM and …ForSequenceClass"),
    ],
)
def test_config_that_cannot_be_computed(change, message, tmp_path):
    Transformer(ModelConfig(vocab_size=90, hidden_size=32, num_hidden_layers=2)).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(FmkitError, match=message) as error:
        Transformer.from_pretrained(tmp_path)
    assert "\n" not in str(error.value)


def test_damaged_files_are_named(tmp_path):
    with pytest.raises(FmkitError, match=r"config\.json is missing"):
        Transformer.from_pretrained(tmp_path)
    Transformer(ModelConfig(vocab_size=90, hidden_size=32)).save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(FmkitError, match=r"model\.safetensors: is damaged"):
        Transformer.from_pretrained(tmp_path)
    weights.unlink()
    with pytest.raises(FmkitError, match=r"model\.safetensors: is missing"):
        Transformer.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(FmkitError, match=r"config\.json: cannot be read"):
        Transformer.from_pretrained(tmp_path)


TINY = {"vocab_size": 90, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
IDS = torch.randint(4, 90, (2, 20), generator=torch.Generator().manual_seed(0))


def of_transformers(directory, kind=LlamaForCausalLM, shard_size="5GB", **settings):
    """Save a model of transformers."""
    torch.manual_seed(0)
    settings = {"num_attention_heads": 4, "initializer_range": 0.3} | settings
    theirs = kind(LlamaConfig(**TINY, **settings)).eval()
    theirs.save_pretrained(directory, max_shard_size=shard_size)
    return theirs


def test_what_transformers_writes_is_known():
    written = json.loads(LlamaConfig(**TINY, num_attention_heads=4).to_json_string(use_diff=False))
    old = {
        **{"torch_dtype": "bfloat16", "rope_theta": 1234.0, "rope_scaling": None, "num_labels": 2},
        **{"_name_or_path": "a/b", "sliding_window": None, "layer_types": ["full_attention"] * 2},
        **GenerationConfig._get_default_generation_params(),
        **{name: value for name, value in GenerationConfig().to_dict().items() if value},
    }
    for config in (written, written | old):
        assert ModelConfig.from_hugging_face(config).hidden_size == 32
    assert ModelConfig.from_hugging_face({"model_type": "llama", **old}).rope_theta == 1234


@pytest.mark.parametrize(
    "change",
    [
        {"rms_norm_eps": None, "max_position_embeddings": None},
        {"rope_parameters": None, "rope_theta": 500.0},
        {"rope_parameters": None, "rope_scaling": {"type": "default", "rope_theta": 77.0}},
        {"rope_scaling": {"rope_type": "default", "rope_theta": 77.0}},
        {"torch_dtype": "float16", "dtype": None, "pretraining_tp": 2},
        {"architectures": None, "head_dim": None, "num_key_value_heads": None},
    ],
)
def test_settings_mean_what_theirs_mean(change, tmp_path):
    of_transformers(tmp_path)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text()) | change
    file.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    ours = Transformer.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(IDS), theirs(IDS).logits, atol=1e-4, rtol=0)
    assert ours.config.max_position_embeddings == theirs.config.max_position_embeddings


NORM, PROJ = "model.norm.weight", "model.layers.0.self_attn.q_proj.weight"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({PROJ: torch.float8_e4m3fn, f"{PROJ}_scale_inv": torch.ones(1)}, "weight_scale_inv has no place"),
        ({PROJ: torch.float8_e4m3fn}, "q_proj.weight is quantized .float8_e4m3fn."),
        ({PROJ: torch.int8, "model.layers.0.self_attn.q_proj.SCB": torch.ones(32)}, "SCB has no place"),
        ({PROJ: torch.int8}, "q_proj.weight is quantized .int8."),
        ({"model.layers.0.self_attn.q_proj.bias": torch.ones(32)}, "q_proj.bias has no place"),
        ({"v_head.summary.weight": torch.ones(1, 32)}, "v_head.summary.weight has no place"),
        ({"lm_head.weight": torch.ones(90, 32)}, "tie_word_embeddings is on, and lm_head"),
        ({NORM: torch.full((32,), math.nan)}, "model.norm.weight holds numbers that are not finite"),
    ],
)
def test_surplus_weights_are_refused(changed, message, tmp_path):
    of_transformers(tmp_path, tie_word_embeddings=True)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    for name, value in changed.items():
        weights[name] = value if isinstance(value, torch.Tensor) else weights[name].to(value)
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(FmkitError, match=message) as error:
        Transformer.from_pretrained(tmp_path)
    assert "\n" not in str(error.value)


def test_copies_of_weights_are_harmless(tmp_path):
    of_transformers(tmp_path, tie_word_embeddings=True)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
    weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)  # as old versions wrote
    save_file({name: tensor.bfloat16() for name, tensor in weights.items()}, file, {"format": "pt"})
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    with torch.no_grad():
        ours = Transformer.from_pretrained(tmp_path)(IDS)
        torch.testing.assert_close(ours, theirs(IDS).logits, atol=1e-4, rtol=0)


def test_what_is_saved_over_is_gone(tmp_path, tokenizer):
    of_transformers(tmp_path, shard_size="20KB")
    others = [
        *("special_tokens_map.json", "chat_template.jinja", "added_tokens.json", "tokenizer.model"),
        *("adapter_config.json", "adapter_model.safetensors"),
    ]
    for name in (*others, "notes.txt"):
        (tmp_path / name).write_text("{}")
    model = shaken(ModelConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=32))
    model.tokenizer = tokenizer
    model.save_pretrained(tmp_path)
    expected = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "notes.txt"}
    assert {file.name for file in tmp_path.iterdir()} == expected
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(Transformer.from_pretrained(tmp_path)(IDS), model(IDS))
        torch.testing.assert_close(theirs(IDS).logits, model(IDS), atol=1e-4, rtol=0)
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template is None
    assert theirs.generation_config.eos_token_id == 1


def test_a_tokenizer_beside_it_is_kept(tmp_path, tokenizer):
    save_tokenizer(tokenizer, tmp_path)
    Transformer(ModelConfig(vocab_size=400, hidden_size=32)).save_pretrained(tmp_path)
    assert Transformer.from_pretrained(tmp_path).tokenizer.to_str() == tokenizer.to_str()


def test_two_models_in_a_directory(tmp_path):
    of_transformers(tmp_path, shard_size="20KB")
    of_transformers(tmp_path / "whole")
    (tmp_path / "whole/model.safetensors").rename(tmp_path / "model.safetensors")
    with pytest.raises(FmkitError, match="two sets of weights"):
        Transformer.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(FmkitError, match=r"holds an adapter .* load_adapter"):
        Transformer.from_pretrained(tmp_path)


def test_more_tokens_than_the_model_has(tmp_path, tokenizer):
    model = Transformer(ModelConfig(vocab_size=399, hidden_size=32))
    model.tokenizer = tokenizer
    model.save_pretrained(tmp_path)
    with pytest.raises(FmkitError, match=r"tokenizer.json: has a token .* of number 399, and the model has"):
        Transformer.from_pretrained(tmp_path)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_labels_that_transformers_made_up(count, tmp_path):
    theirs = of_transformers(tmp_path, LlamaForSequenceClassification, num_labels=count, pad_token_id=0)
    ours = open_model(tmp_path).eval()
    assert ours.labels == tuple(f"LABEL_{i}" for i in range(count))
    with torch.no_grad():
        expected = theirs(IDS).logits
        torch.testing.assert_close(ours(IDS, torch.full((2,), 19)), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"weight_map": ["a"]}, "not an object"),
        ({"weight_map": {"a": 1}}, "must name files"),
        ({"weight_map": {"a": ["a"]}}, "must name files"),
        ({"weight_map": {"a": "../model.safetensors"}}, "must name files beside it"),
        ({"weight_map": {"a": "other.safetensors"}}, "two sets of weights"),
        ({"weight_map": {"a": "model.safetensors"}}, "not as model.safetensors.index.json says"),
        ({}, "two sets of weights"),
    ],
)
def test_index_names_files_in_its_directory(index, message, tmp_path):
    Transformer(ModelConfig(vocab_size=90, hidden_size=32)).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(FmkitError, match=message):
        Transformer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id2label": {"a": "no", "b": "yes"}}, "whole numbers"),
        ({"id2label": ["no", "yes"]}, "not an object"),
        ({"id2label": {"1": "no", "2": "yes"}}, "the numbers from 0 on"),
        ({"id2label": {"0": "no", "1": "no"}}, "a name of its own"),
        ({"problem_type": "multi_label_classification"}, "multi_label_classification"),
        ({"problem_type": "regression"}, "regression"),
        ({"id2label": None, "num_labels": 10**15}, "num_labels"),
    ],
)
def test_labels_that_cannot_be_read(change, message, tmp_path):
    Classifier(ModelConfig(vocab_size=90, hidden_size=32), ["no", "yes"]).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(FmkitError, match=message):
        open_model(tmp_path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """The JSON files of a classifier, and of a language model in several files with an adapter beside it."""
    directory = tmp_path_factory.mktemp("foreign")
    config = ModelConfig(vocab_size=30, hidden_size=8, num_hidden_layers=1, intermediate_size=8)
    Classifier(config, ["no", "yes"]).save_pretrained(directory / "classifier")
    model = Transformer(config)
    model.save_pretrained(directory / "whole")
    theirs = LlamaForCausalLM.from_pretrained(directory / "whole")
    theirs.save_pretrained(directory / "language", max_shard_size="1KB")
    add_lora(model, LoraConfig(r=2, modules_to_save=("embed_tokens",)))
    save_adapter(model, directory / "language-adapter")
    names = ("config.json", "model.safetensors.index.json", "adapter_config.json")
    return {file: file.read_text() for name in names for file in sorted(directory.glob(f"[cl]*/{name}"))}


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_value_is_read_or_refused(foreign, data):
    for file, text in foreign.items():
        file.write_text(text)
    file = data.draw(st.sampled_from(list(foreign)))
    fields = json.loads(foreign[file])
    inside = data.draw(st.sampled_from([fields, *(v for v in fields.values() if isinstance(v, dict) and v)]))
    inside[data.draw(st.sampled_from(sorted(inside)))] = data.draw(VALUES)
    file.write_text(json.dumps(fields))
    with contextlib.suppress(FmkitError):
        directory = file.parent.parent
        if file.parent.name == "classifier":
            open_model(directory / "classifier")
        else:
            load_adapter(open_model(directory / "language"), directory / "language-adapter")
