"""Any recipe as a widget, the Python side: every recipe is watched, stopped, refused, and told in code."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tasks import CHATS, PREFERENCES, QUESTIONS, SALES, all_texts, shape
from tokenizers import Tokenizer

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    TrainConfig,
    Transformer,
    add_chat_tokens,
    add_lora,
    align,
    continue_pretrain,
    distill,
    finetune,
    grpo,
    pretrain,
    train_reward,
    train_tokenizer,
)
from fmkit.config import FINETUNE
from fmkit.run import TrainingRun, watched
from fmkit.widgets import LiveLoss, RecipeLab

SMALL: dict[str, Any] = {"steps": 3, "batch_size": 4, "eval_every": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def toy_tokenizer() -> Tokenizer:
    return train_tokenizer(all_texts(), 320)


@pytest.fixture
def toy(toy_tokenizer: Tokenizer) -> Transformer:
    return Transformer(shape(toy_tokenizer))


def judge(prompts: list[Any], answers: list[str]) -> list[float]:
    return [float(len(answer)) for answer in answers]


def scorer(model: Transformer) -> Classifier:
    return Classifier.from_base(model, ("score",))


Case = tuple[Callable[..., TrainingRun], Callable[[Transformer], Any], Any, dict[str, Any], str]
CASES: dict[str, Case] = {
    "pretrain": (pretrain, lambda model: model, SALES, {}, "validation_loss"),
    "continue_pretrain": (continue_pretrain, lambda model: model, SALES, {"replay": SALES}, "replay_loss"),
    "finetune": (finetune, lambda model: model, QUESTIONS, {"mask_prompt": False}, "validation_loss"),
    "train_reward": (train_reward, scorer, PREFERENCES, {}, "reward_accuracy"),
    "align": (align, lambda model: model, PREFERENCES, {"beta": 0.3}, "kl"),
    "grpo": (
        grpo,
        lambda model: model,
        QUESTIONS,
        {"reward": judge, "num_generations": 2, "max_new_tokens": 4},
        "reward",
    ),
}


class Page:
    """A front end: what it was sent."""

    def __init__(self, widget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget, self.heard = widget, []
        monkeypatch.setattr(widget, "send", self.hear)

    def hear(self, message: dict[str, Any]) -> None:
        self.heard.append(json.loads(json.dumps(message, allow_nan=False)))

    def say(self, **message: Any) -> None:
        self.widget._receive(self.widget, message, [])

    def states(self) -> list[str]:
        return [message["state"] for message in self.heard if message["type"] == "run"]

    def points(self) -> list[Any]:
        points: list[Any] = []
        for message in self.heard:
            if message["type"] == "points":
                points[message["start"] :] = message["points"]
        return points


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_recipe_is_watched(
    name: str, toy: Transformer, toy_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, begin, data, settings, measure = CASES[name]
    lab = RecipeLab(recipe, begin(toy), toy_tokenizer, data, TrainConfig(**SMALL), **settings)
    page = Page(lab, monkeypatch)
    run = lab.train()
    assert run.ended.wait(60)
    assert (run.state, run.message) == ("finished", "")
    assert page.states() == ["preparing", "training", "finished"]
    assert [point[0] for point in page.points()] == [1, 2, 3]
    assert [step for step, _ in run.checks] == [2, 3]
    assert measure in run.checks[-1][1]
    assert run.training is not None
    assert [round(r["loss"], 3) for r in run.training.history] == [round(p[1], 3) for p in run.points]


def test_distillation_is_watched(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    with pytest.raises(FmkitError, match="distill needs teacher"):
        RecipeLab(distill, toy, toy_tokenizer, SALES)
    lab = RecipeLab(distill, toy, toy_tokenizer, SALES, TrainConfig(**SMALL), teacher=copy.deepcopy(toy))
    run = lab.train(temperature=3.0)
    assert run.ended.wait(60)
    assert run.state == "finished", run.message
    assert run.code.endswith("distill(model, tokenizer, data, config, teacher=teacher, temperature=3.0)")


def test_the_code_trains_the_same(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    """What a reader copies, run on the model that the lab was given, ends with the lab's weights."""
    lab = RecipeLab(finetune, toy, toy_tokenizer, QUESTIONS, TrainConfig(**SMALL))
    run = lab.train(lora_r=2, mask_prompt=False, seed=1, warmup_steps=0)
    assert run.ended.wait(60)
    assert run.state == "finished", run.message
    names: dict[str, Any] = {"model": copy.deepcopy(toy), "tokenizer": toy_tokenizer, "data": QUESTIONS}
    exec(run.code, names)
    assert run.training
    assert [r["loss"] for r in names["run"].history] == [r["loss"] for r in run.training.history]
    theirs = run.model.state_dict() if run.model else {}
    assert all(torch.equal(theirs[key], value) for key, value in names["model"].state_dict().items())


def test_runs_begin_with_the_same_model(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    before = copy.deepcopy(toy.state_dict())
    lab = RecipeLab(pretrain, toy, toy_tokenizer, SALES, TrainConfig(**SMALL))
    assert lab.train().ended.wait(60)
    assert lab.train(learning_rate=1e-3).ended.wait(60)
    one, other = ([point[1] for point in run.points] for run in lab.runs)
    assert one[0] == other[0]
    assert one[-1] != other[-1]
    assert all(torch.equal(before[name], value) for name, value in toy.state_dict().items())


def test_stop_keeps_what_was_learned(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    lab = RecipeLab(pretrain, toy, toy_tokenizer, SALES, TrainConfig(**{**SMALL, "steps": 100_000}))
    run = lab.train()
    with pytest.raises(FmkitError, match="run 1 is being trained"):
        lab.train(steps=5)
    lab.on_train({"steps": 5})  # of a second page
    lab.on_stop()
    assert run.ended.wait(60)
    assert run.state == "stopped"
    assert run.training
    assert run.training.interrupted
    assert 1 <= len(run.training.history) < 100_000
    assert lab.runs == [run]


def test_bad_settings_are_one_line(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    lab = RecipeLab(grpo, toy, toy_tokenizer, QUESTIONS, TrainConfig(**SMALL), reward=judge)
    run = lab.train(num_generations=8)
    assert run.ended.wait(60)
    assert run.state == "failed"
    assert run.message.startswith("batch_size=4 counts answers: it must be a multiple")
    again = lab.train(warmup_steps=500)
    assert again.ended.wait(60)
    assert again.message == "warmup_steps=500 must lie between 0 and steps=3"
    with pytest.raises(FmkitError, match="'rate' is not a setting of grpo: choose from learning_rate"):
        lab.train(rate=1)


def test_it_has_the_recipes_own_controls(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    lab = RecipeLab(finetune, toy, toy_tokenizer, QUESTIONS)
    controls = {control["name"]: control for control in lab.controls}
    main = [name for name, control in controls.items() if control["group"] == "main"]
    assert main == ["learning_rate", "batch_size", "steps", "lora_r", "mask_prompt"]
    assert lab.setting["learning_rate"] == FINETUNE["learning_rate"]
    assert controls["weight_decay"]["help"] == "decoupled decay of the matrices"
    assert controls["warmup_steps"]["values"][0] is lab.setting["warmup_steps"] is None
    assert all(lab.setting[name] in control["values"] for name, control in controls.items())
    add_lora(toy, LoraConfig(r=2))
    assert "lora_r" not in RecipeLab(finetune, toy, toy_tokenizer, QUESTIONS).setting


def test_it_knows_what_is_no_setting(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    for wrong in ({"betta": 0.1}, {"output_dir": "runs"}):
        with pytest.raises(FmkitError, match=r"is not a setting of align here: choose from beta, lora_r$"):
            RecipeLab(align, toy, toy_tokenizer, PREFERENCES, **wrong)


def test_live_loss_follows_each_run(
    toy: Transformer, toy_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveLoss(floor=0.5)
    page = Page(live, monkeypatch)
    with live:
        pretrain(toy, toy_tokenizer, SALES, TrainConfig(**SMALL))
        chats = add_chat_tokens(toy_tokenizer)
        toy.tokenizer = chats
        toy.resize_vocab(chats.get_vocab_size())
        second = finetune(toy, chats, CHATS, TrainConfig(**{**SMALL, "steps": 2}))
    pretrain(toy, chats, SALES, TrainConfig(**SMALL))  # after the block
    assert page.states() == ["preparing", "training", "finished"] * 2
    assert live.runs[1].training is second
    assert live.floor == 0.5


def test_live_loss_stops_and_saves(
    toy: Transformer, toy_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    live, config = LiveLoss(), TrainConfig(**{**SMALL, "steps": 50})
    monkeypatch.setattr(live, "_report", lambda run: len(run.points) == 2 and live.on_stop())
    with live:
        run = pretrain(toy, toy_tokenizer, SALES, config, output_dir=tmp_path / "a")
    assert run.interrupted
    assert len(run.history) == 3
    assert [path.name for path in (tmp_path / "a/checkpoints").iterdir()] == ["step-00000003"]
    assert live.runs[0].state == "stopped"


def test_live_loss_tells_what_broke(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    live = LiveLoss()
    with live, pytest.raises(FmkitError):
        pretrain(toy, toy_tokenizer, SALES, TrainConfig(**{**SMALL, "steps": 50}, learning_rate=1e30))
    live = LiveLoss()
    with pytest.raises(FmkitError, match="not finite"), live:
        pretrain(toy, toy_tokenizer, SALES, TrainConfig(**{**SMALL, "steps": 50}, learning_rate=1e30))
    assert live.runs[0].state == "failed"
    assert "not finite" in live.runs[0].message
    assert live.current is None


@pytest.mark.slow
def test_what_a_notebook_keeps_is_small(
    toy: Transformer, toy_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saved state has a hundred points, and none of what differs from machine to machine."""
    states = []
    for _ in range(2):
        live = LiveLoss()
        with live:
            model = copy.deepcopy(toy)
            pretrain(model, toy_tokenizer, SALES, TrainConfig(**{**SMALL, "steps": 250, "eval_every": 50}))
        states.append(json.dumps(live.saved))
    assert states[0] == states[1]
    assert len(states[0]) < 6000
    assert len(json.loads(states[0])[0]["points"]) <= 126


def test_a_watcher_ends_with_its_block(toy: Transformer, toy_tokenizer: Tokenizer) -> None:
    steps: list[int] = []
    with watched(lambda run, trainer: steps.append(trainer.step)):
        pretrain(toy, toy_tokenizer, SALES, TrainConfig(**SMALL))
    pretrain(toy, toy_tokenizer, SALES, TrainConfig(**SMALL))
    assert steps == [0, 1, 2, 3]
