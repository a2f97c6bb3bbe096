"""What a run reports, and how it ends: in Python. As a command, killed and resumed: test_resume.py."""

import json
import re
import signal
import textwrap
import threading
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import fmkit.recipes
from fmkit import FmkitError, TrainConfig, Transformer, pretrain
from fmkit.data.batches import make_loader
from fmkit.objectives import language_modeling
from fmkit.run import TrainingRun, fit, watched
from fmkit.trainer import Trainer


def trainer_of(model, stories, tokenizer, **settings) -> Trainer:
    loader = make_loader(stories["train"], tokenizer, 2, 64, seed=0)
    return Trainer(model, language_modeling, loader, TrainConfig(batch_size=2, **settings))


@pytest.fixture
def usual_interrupt():
    """As at a terminal: a job in the background of a script is started with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_interrupt")
def test_interrupt_without_a_directory(model, stories, tokenizer):
    """It must not return as if it were done: what comes after it, the next of many runs, would go on."""
    trainer = trainer_of(model, stories, tokenizer, steps=5, eval_every=2)
    with pytest.raises(KeyboardInterrupt):
        fit(trainer, lambda: signal.raise_signal(signal.SIGINT) or {})
    assert trainer.step == 2


@pytest.mark.usefixtures("usual_interrupt")
def test_first_interrupt_saves_second_kills(model, stories, tokenizer, tmp_path):
    heard = trainer_of(model, stories, tokenizer, steps=5, eval_every=2)
    assert fit(heard, lambda: signal.raise_signal(signal.SIGINT) or {}, tmp_path / "heard").interrupted
    assert (heard.step, len(list((tmp_path / "heard/checkpoints").iterdir()))) == (2, 1)
    killed = trainer_of(model, stories, tokenizer, steps=5, eval_every=2)
    with pytest.raises(KeyboardInterrupt):
        fit(killed, lambda: [signal.raise_signal(signal.SIGINT) for _ in range(2)] and {}, tmp_path / "run")
    assert not (tmp_path / "run/checkpoints").exists()


# --- a run that goes on with other settings ---------------------------------------------------------------

BEGUN = {"steps": 6, "lr_scheduler_type": "warmup_stable_decay", "decay_ratio": 0.34, "checkpoint_every": 2}


def begin(trainer: Trainer, directory: Path, steps: int) -> None:
    """Train by the trainer's configuration and end after some steps."""

    def stop(run: TrainingRun, trainer: Trainer) -> None:
        if trainer.step == steps:
            run.stop()

    with watched(stop):
        fit(trainer, dict, directory)


@pytest.fixture
def go_on(model_config, stories, tokenizer, tmp_path):
    """Begin the run `BEGUN`, end after some steps, and go on with other settings; returns the trainer."""

    def run(done: int, **settings) -> Trainer:
        begin(trainer_of(Transformer(model_config), stories, tokenizer, **BEGUN), tmp_path / "run", done)
        trainer = trainer_of(Transformer(model_config), stories, tokenizer, **BEGUN | settings)
        fit(trainer, dict, tmp_path / "run", resume=True)
        return trainer

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("done", "settings"),
    [
        (4, {"steps": 12}),
        (4, {"steps": 5, "decay_ratio": 0.2}),
        (4, {"steps": 8, "decay_ratio": 0.5, "min_lr_ratio": 0.0}),
        (2, {"steps": 40}),  # its own warm-up would have two steps
    ],
    ids=["longer", "shorter", "decay", "warm-up"],
)
def test_schedule_may_change_ahead(done, settings, go_on, model_config, stories, tokenizer, tmp_path, capsys):
    longer = go_on(done, **settings)
    assert f"training.steps was 6 and is {settings['steps']}" in capsys.readouterr().err
    whole = trainer_of(
        Transformer(model_config), stories, tokenizer, **BEGUN | settings | {"warmup_steps": 0}
    )
    fit(whole, dict, tmp_path / "whole")
    ends = [tmp_path / run / f"checkpoints/step-{settings['steps']:08d}" for run in ("run", "whole")]
    for file in ("model.safetensors", "training.safetensors", "training.json"):
        assert (ends[0] / file).read_bytes() == (ends[1] / file).read_bytes(), file
    assert longer.step == settings["steps"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("done", "settings", "message"),
    [
        (4, {"steps": 3}, "4 steps are done, and steps=3 is fewer"),
        (
            4,
            {"lr_scheduler_type": "cosine"},
            "lr_scheduler_type was warmup_stable_decay and is cosine: step 1",
        ),
        (4, {"steps": 12, "warmup_steps": 2}, "warmup_steps was 0 and is 2: step 1"),
        (4, {"learning_rate": 1e-3}, r"learning_rate was 0\.003 and is 0\.001"),
        (4, {"gradient_accumulation_steps": 2}, "gradient_accumulation_steps was 1 and is 2"),
        (4, {"weight_decay": 0.0}, "weight_decay was 0.1 and is 0"),
        (4, {"adam_beta2": 0.9}, "adam_beta2 was"),
        (4, {"max_grad_norm": 2.0}, "max_grad_norm was"),
        (4, {"seed": 1}, "seed was 0 and is 1"),
        (4, {"eval_rows": 2}, "eval_rows was 64 and is 2"),
        (4, {"dtype": "bfloat16"}, "dtype was float32 and is bfloat16"),
        (4, {"compile": True}, "compile was False and is True"),
    ],
)
def test_the_past_must_stay_the_same(done, settings, message, go_on, tmp_path):
    with pytest.raises(FmkitError, match=message):
        go_on(done, **settings)
    assert json.loads((tmp_path / "run/run.json").read_text())["training"]["steps"] == 6


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"eval_every": 1}, {"checkpoint_every": 1}, {"device": "cpu"}])
def test_reports_may_change(settings, go_on, capsys):
    assert go_on(4, **settings).step == 6
    assert capsys.readouterr().err == ""


def test_another_machine_is_another_run(go_on, monkeypatch):
    """A run on the best device, in the faster format, must not go on in another as if it were the same."""
    formats = iter([torch.float32, torch.bfloat16])
    monkeypatch.setattr("fmkit.trainer.choose_dtype", lambda *_: next(formats))
    with pytest.raises(FmkitError, match=r"training\.dtype was float32 and is bfloat16: give the same"):
        go_on(4)


def test_thread_leaves_signals_alone(model, stories, tokenizer, tmp_path):
    trainer = trainer_of(model, stories, tokenizer, steps=1)
    thread = threading.Thread(target=fit, args=(trainer, dict, tmp_path / "run"))
    thread.start()
    thread.join()
    assert (tmp_path / "run/model.safetensors").is_file()


def test_non_finite_loss_keeps_the_weights(model, stories, tokenizer, tmp_path):
    model.tokenizer = tokenizer

    def explode(model, batch):
        loss = language_modeling(model, batch)
        return loss * float("nan") if trainer.step == 6 else loss

    loader = make_loader(stories["train"], tokenizer, 2, 64, seed=0)
    trainer = Trainer(model, explode, loader, TrainConfig(steps=10, checkpoint_every=3))
    with pytest.raises(FmkitError, match=r"step 7: loss nan.*lower learning_rate"):
        fit(trainer, dict, tmp_path / "run")
    saved = load_file(tmp_path / "run/checkpoints/step-00000006/model.safetensors")
    assert all(torch.equal(saved[name], tensor) for name, tensor in model.weights().items())


@pytest.mark.parametrize("found", ["weights", "validation"])
def test_non_finite_end_is_not_saved(found, model, stories, tokenizer, tmp_path):
    """An update that ruins the model shows in the loss of the next step: after the last one there is none."""
    rate = 1e300 if found == "weights" else 1e-3
    settings = {"steps": 4, "checkpoint_every": 3, "eval_every": 4, "warmup_steps": 4}
    trainer = trainer_of(model, stories, tokenizer, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fmkit.trainer.learning_rate", lambda step, config: rate if step == 4 else 1e-3)
        with pytest.raises(FmkitError, match=r"step 4: .*not finite"):
            fit(trainer, lambda: {"validation_loss": float("nan")}, tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000003"]
    assert not (tmp_path / "model.safetensors").exists()
    saved = load_file(tmp_path / "checkpoints/step-00000003/model.safetensors")
    assert all(tensor.isfinite().all() for tensor in saved.values())


@pytest.mark.slow
def test_history_metrics_and_sentence(model, stories, tokenizer, tmp_path):
    config = TrainConfig(steps=40, batch_size=2, context_length=64, learning_rate=1e-2, eval_every=15)
    run = pretrain(model, tokenizer, stories, config, output_dir=tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert lines == run.history
    assert [record["step"] for record in lines] == list(range(1, 41))
    expected = {"step", "tokens", "loss", "learning_rate", "grad_norm", "tokens_per_second", "mfu"}
    assert all(record.keys() - {"validation_loss"} == expected for record in lines)
    assert [r["step"] for r in lines if "validation_loss" in r] == [15, 30, 40]
    assert all(a["tokens"] < b["tokens"] for a, b in pairwise(lines))
    assert lines[0]["mfu"] is None  # no peak is known of a CPU
    assert run.summary.startswith("loss 6.0 → ")
    assert "over 40 steps, validation" in run.summary
    plot = run.plot()
    assert repr(plot) == run.summary
    bundle = plot._repr_mimebundle_()
    assert f'aria-label="{run.summary}"' in bundle["text/html"]
    assert bundle["text/html"] == plot._repr_mimebundle_()["text/html"]
    plot.save(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


# --- callbacks --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_callbacks_get_each_record(model, stories, tokenizer, tmp_path):
    seen, config = [], TrainConfig(steps=4, batch_size=2, context_length=64, eval_every=2, device="cpu")
    first = [seen.append, lambda record: record.clear()]  # which is its own
    run = pretrain(model, tokenizer, stories, config, output_dir=tmp_path / "run", callbacks=first)
    assert seen == run.history
    seen.clear()
    run = pretrain(model, tokenizer, stories, config, callbacks=[seen.append])
    assert seen == run.history
    assert [("validation_loss" in record) for record in seen] == [False, True, False, True]
    for wrong in (print, [print, "wandb"]):
        with pytest.raises(FmkitError, match=r"a list of functions .* callbacks=\[print\]"):
            pretrain(model, tokenizer, stories, config, callbacks=wrong)


@pytest.mark.slow
def test_tensorboard_draws_a_run(model, stories, tokenizer, tmp_path, monkeypatch):
    """By the lines that the recipes' documentation has."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    documented = re.search(r"^    from torch.*?close\(\)$", fmkit.recipes.__doc__, re.M | re.S)[0]
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(steps=3, batch_size=2, context_length=64, device="cpu")
    runs = []
    names = {"pretrain": lambda *a, **b: runs.append(pretrain(*a, config, **b)), "model": model}
    exec(textwrap.dedent(documented), names | {"tokenizer": tokenizer, "corpus": stories})
    events = EventAccumulator("tensorboard").Reload()
    for name in ("loss", "learning_rate", "validation_loss"):
        drawn = [(event.step, pytest.approx(event.value)) for event in events.Scalars(name)]
        assert drawn == [(record["step"], record[name]) for record in runs[0].history if name in record]
