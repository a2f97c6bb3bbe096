"""An adapter computes what peft computes, in peft's files, and learns little and enough."""

import json

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

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
from fmkit.cli import main
from fmkit.data.tokenizer import CHAT_TOKENS, save_tokenizer
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
def test_peft_opens_our_adapter(shape, lora, tmp_path):
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


@pytest.mark.parametrize(
    ("tied", "room"), [(True, 0), (False, 0), (True, 64)], ids=["tied", "untied", "a padded vocabulary"]
)
def test_an_adapter_brings_its_new_tokens(tied, room, tokenizer, tmp_path):
    size = tokenizer.get_vocab_size()
    shape = ModelConfig(vocab_size=size + room, hidden_size=32, num_hidden_layers=2, tie_word_embeddings=tied)
    base = Transformer(shape)
    base.tokenizer = tokenizer
    base.save_pretrained(tmp_path / "base")
    answer = {"role": "assistant", "content": "The fox."}
    chats = [{"messages": [{"role": "user", "content": f"Who saw {n}?"}, answer]} for n in range(20)]
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(chat) + "\n" for chat in chats))
    run = ["--data", str(tmp_path / "chats.jsonl"), "--out", str(tmp_path / "run"), "--lora-r", "2"]
    settings = ["--steps", "3", "--batch-size", "2", "--learning-rate", "0.1", "--device", "cpu"]
    assert main(["finetune", str(tmp_path / "base"), *run, *settings]) == 0
    tuned = Transformer.from_pretrained(tmp_path / "run")
    assert tuned.config.vocab_size == size + max(3, room)
    ids = torch.arange(size - 17, size + 3)[None]
    with torch.no_grad():
        ours = tuned.eval()(ids)
        assert (ours[..., :size] - base.eval()(ids.clamp(max=size - 1))[..., :size]).abs().max() > 0.1
        theirs = peft.AutoPeftModelForCausalLM.from_pretrained(tmp_path / "run/adapter").eval()
        assert AutoTokenizer.from_pretrained(tmp_path / "run/adapter").model_max_length == 256
        torch.testing.assert_close(theirs(input_ids=ids).logits, ours, atol=2e-4, rtol=1e-4)
        again = Transformer.from_pretrained(tmp_path / "base")
        load_adapter(again, tmp_path / "run/adapter")
        torch.testing.assert_close(again.eval()(ids), ours, atol=2e-4, rtol=1e-4)
    assert again.config == tuned.config
    assert again.tokenizer.token_to_id(CHAT_TOKENS[0]) == size


def test_new_tokens_that_do_not_fit(tmp_path):
    base = Transformer(UNTIED)
    before = logits(base)
    grown = Transformer(UNTIED)
    grown.resize_vocab(93)
    add_lora(grown, LoraConfig(r=2, modules_to_save=("embed_tokens", "lm_head")))
    save_adapter(grown, tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    sound = load_file(file)
    head = "base_model.model.lm_head.weight"
    for rows in (sound[head][:91], None):
        tensors = sound | {head: rows}
        save_file({name: t.contiguous() for name, t in tensors.items() if t is not None}, file)
        with pytest.raises(FmkitError, match="lm_head"):
            load_adapter(base, tmp_path)
        assert torch.equal(logits(base), before)
        assert base.config == UNTIED
        assert find_lora(base) is None


@pytest.mark.slow
def test_adapted_classifier_opens_in_peft(tmp_path):
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


def test_we_open_a_classifier_from_peft(tmp_path):
    """Its file names both heads that a classifier may have."""
    model = Classifier(CONFIG, ["no", "yes", "maybe"])
    model.save_pretrained(tmp_path / "base")
    base = AutoModelForSequenceClassification.from_pretrained(tmp_path / "base", pad_token_id=2)
    theirs = peft.get_peft_model(base, peft.LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["q_proj"]))
    shake(theirs)
    theirs.save_pretrained(tmp_path / "adapter")
    saved = json.loads((tmp_path / "adapter/adapter_config.json").read_text())["modules_to_save"]
    assert sorted(saved) == ["classifier", "score"]
    load_adapter(model, tmp_path / "adapter")
    with torch.no_grad():
        ours = model.eval()(IDS, torch.full((3,), 19))
    torch.testing.assert_close(logits(theirs), ours, atol=2e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "computed"),
    [
        ({"lora_dropout": 0.5}, True),
        ({"init_lora_weights": "gaussian"}, True),
        ({"init_lora_weights": "pissa"}, False),
        ({"use_rslora": True}, False),
        ({"use_dora": True}, False),
        ({"bias": "all"}, False),
        ({"lora_bias": True}, False),
        ({"rank_pattern": {"q_proj": 2}}, False),
        ({"alpha_pattern": {"q_proj": 2}}, False),
        ({"layers_to_transform": [0]}, False),
        ({"exclude_modules": ["layers.0.self_attn.q_proj"]}, False),
        ({"layer_replication": [(0, 2), (1, 2)]}, False),
        ({"trainable_token_indices": [1, 2]}, False),
        ({"target_parameters": ["mlp.up_proj.weight"]}, False),
    ],
    ids=str,
)
def test_peft_settings_work_or_are_refused(how, computed, tmp_path):
    model = Transformer(CONFIG)
    shake(model)
    model.save_pretrained(tmp_path / "base")
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    how = {"r": 4, "target_modules": ["q_proj", "v_proj"]} | how
    theirs = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **how))
    shake(theirs)
    theirs.save_pretrained(tmp_path / "adapter")
    if computed:
        load_adapter(model, tmp_path / "adapter")
        torch.testing.assert_close(logits(model), logits(theirs), atol=2e-4, rtol=1e-4)
    else:
        with pytest.raises(FmkitError, match=list(how)[-1]):
            load_adapter(model, tmp_path / "adapter")


def test_what_an_adapter_brings_too_much(tmp_path, tokenizer):
    base = Transformer(CONFIG)
    before = logits(base)
    adapted = Transformer(CONFIG)
    add_lora(adapted, LoraConfig(r=2, target_modules=("q_proj",)))
    save_adapter(adapted, tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    sound = load_file(file)
    save_file({name: t.to(torch.int8) for name, t in sound.items()}, file)
    with pytest.raises(FmkitError, match=r"lora_A.weight is quantized \(int8\)"):
        load_adapter(base, tmp_path)
    save_file(sound | {"base_model.model.v_head.weight": torch.ones(1)}, file)
    with pytest.raises(FmkitError, match=r"v_head.weight has no place"):
        load_adapter(base, tmp_path)
    save_file(sound, file)
    save_tokenizer(tokenizer, tmp_path)  # of 400 tokens
    with pytest.raises(FmkitError, match="of number 399, and the model has 90"):
        load_adapter(base, tmp_path)
    assert torch.equal(logits(base), before)
    assert find_lora(base) is None


def test_another_seed_is_another_beginning():
    models = [Transformer(CONFIG) for _ in range(3)]
    for model, seed in zip(models, (0, 1, 1), strict=True):
        add_lora(model, LoraConfig(r=2), seed=seed)
    first, second, again = (model.model.layers[0].self_attn.q_proj.lora_A for model in models)
    assert not torch.equal(first, second)
    assert torch.equal(second, again)


@pytest.mark.parametrize("targets", ["all-linear", ["all-linear"], "q_proj"])
def test_a_text_names_matrices_as_in_peft(targets, tmp_path):
    model = Transformer(CONFIG)
    model.save_pretrained(tmp_path)
    add_lora(model, LoraConfig(r=2, target_modules=targets))
    ours = sum(p.numel() for p in model.parameters() if p.requires_grad)
    # To peft, a text is a pattern of whole paths, unless it is all-linear, which is alone.
    known = "all-linear" if "all-linear" in targets else [targets]
    base = AutoModelForCausalLM.from_pretrained(tmp_path)
    theirs = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules=known))
    assert theirs.get_nb_trainable_parameters()[0] == ours


@pytest.mark.parametrize("name", ["target_modules", "modules_to_save"])
def test_a_text_is_not_its_letters(name):
    with pytest.raises(FmkitError, match=r"'\.\*proj'"):
        LoraConfig(**{name: ".*proj"})


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
    for rank in (0, 2.5, True):
        with pytest.raises(FmkitError, match=f"r={rank} must be a whole number"):
            LoraConfig(r=rank)
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
        ({"init_lora_weights": "pissa_niter_4"}, "init_lora_weights='pissa_niter_4'"),
        ({"alora_invocation_tokens": [5]}, "alora_invocation_tokens"),
        ({"bias": "all"}, "bias='all'"),
        ({"of_next_year": 1}, "of_next_year"),
        ({"peft_type": "IA3"}, "'IA3'"),
        ({"target_modules": ".*proj"}, "target_modules is '.*proj', not a list"),
        ({"target_modules": [1]}, "lists of names"),
        ({"target_modules": ["q_proj"]}, "no place"),
        ({"r": None}, "whole number"),
        ({"r": 5}, "rank r=5"),
        ({"modules_to_save": ["embed_tokens"]}, "weights are missing"),
    ]:
        file.write_text(json.dumps(sound | change))
        with pytest.raises(FmkitError, match=message) as error:
            load_adapter(model, tmp_path)
        assert "\n" not in str(error.value)
        assert torch.equal(logits(model), before)
        assert find_lora(model) is None


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        (Transformer, {"target_modules": ("q_proj", "lm_head")}, "no matrix 'lm_head'"),
        (Transformer, {"target_modules": ()}, "no matrix to adapt"),
        (Transformer, {"modules_to_save": ("mlp",)}, "'mlp' is never trained in full"),
        (Transformer, {"modules_to_save": ("norm",)}, "'norm' is never trained in full"),
        (Transformer, {"modules_to_save": ("score",)}, "no score .* choose from embed_tokens, lm_head"),
        (Classifier, {"target_modules": ("score",)}, "no matrix 'score'"),
        (Classifier, {"modules_to_save": ("lm_head",)}, "no lm_head .* choose from embed_tokens, score"),
    ],
)
def test_modules_that_cannot_be_trained(kind, config, message, tied):
    shape = CONFIG if tied else UNTIED
    model = Transformer(shape) if kind is Transformer else Classifier(shape, ["no", "yes"])
    with pytest.raises(FmkitError, match=message):
        add_lora(model, LoraConfig(**config))
    assert find_lora(model) is None
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_tied_head_is_named_embed_tokens():
    with pytest.raises(FmkitError, match="name embed_tokens"):
        add_lora(Transformer(CONFIG), LoraConfig(modules_to_save=("lm_head",)))
    add_lora(Transformer(UNTIED), LoraConfig(modules_to_save=("lm_head",)))
    add_lora(Transformer(CONFIG), LoraConfig(modules_to_save=("embed_tokens", "lm_head")))


def test_an_adapter_needs_its_own_place(model, tmp_path):
    model.save_pretrained(tmp_path)
    add_lora(model, LoraConfig())
    with pytest.raises(FmkitError, match="holds a model: save the adapter in a directory of its own"):
        save_adapter(model, tmp_path)
