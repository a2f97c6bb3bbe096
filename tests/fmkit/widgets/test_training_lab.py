"""The Python side of the training lab: threads, messages, errors. A fake lab makes the steps quick."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from fmkit.config import ModelConfig
from fmkit.errors import FmkitError
from fmkit.flops import num_parameters
from fmkit.widgets import FinetuningLab, TrainingLab, text_lab, training_lab
from fmkit.widgets.run_widget import Settings

SETTING: Settings = {"learning_rate": 0.003, "batch_size": 2, "steps": 40}


@dataclass
class FakeTrainer:
    """Steps without arithmetic; step 5 waits for the gate."""

    setting: Settings
    gate: threading.Event
    step: int = 0

    @property
    def config(self) -> Any:
        return SimpleNamespace(steps=self.setting["steps"], eval_every=20)

    def run(self) -> Iterator[dict[str, Any]]:
        while self.step < self.setting["steps"]:
            self.step += 1
            if self.step == 5:
                self.gate.wait(10)
            if self.setting["learning_rate"] > 1 and self.step == 7:
                raise FmkitError("step 7: loss inf, gradient norm inf: not finite; lower learning_rate")
            yield {"loss": 6.0 - self.step / 100}

    def evaluate(self, _: Any) -> float:
        return 5.5


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    gate = threading.Event()
    fake = SimpleNamespace(
        floor=0.3,
        validation=[],
        trainer=lambda **setting: FakeTrainer(setting, gate),
        place=lambda trainer: 256 * trainer.step,
        write=lambda trainer: {"text": f"after {trainer.step}"},
    )
    monkeypatch.setattr(training_lab, "story_lab", lambda size: fake)
    return gate


class Page:
    """A front end: what it was sent, and a way to wait for the end of a run."""

    def __init__(self, lab: TrainingLab, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lab, self.heard, self.ended = lab, [], threading.Event()
        monkeypatch.setattr(lab, "send", self.hear)

    def hear(self, message: dict[str, Any]) -> None:
        self.heard.append(json.loads(json.dumps(message, allow_nan=False)))
        if message["type"] == "run" and message["state"] not in ("preparing", "training"):
            self.ended.set()

    def say(self, **message: Any) -> None:
        self.lab._receive(self.lab, message, [])

    def train(self, **changes: Any) -> None:
        self.ended.clear()
        self.say(type="train", setting=SETTING | changes)

    def points(self) -> list[Any]:
        points: list[Any] = []
        for message in self.heard:
            if message["type"] == "points":
                points[message["start"] :] = message["points"]
        return points


@pytest.fixture
def page(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(TrainingLab(), monkeypatch)


def test_its_printed_form_is_a_sentence() -> None:
    assert repr(TrainingLab()) == "Training lab: 80,112 parameters learn from 6,000 stories"


def test_its_names_are_the_same_in_each_run() -> None:
    lab = TrainingLab()
    assert lab.model_id.startswith("fmkit-TrainingLab-")
    assert lab.layout.model_id == f"{lab.model_id}-layout"


def test_a_run_sends_points_in_few_messages(page: Page, gate: threading.Event) -> None:
    gate.set()
    page.train()
    assert page.ended.wait(10)
    assert page.points() == [[256 * step, round(6.0 - step / 100, 3)] for step in range(1, 41)]
    assert len([m for m in page.heard if m["type"] == "points"]) < 10
    states = [m["state"] for m in page.heard if m["type"] == "run"]
    assert states == ["preparing", "training", "finished"]
    assert page.heard[-1]["checks"] == [[256 * 20, 5.5], [256 * 40, 5.5]]


def test_the_page_hears_what_it_writes(page: Page, gate: threading.Event) -> None:
    gate.set()
    page.train()
    assert page.ended.wait(10)
    assert [m["story"] for m in page.heard if m["type"] == "points"][-1] == {"text": "after 40"}


@pytest.mark.slow
@pytest.mark.parametrize("hidden_size", [24, 48, 64, 96])
def test_a_size_is_trained_and_writes(hidden_size: int) -> None:
    """As the page's own engine does: the sizes that it knows are those of Python."""
    lab = text_lab.story_lab()
    setting = {"learning_rate": 0.003, "batch_size": 2, "steps": 3, "hidden_size": hidden_size}
    trainer = lab.trainer(**setting)
    assert len(list(trainer.run())) == 3
    (size,) = (one for one in TrainingLab().sizes if one["hidden_size"] == hidden_size)
    assert num_parameters(trainer.model.config) == size["parameters"]
    story = lab.write(trainer)
    assert story is not None
    assert story["wrong"]
    assert 0 < len(story["expected"]) <= 5


def test_cells_run_while_it_trains(page: Page, gate: threading.Event) -> None:
    page.train()
    run = page.lab.current
    assert run is not None
    assert run.state in ("preparing", "training")
    page.say(type="stop")
    gate.set()
    assert page.ended.wait(10)
    assert run.state == "stopped"
    assert len(page.points()) == len(run.points) < SETTING["steps"]
    assert page.lab.current is None


def test_one_run_at_a_time(page: Page, gate: threading.Event) -> None:
    page.train()
    page.train(steps=10)
    gate.set()
    assert page.ended.wait(10)
    assert [run.setting["steps"] for run in page.lab.runs] == [SETTING["steps"]]


def test_a_run_that_diverges_is_reported(page: Page, gate: threading.Event) -> None:
    gate.set()
    page.train(learning_rate=10.0)
    assert page.ended.wait(10)
    assert page.heard[-1]["state"] == "failed"
    assert page.heard[-1]["message"].startswith("step 7: loss inf")
    assert len(page.points()) == 6
    page.train()
    assert page.ended.wait(10)
    assert [run.state for run in page.lab.runs] == ["failed", "finished"]


def test_a_bad_setting_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(
        floor=0.3, trainer=lambda **_: (_ for _ in ()).throw(FmkitError("steps=0 must be 1"))
    )
    monkeypatch.setattr(training_lab, "story_lab", lambda size: fake)
    page = Page(TrainingLab(), monkeypatch)
    page.train(steps=0)
    assert page.ended.wait(10)
    assert page.heard[-1]["message"] == "steps=0 must be 1"


def test_a_reloaded_page_gets_the_runs(page: Page, gate: threading.Event) -> None:
    gate.set()
    page.train()
    assert page.ended.wait(10)
    page.say(type="ping")
    pong = page.heard[-1]
    assert pong["type"] == "pong"
    assert [len(run["points"]) for run in pong["runs"]] == [SETTING["steps"]]
    page.say(type="remove", number=pong["runs"][0]["number"])
    assert not page.lab.runs


def test_two_labs_train_at_once(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [Page(TrainingLab(), monkeypatch) for _ in range(2)]
    for page in pages:
        page.train()
    assert all(page.lab.current for page in pages)
    gate.set()
    assert all(page.ended.wait(10) for page in pages)
    assert [len(page.points()) for page in pages] == [SETTING["steps"]] * 2


def test_it_trains_a_model_of_any_size(stories, monkeypatch: pytest.MonkeyPatch) -> None:
    size = ModelConfig(
        vocab_size=300, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=32
    )
    page = Page(TrainingLab(stories, size), monkeypatch)
    assert repr(page.lab).endswith("parameters learn from 600 texts")
    assert not page.lab.recording  # the recorded runs are of another model
    page.train(batch_size=1, steps=2)
    assert page.ended.wait(60)
    assert page.heard[-1]["state"] == "finished", page.heard[-1]
    assert len(page.points()) == 2
    assert page.lab.floor is None


@pytest.mark.slow
def test_the_shop_lab_learns_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(FinetuningLab(), monkeypatch)
    assert repr(page.lab).endswith("parameters learn 200 answers of a shop")
    page.ended.clear()
    page.say(type="train", setting={"learning_rate": 0.003, "batch_size": 64, "epochs": 2})
    assert page.ended.wait(60)
    assert page.heard[-1]["state"] == "finished", page.heard[-1]
    assert [place for place, _ in page.heard[-1]["checks"]] == [0.96, 1.92]
    assert page.lab.floor is not None
    assert 0 < page.lab.floor < 0.2


def test_its_held_out_questions_are_new() -> None:
    lab = text_lab.shop_lab()
    tokenizer = lab.model().tokenizer
    assert tokenizer is not None
    answer = tokenizer.token_to_id("<|assistant|>")

    def question(ids: list[int]) -> tuple[int, ...]:
        return tuple(ids[: ids.index(answer)])

    learned = {question(row["input_ids"]) for row in lab.examples}
    batches = [batch["input_ids"] for batch in (*lab.validation, *lab.test)]
    held_out = [question(row) for ids in batches for row in ids.tolist()]
    assert len(held_out) == text_lab.HELD_OUT + text_lab.TESTED
    assert not learned & set(held_out)
