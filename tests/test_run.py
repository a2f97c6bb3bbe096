"""A run can be trusted: same seed, same bits; killed anywhere and resumed, still the same bits."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fmkit import FmkitError, ModelConfig, TrainConfig, Transformer, pretrain
from fmkit.checkpoint import find_damage, latest_checkpoint
from fmkit.cli import main
from fmkit.data.batches import make_loader
from fmkit.objectives import predict_tokens
from fmkit.optim import make_optimizer
from fmkit.run import fit
from fmkit.trainer import Trainer, train_step

TIMES = ("tokens_per_second", "mfu")  # what a metrics line says of the clock


@pytest.fixture(scope="session")
def story_file(stories, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("corpus") / "stories.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in stories["train"]["text"]))
    return file


def command(story_file: Path, out: Path, *more: str) -> list[str]:
    """A run of 120 short steps."""
    shape = "--vocab-size 400 --hidden-size 32 --num-hidden-layers 1 --context-length 64 --batch-size 2"
    rest = "--steps 120 --eval-every 40 --eval-batches 2 --checkpoint-every 5 --seed 3 --device cpu"
    return ["pretrain", "--corpus", str(story_file), "--out", str(out), *shape.split(), *rest.split(), *more]


def same_run(one: Path, other: Path) -> bool:
    """Whether two run directories hold the same bits, but for what the clock says."""

    def content(run: Path) -> list:
        last = sorted(run.glob("checkpoints/step-*"))[-1]
        files = (
            "model.safetensors",
            "training.safetensors",
            "training.json",
            "tokenizer.json",
            "config.json",
        )
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        metrics = [{k: v for k, v in record.items() if k not in TIMES} for record in metrics]
        return [metrics, (run / "model.safetensors").read_bytes(), *((last / f).read_bytes() for f in files)]

    return content(one) == content(other)


@pytest.fixture(scope="session")
def undisturbed(story_file, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    assert main(command(story_file, out)) == 0
    return out


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(story_file, undisturbed, tmp_path):
    assert main(command(story_file, tmp_path / "again")) == 0
    assert same_run(undisturbed, tmp_path / "again")
    assert main(command(story_file, tmp_path / "other", "--seed", "4")) == 0
    assert not same_run(undisturbed, tmp_path / "other")


class Nursery:
    """Starts `fmkit` commands as processes of their own; see nursery.py."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("nursery.py")
        self.process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, arguments: list[str]) -> int:
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self) -> int:
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def kill_and_resume(story_file: Path, out: Path, kills: int, seed: int) -> list[str]:
    """Run to the end through `kills` SIGKILLs at random moments; returns what was found after each."""
    rng, found, nursery = random.Random(seed), [], Nursery()
    start = time.monotonic()
    nursery.start(command(story_file, out))
    assert nursery.wait() == 0
    whole = time.monotonic() - start
    shutil.rmtree(out)
    while len(found) < kills:
        pid = nursery.start(command(story_file, out, "--resume"))
        time.sleep(rng.uniform(0, whole / 2))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        code = nursery.wait()
        assert code in (0, -signal.SIGKILL)
        if code == 0:  # it was done before the signal came: once more from the start
            shutil.rmtree(out)
            continue
        checkpoints = sorted(out.glob("checkpoints/step-*"))
        half_saved = list(out.glob("checkpoints/.*.tmp-*"))
        found.append((checkpoints[-1].name if checkpoints else "nothing") + " half a save" * len(half_saved))
    nursery.start(command(story_file, out, "--resume"))
    assert nursery.wait() == 0
    nursery.close()
    return found


def test_killed_ten_times_and_resumed_to_the_same_bits(story_file, undisturbed, tmp_path):
    found = kill_and_resume(story_file, tmp_path / "run", kills=10, seed=int(time.time()))
    assert same_run(undisturbed, tmp_path / "run"), found


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_killed_a_hundred_times(story_file, undisturbed, tmp_path, seed):
    found = kill_and_resume(story_file, tmp_path / "run", kills=10, seed=seed)
    assert same_run(undisturbed, tmp_path / "run"), found


def stopped_run(story_file: Path, out: Path) -> None:
    """A run as a kill after step 60 would leave it."""
    nursery = Nursery()
    pid = nursery.start(command(story_file, out))
    while not (out / "checkpoints" / "step-00000060").exists():
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    assert nursery.wait() == -signal.SIGKILL
    nursery.close()


def damage(file: Path, how: str) -> None:
    content = bytearray(file.read_bytes())
    if how == "cut":
        del content[len(content) // 2 :]
    elif how == "flip":
        content[len(content) // 3] ^= 0x10
    file.unlink() if how == "delete" else file.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "flip", "delete"])
@pytest.mark.parametrize(
    "name", ["model.safetensors", "training.safetensors", "training.json", "manifest.json"]
)
def test_a_damaged_checkpoint_is_noticed_and_the_one_before_used(
    name, how, story_file, undisturbed, tmp_path, capsys
):
    out = tmp_path / "run"
    shutil.copytree(undisturbed, out)
    (out / "model.safetensors").unlink()
    newest = sorted(out.glob("checkpoints/step-*"))[-1]
    damage(newest / name, how)
    assert main(command(story_file, out, "--resume")) == 0
    assert f"checkpoint {newest.name} is damaged" in capsys.readouterr().err
    assert same_run(undisturbed, out)


def test_a_second_fault_is_survived_by_starting_over(story_file, undisturbed, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(undisturbed, out)
    for checkpoint in out.glob("checkpoints/step-*"):
        damage(checkpoint / "training.json", "cut")
    assert latest_checkpoint(out) is None
    assert main(command(story_file, out, "--resume")) == 0
    assert same_run(undisturbed, out)


def test_a_kill_before_the_first_file_leaves_a_directory_that_can_be_used(story_file, undisturbed, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / ".run.json.tmp").write_text('{"model": {')  # half of the first file that a run writes
    assert main(command(story_file, out, "--resume")) == 0
    assert same_run(undisturbed, out)


def test_a_torn_line_of_metrics_is_dropped(story_file, undisturbed, tmp_path):
    out = tmp_path / "run"
    stopped_run(story_file, out)
    with (out / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 61, "lo')
    assert main(command(story_file, out, "--resume", "--checkpoint-every", "50")) == 0
    assert same_run(undisturbed, out)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_saves_and_exits_0(number, story_file, undisturbed, tmp_path):
    out, fmkit = tmp_path / "run", Path(sys.executable).with_name("fmkit")
    never = ["--checkpoint-every", "100000"]
    process = subprocess.Popen([fmkit, *command(story_file, out, *never)], stdout=subprocess.PIPE, text=True)
    while not (out / "metrics.jsonl").exists() or (out / "metrics.jsonl").read_text().count("\n") < 5:
        time.sleep(0.002)
        assert process.poll() is None
    process.send_signal(number)
    assert "go on with --resume" in process.communicate()[0]
    assert process.returncode == 0
    (checkpoint,) = out.glob("checkpoints/step-*")
    assert find_damage(checkpoint) is None
    assert main(command(story_file, out, "--resume")) == 0
    assert same_run(undisturbed, out)


@pytest.fixture
def usual_interrupt():
    """As at a terminal: a job in the background of a script is started with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_interrupt")
def test_an_interrupt_of_a_run_that_saves_nothing_is_one(model, stories, tokenizer):
    """It must not return as if it were done: what comes after it, the next of many runs, would go on."""
    loader = make_loader(stories["train"], tokenizer, 2, 64, seed=0)
    trainer = Trainer(model, predict_tokens, loader, TrainConfig(steps=5, batch_size=2, eval_every=2))
    with pytest.raises(KeyboardInterrupt):
        fit(trainer, lambda: os.kill(os.getpid(), signal.SIGINT) or {})
    assert trainer.step == 2


def tmpfs_allowed() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.call(
        ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], stderr=subprocess.DEVNULL
    )


@pytest.mark.skipif(
    not tmpfs_allowed(), reason="needs a small file system, which this system does not let us mount"
)
def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(story_file, undisturbed, tmp_path):
    disk, fmkit = tmp_path / "disk", Path(sys.executable).with_name("fmkit")
    disk.mkdir()
    run = " ".join(map(str, [fmkit, *command(story_file, disk / "run", "--resume")]))
    script = f"""
mount -t tmpfs -o size=700k tmpfs {disk}
{run}; echo "exit code $?"
mount -o remount,size=50m {disk}
{run} && cp -r {disk}/run {tmp_path}/copy"""
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    assert "exit code 2" in done.stdout
    errors = [line for line in done.stderr.splitlines() if line.startswith("fmkit: error")]
    assert len(errors) == 1
    assert "No space left" in errors[0]
    assert "--resume" in errors[0]
    assert "Traceback" not in done.stderr
    assert same_run(undisturbed, tmp_path / "copy")


# --- in Python ---------------------------------------------------------------------------------------------


def test_accumulation_is_exact_whatever_the_batches_hold(model, stories, tokenizer):
    loader = make_loader(stories["train"], tokenizer, 6, 96, seed=0)
    whole = next(loader)
    parts = [
        {
            **whole,
            "input_ids": whole["input_ids"][rows],
            "labels": whole["labels"][rows].clone(),
            "document_ids": whole["document_ids"][rows],
        }
        for rows in (slice(0, 1), slice(1, 6))
    ]
    parts[0]["labels"][:, 10:] = -100  # very unequal numbers of items
    joined = {**whole, "labels": torch.cat([part["labels"] for part in parts])}
    for batch in (*parts, joined):
        batch["num_items"] = int((batch["labels"] != -100).sum())
    gradients = []
    for batches in (parts, [joined]):
        copy = Transformer(model.config)
        optimizer = make_optimizer(copy, TrainConfig(learning_rate=1e-9))
        optimizer.zero_grad = lambda set_to_none: None  # keep the gradient to look at it
        loss, norm = train_step(copy, predict_tokens, batches, optimizer, max_grad_norm=1e9)
        gradients.append([loss, norm, *(p.grad for p in copy.parameters())])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_weights(model, stories, tokenizer, tmp_path):
    model.tokenizer = tokenizer

    def explode(model, batch):
        loss = predict_tokens(model, batch)
        return loss * float("nan") if trainer.step == 6 else loss

    loader = make_loader(stories["train"], tokenizer, 2, 64, seed=0)
    trainer = Trainer(model, explode, loader, TrainConfig(steps=10, checkpoint_every=3))
    with pytest.raises(FmkitError, match=r"step 7: loss nan.*lower learning_rate"):
        fit(trainer, dict, tmp_path / "run")
    saved = load_file(tmp_path / "run/checkpoints/step-00000006/model.safetensors")
    assert all(torch.equal(saved[name], tensor) for name, tensor in model.weights().items())


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


def test_masked_token_training_learns(stories, tokenizer):
    config = ModelConfig(
        vocab_size=400, hidden_size=32, num_hidden_layers=1, is_causal=False, max_position_embeddings=96
    )
    run = pretrain(Transformer(config), tokenizer, stories, TrainConfig(steps=60, learning_rate=1e-2))
    assert run.history[-1]["validation_loss"] < run.history[0]["loss"] - 0.5


def test_arguments_that_do_not_fit_together(model, stories, tokenizer, tmp_path):
    with pytest.raises(FmkitError, match="context_length=97 is more than the model's"):
        pretrain(model, tokenizer, stories, TrainConfig(context_length=97))
    small = Transformer(ModelConfig(vocab_size=300, hidden_size=32))
    with pytest.raises(FmkitError, match="the tokenizer has 400 tokens and the model vocab_size=300"):
        pretrain(small, tokenizer, stories)
    with pytest.raises(FmkitError, match="give output_dir"):
        pretrain(model, tokenizer, stories, TrainConfig(checkpoint_every=5))
