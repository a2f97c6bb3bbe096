"""A run as a command: same seed, same bits; killed anywhere and resumed, still the same bits."""

import errno
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fmkit import FmkitError
from fmkit.checkpoint import find_damage, latest_checkpoint, read_json, save_checkpoint, write_json
from fmkit.cli import main

TIMES = ("tokens_per_second", "mfu")  # what a metrics line says of the clock


@pytest.fixture(scope="session")
def story_file(stories, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("corpus") / "stories.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in stories["train"]["text"]))
    return file


def command(story_file: Path, out: Path, *more: str) -> list[str]:
    """A run of 120 short steps."""
    shape = "--vocab-size 400 --hidden-size 32 --num-hidden-layers 1 --context-length 64 --batch-size 2"
    rest = "--steps 120 --eval-every 40 --eval-rows 4 --checkpoint-every 5 --seed 3 --device cpu"
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


@pytest.mark.slow
def test_same_seed_same_bits(story_file, undisturbed, tmp_path):
    assert main(command(story_file, tmp_path / "again")) == 0
    assert same_run(undisturbed, tmp_path / "again")
    assert main(command(story_file, tmp_path / "other", "--seed", "4")) == 0
    assert not same_run(undisturbed, tmp_path / "other")


class Nursery:
    """Starts `fmkit` commands as processes of their own; see nursery.py."""

    def __init__(self) -> None:
        script = Path(__file__).parents[1] / "nursery.py"
        self.process = subprocess.Popen(  # -P: tests/fmkit must not be found as fmkit
            [sys.executable, "-P", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, arguments: list[str], output: str | Path = os.devnull) -> int:
        self.process.stdin.write(json.dumps([str(output), *arguments]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self) -> int:
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def kill_and_resume(nursery: Nursery, story_file: Path, out: Path, kills: int, seed: int) -> list[str]:
    """Run to the end through `kills` SIGKILLs at random moments; returns what was found after each."""
    rng, found = random.Random(seed), []
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
    return found


@pytest.mark.slow
def test_killed_four_times(nursery, story_file, undisturbed, tmp_path):
    """`make soak` kills a hundred times."""
    found = kill_and_resume(nursery, story_file, tmp_path / "run", kills=4, seed=int(time.time()))
    assert same_run(undisturbed, tmp_path / "run"), found


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_killed_a_hundred_times(nursery, story_file, undisturbed, tmp_path, seed):
    found = kill_and_resume(nursery, story_file, tmp_path / "run", kills=10, seed=seed)
    assert same_run(undisturbed, tmp_path / "run"), found


def stopped_run(nursery: Nursery, story_file: Path, out: Path, *more: str) -> None:
    """A run as a kill after step 60 would leave it."""
    pid = nursery.start(command(story_file, out, *more))
    while not (out / "checkpoints" / "step-00000060").exists():
        os.kill(pid, 0)  # is there
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    assert nursery.wait() == -signal.SIGKILL


def damage(file: Path, how: str) -> None:
    content = bytearray(file.read_bytes())
    if how == "cut":
        del content[len(content) // 2 :]
    elif how == "flip":
        content[len(content) // 3] ^= 0x10
    file.unlink() if how == "delete" else file.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut", "flip", "delete"])
@pytest.mark.parametrize(
    "name", ["model.safetensors", "training.safetensors", "training.json", "manifest.json"]
)
def test_damaged_checkpoint_is_passed_over(name, how, story_file, undisturbed, tmp_path, capsys):
    out = tmp_path / "run"
    shutil.copytree(undisturbed, out)
    (out / "model.safetensors").unlink()
    before, newest = sorted(out.glob("checkpoints/step-*"))
    assert (before.name, newest.name) == ("step-00000115", "step-00000120")
    damage(newest / name, how)
    assert main(command(story_file, out, "--resume")) == 0
    assert f"checkpoint {newest.name} is damaged" in capsys.readouterr().err
    assert same_run(undisturbed, out)
    old, new = ((run / "metrics.jsonl").read_text().splitlines() for run in (undisturbed, out))
    assert new[:115] == old[:115]  # with what the clock said: these steps were not done again
    assert new[115:] != old[115:]


@pytest.mark.slow
def test_two_faults_start_the_run_again(story_file, undisturbed, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(undisturbed, out)
    for checkpoint in out.glob("checkpoints/step-*"):
        damage(checkpoint / "training.json", "cut")
    assert latest_checkpoint(out, 60) is None
    assert main(command(story_file, out, "--resume")) == 0
    assert same_run(undisturbed, out)


def test_two_checkpoints_are_kept(model, tokenizer, tmp_path):
    (tmp_path / "checkpoints/.step-00000001.tmp-1").mkdir(parents=True)
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, model.to_hugging_face(), model.weights(), tokenizer, {}, {})
        assert find_damage(tmp_path / f"checkpoints/step-{step:08d}") is None
    assert sorted(os.listdir(tmp_path / "checkpoints")) == ["step-00000002", "step-00000003"]


def test_a_file_is_the_old_or_the_new_one(tmp_path, monkeypatch):
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_json(tmp_path / "run.json", {"steps": 1})
    monkeypatch.setattr("fmkit.checkpoint._flush", full)
    with pytest.raises(FmkitError, match="No space left"):
        write_json(tmp_path / "run.json", {"steps": 2})
    assert read_json(tmp_path / "run.json") == {"steps": 1}


@pytest.mark.slow
def test_kill_before_the_first_file(story_file, undisturbed, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / ".run.json.tmp").write_text('{"model": {')  # half of the first file that a run writes
    assert main(command(story_file, out, "--resume")) == 0
    assert same_run(undisturbed, out)


@pytest.mark.slow
def test_a_torn_line_of_metrics_is_dropped(nursery, story_file, undisturbed, tmp_path):
    out = tmp_path / "run"
    stopped_run(nursery, story_file, out)
    with (out / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 61, "lo')
    assert main(command(story_file, out, "--resume", "--checkpoint-every", "50")) == 0
    assert same_run(undisturbed, out)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_saves_and_exits_0(number, nursery, story_file, undisturbed, tmp_path):
    out, printed = tmp_path / "run", tmp_path / "printed"
    pid = nursery.start(command(story_file, out, "--checkpoint-every", "100000"), printed)
    while not (out / "metrics.jsonl").exists() or (out / "metrics.jsonl").read_text().count("\n") < 5:
        os.kill(pid, 0)  # is there
        time.sleep(0.002)
    os.kill(pid, number)
    assert nursery.wait() == 0
    assert "go on with --resume" in printed.read_text()
    (checkpoint,) = out.glob("checkpoints/step-*")
    assert find_damage(checkpoint) is None
    assert main(command(story_file, out, "--resume")) == 0
    assert same_run(undisturbed, out)


# --- two writers -------------------------------------------------------------------------------------------


def content(directory: Path) -> dict[str, bytes]:
    """What is in a directory, but for what a run is adding to its metrics."""
    files = [path for path in directory.rglob("*") if path.is_file() and path.name != "metrics.jsonl"]
    return {str(path): path.read_bytes() for path in files}


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--resume"]], ids=["fresh", "resume"])
def test_second_run_learns_who_is_first(more, nursery, story_file, undisturbed, tmp_path, capsys):
    """As when a job is queued again while it still runs; once the first is killed, the place is free."""
    out = tmp_path / "run"
    pid = nursery.start(command(story_file, out, "--checkpoint-every", "100000"))
    while not (out / "metrics.jsonl").exists():
        os.kill(pid, 0)  # is there
        time.sleep(0.002)
    os.kill(pid, signal.SIGSTOP)
    try:
        before = content(out)
        assert main(command(story_file, out, *more)) == 2
        assert content(out) == before
    finally:
        os.kill(pid, signal.SIGKILL)
    (line,) = capsys.readouterr().err.splitlines()
    assert f"run: is being written by process {pid} on {platform.node()} since " in line
    assert nursery.wait() == -signal.SIGKILL
    assert main(command(story_file, out, "--resume")) == 0
    assert same_run(undisturbed, out)
    assert not (out / ".run.lock").exists()


# --- a longer run ------------------------------------------------------------------------------------------

CONSTANT = ["--min-lr-ratio", "1", "--warmup-steps", "5"]
STABLE = ["--lr-scheduler-type", "warmup_stable_decay", "--warmup-steps", "5"]


@pytest.mark.slow
@pytest.mark.parametrize("schedule", [CONSTANT, STABLE], ids=["constant", "stable"])
def test_a_longer_run_has_the_same_bits(schedule, story_file, tmp_path, capsys):
    """Also after its end, and after a decay: it goes on from the checkpoint before that."""
    long, longer = tmp_path / "long", tmp_path / "longer"
    assert main(command(story_file, long, *schedule)) == 0
    assert main(command(story_file, longer, *schedule, "--steps", "80")) == 0
    assert main(command(story_file, longer, *schedule, "--resume")) == 0
    assert "and is 120, from step" in capsys.readouterr().err
    assert same_run(long, longer)


def tmpfs_allowed() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.call(
        ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], stderr=subprocess.DEVNULL
    )


@pytest.mark.slow
@pytest.mark.skipif(
    not tmpfs_allowed(), reason="needs a small file system, which this system does not let us mount"
)
def test_full_disk_then_room(story_file, undisturbed, tmp_path):
    disk, fmkit = tmp_path / "disk", Path(sys.executable).with_name("fmkit")
    disk.mkdir()
    run = " ".join(map(str, [fmkit, *command(story_file, disk / "run", "--resume")]))
    script = f"""
mount -t tmpfs -o size=700k tmpfs {disk}
{run}; echo "exit code $?"
cp -r {disk}/run {tmp_path}/room"""
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    assert "exit code 2" in done.stdout
    errors = [line for line in done.stderr.splitlines() if line.startswith("fmkit: error")]
    assert len(errors) == 1
    assert "No space left" in errors[0]
    assert "--resume" in errors[0]
    assert "Traceback" not in done.stderr
    assert main(command(story_file, tmp_path / "room", "--resume")) == 0
    assert same_run(undisturbed, tmp_path / "room")
