"""Checkpoints are transformers' checkpoints: same logits, same greedy text, both ways round."""

import contextlib
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

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
        ({"attention_bias": True}, "attention_bias"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "rope scaling"),
        ({"hidden_size": 33}, "not divisible"),
        ({"hidden_size": None}, "head_dim"),
        ({"vocab_size": None}, "vocab_size"),
        ({"num_hidden_layers": 3}, "weights are missing"),
        ({"vocab_size": 91}, "shape"),
        ({"hidden_size": "many"}, "whole number"),
        ({"vocab_size": True}, "whole number"),
        ({"vocab_size": 10**15}, "does not fit into memory"),
        ({"max_position_embeddings": 10**15}, "does not fit into memory"),
        ({"rms_norm_eps": "1e-5"}, "rms_norm_eps='1e-5' must be a positive number"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps=nan"),
        ({"rope_parameters": [1]}, r"rope_parameters is \[1\], not an object"),
        ({"rope_parameters": {"rope_theta": "x"}}, "rope_theta='x'"),
        ({"tie_word_embeddings": "no"}, "true or false"),
        ({"architectures": 3}, "architectures is 3, not a list"),
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


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"weight_map": ["a"]}, "not an object"),
        ({"weight_map": {"a": 1}}, "must name files"),
        ({"weight_map": {"a": ["a"]}}, "must name files"),
        ({"weight_map": {"a": "../model.safetensors"}}, "must name files beside it"),
        ({"weight_map": {"a": "other.safetensors"}}, "is missing"),
        ({}, "weights are missing"),
    ],
)
def test_index_names_files_in_its_directory(index, message, tmp_path):
    Transformer(ModelConfig(vocab_size=90, hidden_size=32)).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(FmkitError, match=message):
        Transformer.from_pretrained(tmp_path)


def test_labels_need_numbers(tmp_path):
    Classifier(ModelConfig(vocab_size=90, hidden_size=32), ["no", "yes"]).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    for labels, message in [({"a": "no", "b": "yes"}, "whole numbers"), (["no", "yes"], "not an object")]:
        file.write_text(json.dumps(json.loads(file.read_text()) | {"id2label": labels}))
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
    save_adapter(model, directory / "language")
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
        model = open_model(file.parent)
        if file.parent.name == "language":
            load_adapter(model, file.parent)
