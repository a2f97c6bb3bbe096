"""An adapter computes what peft computes, in peft's files, and learns little and enough."""

import json

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    ModelConfig,
    Transformer,
    add_lora,
    load_adapter,
    merge_lora,
    save_adapter,
)
from fmkit.lora import find_lora

CONFIG = ModelConfig(
    vocab_size=90, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2
)
UNTIED = ModelConfig(vocab_size=90, hidden_size=32, num_attention_heads=2, tie_word_embeddings=False)
IDS = torch.randint(4, 90, (3, 20), generator=torch.Generator().manual_seed(0))


def shake(model: torch.nn.Module) -> None:
    """Random values for all that is trained, so that mistakes show."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.2 * torch.randn(parameter.shape, generator=generator)


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return getattr(out := model.eval()(IDS), "logits", out)


LORAS = {
    "plain": (CONFIG, LoraConfig(r=4, lora_alpha=12)),
    "two matrices": (CONFIG, LoraConfig(r=3, target_modules=("q_proj", "down_proj"))),
    "embeddings, tied": (CONFIG, LoraConfig(r=2, modules_to_save=("embed_tokens",))),
    "embeddings, untied": (UNTIED, LoraConfig(r=2, modules_to_save=("embed_tokens", "lm_head"))),
}


@pytest.mark.parametrize(("shape", "lora"), LORAS.values(), ids=LORAS.keys())
def test_peft_opens_our_adapter_and_merging_changes_nothing(shape, lora, tmp_path):
    model = Transformer(shape)
    shake(model)
    model.save_pretrained(tmp_path / "base")
    before = logits(model)
    add_lora(model, lora)
    assert torch.equal(logits(model), before)  # a new adapter changes nothing
    shake(model)
    ours = logits(model)
    assert (ours - before).abs().max() > 0.1
    save_adapter(model, tmp_path / "adapter", base=tmp_path / "base")
    theirs = peft.PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tmp_path / "base"), tmp_path / "adapter"
    )
    torch.testing.assert_close(logits(theirs), ours, atol=2e-4, rtol=1e-4)
    again = Transformer.from_pretrained(tmp_path / "base")
    load_adapter(again, tmp_path / "adapter")
    assert torch.equal(logits(again), ours)
    model.save_pretrained(tmp_path / "tuned")  # with the adapter added in: everyone opens it
    opened = AutoModelForCausalLM.from_pretrained(tmp_path / "tuned")
    torch.testing.assert_close(logits(opened), ours, atol=2e-4, rtol=1e-4)
    merge_lora(model)
    assert find_lora(model) is None
    assert all(parameter.requires_grad for parameter in model.parameters())
    torch.testing.assert_close(logits(model), ours, atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(logits(theirs.merge_and_unload()), logits(model), atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("saved", [None, ["embed_tokens"]])
def test_we_open_the_adapter_that_peft_saves(saved, tmp_path):
    model = Transformer(CONFIG)
    shake(model)
    model.save_pretrained(tmp_path / "base")
    theirs = peft.get_peft_model(
        AutoModelForCausalLM.from_pretrained(tmp_path / "base"),
        peft.LoraConfig(
            task_type="CAUSAL_LM",
            r=4,
            lora_alpha=5,
            lora_dropout=0.1,
            target_modules=["q_proj", "v_proj", "up_proj"],
            modules_to_save=saved,
            ensure_weight_tying=bool(saved),
        ),
    )
    shake(theirs)
    theirs.save_pretrained(tmp_path / "adapter")
    load_adapter(model, tmp_path / "adapter")
    torch.testing.assert_close(logits(model), logits(theirs), atol=2e-4, rtol=1e-4)


def test_a_classifier_learns_its_head_and_opens_in_peft(tmp_path):
    model = Classifier(CONFIG, ["no", "yes", "maybe"])
    shake(model)
    model.save_pretrained(tmp_path / "base")
    add_lora(model, LoraConfig(r=2))
    assert model.score.weight.requires_grad
    shake(model)
    save_adapter(model, tmp_path / "adapter")
    base = AutoModelForSequenceClassification.from_pretrained(tmp_path / "base", pad_token_id=2)
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    with torch.no_grad():
        ours = model.eval()(IDS, torch.full((3,), 19))
        torch.testing.assert_close(theirs(IDS).logits, ours, atol=2e-4, rtol=1e-4)


def test_how_little_is_trained():
    model = Transformer(CONFIG)
    weights = sum(p.numel() for p in model.parameters())
    add_lora(model, LoraConfig(r=8, target_modules=("q_proj", "v_proj")))
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained == 2 * 8 * ((32 + 32) + (32 + 16))  # two layers, r (in + out) of each matrix
    assert trained < 0.1 * weights
    merge_lora(model)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == weights


def test_what_cannot_be_adapted_is_one_line(tmp_path):
    model = Transformer(CONFIG)
    before = logits(model)
    with pytest.raises(FmkitError, match="no adapter to save"):
        save_adapter(model, tmp_path)
    with pytest.raises(FmkitError, match="no matrix 'qproj'"):
        add_lora(model, LoraConfig(target_modules=("qproj",)))
    with pytest.raises(FmkitError, match="r=0"):
        LoraConfig(r=0)
    with pytest.raises(FmkitError, match=r"adapter_config\.json is missing"):
        load_adapter(model, tmp_path)
    add_lora(model, LoraConfig())
    with pytest.raises(FmkitError, match="has an adapter already"):
        add_lora(model, LoraConfig())
    save_adapter(model, tmp_path)
    merge_lora(model)
    file = tmp_path / "adapter_config.json"
    sound = json.loads(file.read_text())
    for change, message in [
        ({"use_dora": True}, "use_dora"),
        ({"peft_type": "IA3"}, "'IA3'"),
        ({"target_modules": ".*proj"}, "lists of names"),
        ({"r": None}, "whole number"),
        ({"r": 5}, "shape"),
        ({"modules_to_save": ["embed_tokens"]}, "weights are missing"),
    ]:
        file.write_text(json.dumps(sound | change))
        with pytest.raises(FmkitError, match=message) as error:
            load_adapter(model, tmp_path)
        assert "\n" not in str(error.value)
        assert torch.equal(logits(model), before)
        assert find_lora(model) is None
