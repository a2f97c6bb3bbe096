"""The choice by log-likelihood is that of the formula, and of lm-eval on our checkpoint."""

import json
import os

import pytest
import torch

from fmkit import FmkitError, Transformer, asset
from fmkit.data.chat import encode_prompt
from fmkit.evaluation.choices import choice_log_probs, choose

QUESTIONS = [json.loads(line) for line in asset("benchmark/stories.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def base() -> Transformer:
    return Transformer.from_pretrained(asset("models/base"))


def test_log_probs_are_summed_over_tokens(base):
    prompt, choices = "Once upon a time, there was a", [" boy", " dreamy young girl", " x"]
    start = encode_prompt(prompt, base.tokenizer)
    expected = []
    for choice in choices:
        ids = [*start, *base.tokenizer.encode(choice, add_special_tokens=False).ids]
        with torch.no_grad():
            logs = base(torch.tensor([ids]))[0].log_softmax(-1)
        expected.append(sum(logs[i, ids[i + 1]].item() for i in range(len(start) - 1, len(ids) - 1)))
    assert choice_log_probs(base, base.tokenizer, prompt, choices) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("prompt", "choices", "said"),
    [
        ("a", [" b"], "give two or more"),
        ("a", [" b", ""], "none may be empty"),
        ("a " * 300, [" b", " c"], "256"),
    ],
)
def test_no_choice_is_one_line(base, prompt, choices, said):
    with pytest.raises(FmkitError, match=said):
        choose(base, base.tokenizer, prompt, choices)


@pytest.mark.slow
def test_lm_eval_agrees(base, monkeypatch):
    """The field's harness, on the task that the chapter shows; question by question."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setitem(os.environ, name, "1")
    lm_eval = pytest.importorskip("lm_eval")
    from lm_eval.tasks import TaskManager

    folder = asset("benchmark/stories.yaml").parent
    monkeypatch.chdir(folder.parent.parent)
    found = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(asset("models/base/config.json").parent), "add_bos_token": True},
        tasks=["stories"],
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        device="cpu",
        limit=60,
    )
    theirs = [sample["acc"] == 1 for sample in found["samples"]["stories"]]
    ours = [
        choose(base, base.tokenizer, q["beginning"], [f" {word}" for word in q["choices"]]) == q["key"]
        for q in QUESTIONS[:60]
    ]
    assert ours == theirs
