"""A chat model of others stays one: what every command makes of it, real transformers lays out as before."""

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from chat_families import TALK, write
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from fmkit import (
    LoraConfig,
    ModelConfig,
    TrainConfig,
    Transformer,
    add_lora,
    finetune,
    load_adapter,
    load_examples,
)
from fmkit.cli import main
from fmkit.data.chat import chat_prompt, encode_chat, end_ids
from fmkit.data.tokenizer import conventions, load_tokenizer
from fmkit.evaluation.answers import answer_messages, probability_of
from fmkit.generation import generate, generate_ids, reply
from fmkit.lora import save_adapter

SIZES: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 1, "max_position_embeddings": 128}
ENDS = [0, 4, 2]  # of Phi-3's: <|endoftext|>, <|end|>, <|user|>
ONCE = ["--steps", "1", "--batch-size", "2", "--device", "cpu"]
ASKED = TALK[:2]


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with Phi-3's template, whose tokens have the names of ours, in transformers' files."""
    directory = write(tmp_path_factory.mktemp("phi"), "phi-3")
    size = load_tokenizer(directory).get_vocab_size()
    Transformer(ModelConfig(vocab_size=size, **SIZES)).save_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(directory)
    model.generation_config.eos_token_id = model.config.eos_token_id = ENDS
    model.save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    talks = [{"messages": [*TALK[:3], {**TALK[3], "content": f"And {i}?"}, TALK[4]]} for i in range(12)]
    pairs = [
        {"prompt": TALK[:2], "chosen": [TALK[2]], "rejected": [{**TALK[4], "content": f"Never {i}."}]}
        for i in range(12)
    ]
    for name, rows in (("talks", talks), ("pairs", pairs)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "texts.txt").write_text("The owl sang by the river.\n\n" * 200)
    return folder


def command(name: str, model: Path, data: Path, out: Path) -> list[str]:
    small = ["--hidden-size", "32", "--num-hidden-layers", "1", "--max-position-embeddings", "128"]
    groups = ["--num-generations", "2", "--max-new-tokens", "4"]
    arguments = {
        "finetune": [model, "--data", data / "talks.jsonl"],
        "continue": [model, "--corpus", data / "texts.txt"],
        "distill": [model, "--data", data / "talks.jsonl", *small],
        "reward": [model, "--data", data / "pairs.jsonl"],
        "align": [model, "--data", data / "pairs.jsonl"],
        "grpo": [model, "--data", data / "talks.jsonl", "--reward-model", out.parent / "reward", *groups],
    }[name]
    return [name, *map(str, arguments), "--out", str(out), *ONCE]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["finetune", "continue", "distill", "reward", "align", "grpo"])
def test_every_command_keeps_a_chat_model(name: str, chat_model: Path, data: Path, tmp_path: Path) -> None:
    if name == "grpo":
        assert main(command("reward", chat_model, data, tmp_path / "reward")) == 0
    assert main(command(name, chat_model, data, tmp_path / "out")) == 0
    before, after = (AutoTokenizer.from_pretrained(path) for path in (chat_model, tmp_path / "out"))
    assert after.get_vocab() == before.get_vocab()
    assert after.special_tokens_map == before.special_tokens_map
    for how in ({}, {"add_generation_prompt": True}):
        assert after.apply_chat_template(TALK, **how) == before.apply_chat_template(TALK, **how)
    assert set(AutoConfig.from_pretrained(tmp_path / "out").eos_token_id) == set(ENDS)
    assert conventions(load_tokenizer(tmp_path / "out")).chat_template == before.chat_template


@pytest.mark.slow
def test_every_use_of_a_chat_model(chat_model: Path, data: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    prompts, asked = str(data / "talks.jsonl"), load_examples(data / "talks.jsonl")["train"]
    monkeypatch.setattr("sys.stdin", io.StringIO("Does it sing?\nWhy?\n"))
    sampled = ["--temperature", "1", "--seed", "1", "--max-new-tokens", "9"]
    for line in (
        ["chat", str(chat_model), "--max-new-tokens", "4"],
        ["generate", str(chat_model), "--prompt", "It sang", "--max-new-tokens", "4"],
        ["write", str(chat_model), "--prompts", prompts, "--out", str(tmp_path / "said.jsonl"), *sampled],
        ["evaluate", str(chat_model), "--data", prompts],
    ):
        assert main([*line, "--device", "cpu"]) == 0
    assert "exact_match" in capsys.readouterr().out
    assert load_examples(tmp_path / "said.jsonl")["train"]["messages"][0][:-1] == asked["messages"][0][:-1]


@pytest.mark.slow
def test_a_chat_model_learns_and_stops(chat_model: Path, data: Path) -> None:
    model = Transformer.from_pretrained(chat_model)
    config = TrainConfig(steps=60, learning_rate=1e-2, eval_every=60, device="cpu")
    assert model.tokenizer is not None
    finetune(model, model.tokenizer, load_examples(data / "talks.jsonl"), config)
    assert reply(model, model.tokenizer, ASKED) == TALK[2]["content"]
    (said,), (sure,) = answer_messages(model, model.tokenizer, [ASKED])
    assert said == TALK[2]["content"]
    assert probability_of(model, model.tokenizer, [ASKED], said) == pytest.approx([sure], rel=1e-4)


@pytest.mark.parametrize("end", ENDS)
def test_any_end_stops_an_answer(end: int, chat_model: Path, monkeypatch) -> None:
    model = Transformer.from_pretrained(chat_model)
    tokenizer = model.tokenizer
    assert tokenizer is not None
    assert set(end_ids(tokenizer)) == set(ENDS)
    word, turns = tokenizer.token_to_id("a"), iter(range(100))
    monkeypatch.setattr(
        "fmkit.generation.pick",
        lambda logits, *_: logits.argmax(-1) * 0 + (end if next(turns) % 3 == 2 else word),
    )
    assert reply(model, tokenizer, ASKED) == "aa"
    assert generate(model, tokenizer, "a") == "aaa"
    asked = chat_prompt(ASKED, tokenizer)
    assert generate_ids(model, [asked], 9, eos_id=ENDS, keep_end=True) == [[word, word, end]]


def test_an_adapter_keeps_what_ends_a_text(chat_model: Path, tmp_path: Path) -> None:
    model = Transformer.from_pretrained(chat_model)
    add_lora(model, LoraConfig(2))
    save_adapter(model, tmp_path)
    again = Transformer.from_pretrained(chat_model)
    load_adapter(again, tmp_path)
    assert again.tokenizer is not None
    assert model.tokenizer is not None
    assert conventions(again.tokenizer) == conventions(model.tokenizer)
    assert encode_chat(TALK, again.tokenizer) == encode_chat(TALK, model.tokenizer)


def test_a_copied_model_keeps_its_tokenizer(chat_model: Path) -> None:
    model = Transformer.from_pretrained(chat_model)
    copied = copy.deepcopy(model)
    assert copied.tokenizer is model.tokenizer
    assert copied.model is not model.model
    assert all(map(torch.equal, copied.parameters(), model.parameters()))
