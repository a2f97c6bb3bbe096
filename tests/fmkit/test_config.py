"""Configurations say what they mean, and refuse what does not fit together."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from fmkit import FmkitError, LoraConfig, ModelConfig, TrainConfig
from fmkit.config import choose_device, choose_dtype
from fmkit.optim import learning_rate


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hidden_size": 65}, "not divisible by num_attention_heads=4: try hidden_size=64"),
        ({"hidden_size": 12}, "must be even"),
        ({"num_key_value_heads": 3}, "not divisible by num_key_value_heads"),
        ({"vocab_size": 0}, "positive whole number"),
        ({"hidden_size": 64.0}, "hidden_size=64.0 must be a whole number"),
        ({"vocab_size": True}, "vocab_size=True must be a whole number"),
        ({"rope_theta": 0}, "rope_theta=0 must be a positive number"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps=nan must be a positive number"),
        ({"initializer_range": 10**400}, "must be a positive number"),
        ({"is_causal": 1}, "is_causal=1 must be true or false"),
    ],
)
def test_model_shapes_that_do_not_fit(fields, message):
    with pytest.raises(FmkitError, match=message):
        ModelConfig(**({"vocab_size": 10} | fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, "steps=0"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"warmup_steps": 700}, "warmup_steps"),
        ({"lr_scheduler_type": "linear"}, "choose from cosine, warmup_stable_decay"),
        ({"dtype": "float8"}, "choose from float32, bfloat16"),
        ({"adam_beta1": 1.5}, "adam_beta1"),
        ({"checkpoint_every": 0}, "checkpoint_every"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
    ],
)
def test_training_settings_out_of_range(fields, message):
    with pytest.raises(FmkitError, match=message):
        TrainConfig(**fields)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (
            TrainConfig(steps=np.int64(9), learning_rate=np.float32(0.5)),
            TrainConfig(steps=9, learning_rate=0.5),
        ),
        (TrainConfig(seed=torch.tensor(3), compile=np.True_), TrainConfig(seed=3, compile=True)),
        (TrainConfig(device=torch.device("cuda", 1)), TrainConfig(device="cuda:1")),
        (TrainConfig(dtype=torch.bfloat16), TrainConfig(dtype="bfloat16")),
        (TrainConfig(device="auto", dtype="auto"), TrainConfig()),
        (ModelConfig(np.int32(10), rope_theta=np.float64(5e5)), ModelConfig(10, rope_theta=5e5)),
        (LoraConfig(np.int64(4), target_modules=["q_proj"]), LoraConfig(4, target_modules=("q_proj",))),
    ],
)
def test_settings_of_other_types_are_taken(given, plain):
    assert given == plain
    assert json.dumps(asdict(given)) == json.dumps(asdict(plain))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TrainConfig(steps="600"), "steps='600' must be a whole number"),
        (lambda: TrainConfig(steps=1e3), "steps=1000.0 must be a whole number"),
        (lambda: TrainConfig(steps=True), "steps=True must be a whole number"),
        (lambda: TrainConfig(seed=None), "seed=None must be a whole number"),
        (lambda: TrainConfig(learning_rate="1e-3"), "learning_rate='1e-3' must be a number"),
        (lambda: TrainConfig(adam_beta1=(0.9, 0.95)), "adam_beta1=.* must be a number"),
        (lambda: TrainConfig(lr_scheduler_type=["cosine"]), "lr_scheduler_type=.* must be text"),
        (lambda: TrainConfig(compile="yes"), "compile='yes' must be true or false"),
        (lambda: TrainConfig(dtype=torch.float16), "dtype='float16' is unknown: choose from float32"),
        (lambda: TrainConfig(betas=(0.9, 0.95)), "has no 'betas': give adam_beta1 and adam_beta2"),
        (lambda: TrainConfig(max_steps=9), "TrainConfig has no 'max_steps': give steps"),
        (lambda: TrainConfig(learnig_rate=9), "TrainConfig has no 'learnig_rate': give learning_rate"),
        (lambda: ModelConfig(9, n_layer=9), "ModelConfig has no 'n_layer': give num_hidden_layers"),
        (lambda: LoraConfig(r="8"), "r='8' must be a whole number"),
        (lambda: LoraConfig(target_modules=None), "target_modules=None must be a name or a list of names"),
        (lambda: LoraConfig(lora_dropout=0.1), "has no 'lora_dropout': give one of r, lora_alpha, target"),
    ],
)
def test_settings_that_are_not_understood(make, message):
    with pytest.raises(FmkitError, match=message):
        make()


def test_cosine_rises_and_falls():
    config = TrainConfig(steps=100, warmup_steps=10, learning_rate=1.0, min_lr_ratio=0.1)
    rates = [learning_rate(step, config) for step in range(1, 101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == max(rates) == 1.0
    assert rates[54] == pytest.approx(0.55)  # half way down
    assert rates[-1] == pytest.approx(0.1)
    assert rates[9:] == sorted(rates[9:], reverse=True)


def test_warmup_stable_decay():
    config = TrainConfig(
        steps=100,
        warmup_steps=10,
        learning_rate=1.0,
        min_lr_ratio=0.0,
        lr_scheduler_type="warmup_stable_decay",
    )
    rates = [learning_rate(step, config) for step in range(1, 101)]
    assert set(rates[9:80]) == {1.0}
    assert rates[89] == pytest.approx(0.5)
    assert rates[-1] == 0.0


def test_schedules_of_one_step():
    for kind in ("cosine", "warmup_stable_decay"):
        for warmup in (0, 1):
            config = TrainConfig(steps=1, warmup_steps=warmup, lr_scheduler_type=kind)
            assert 0 < learning_rate(1, config) <= config.learning_rate


def test_device_and_dtype_that_are_available(monkeypatch):
    monkeypatch.setattr("fmkit.config._reproducible", False)  # as in a new process
    with pytest.raises(FmkitError, match=r"choose from .*cpu"):
        choose_device("tpu")
    cpu = torch.device("cpu")
    assert choose_device("cpu") == cpu
    assert choose_dtype(cpu, 64) == torch.float32  # too small to pay
    assert choose_dtype(cpu, 64, "bfloat16") == torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    assert choose_dtype(cpu, 1024) == (torch.bfloat16 if native else torch.float32)


@pytest.mark.slow
def test_reproducible_fixes_all_it_says():
    code = """
import random, numpy, torch, fmkit
from fmkit.config import choose_device, choose_dtype
fmkit.reproducible(7)
print(random.random(), numpy.random.rand(), torch.rand(1).item(), torch.get_num_threads(),
      choose_device(), choose_dtype(torch.device("cuda"), 1024))
"""
    first, second = (subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(2))
    assert first == second
    assert first.split()[3:] == ["1", "cpu", "torch.float32"]


@pytest.mark.parametrize(
    ("config", "change", "name", "expected"),
    [
        (ModelConfig(10), {"hidden_size": 512}, "intermediate_size", 1408),
        (ModelConfig(10, intermediate_size=70), {"hidden_size": 512}, "intermediate_size", 70),
        (ModelConfig(10), {"num_attention_heads": 8}, "num_key_value_heads", 8),
        (ModelConfig(10, num_key_value_heads=2), {"num_attention_heads": 8}, "num_key_value_heads", 2),
        (ModelConfig(10), {"hidden_size": 512}, "head_dim", 128),
        (ModelConfig(10, head_dim=32), {"hidden_size": 512}, "head_dim", 32),
        (TrainConfig(steps=600), {"steps": 20}, "warmup_steps", 1),
        (TrainConfig(steps=600, warmup_steps=7), {"steps": 20}, "warmup_steps", 7),
        (TrainConfig(steps=600), {"steps": 20}, "eval_every", 2),
        (TrainConfig(steps=600, eval_every=5), {"steps": 20}, "eval_every", 5),
    ],
)
def test_replace_derives_what_was_not_given(config, change, name, expected):
    changed = replace(replace(config, **change), **change)  # also of what was changed before
    assert getattr(changed, name) == expected


def test_derived_values_are_saved_as_numbers():
    assert json.loads(json.dumps(asdict(TrainConfig(steps=600))))["warmup_steps"] == 30
    assert json.loads(json.dumps(ModelConfig(10).to_hugging_face()))["intermediate_size"] == 704
