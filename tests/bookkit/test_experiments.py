"""The recorded runs: whole, small, and made by the code that is here."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from bookkit.experiments import course, recording
from bookkit.experiments.__main__ import EXPERIMENTS, main
from fmkit import ModelConfig
from fmkit.widgets.text_lab import SMALL

RECORD = json.loads((recording.RUNS / "lab.json").read_text())


def test_the_lab_has_a_run_for_every_setting() -> None:
    """All rates and batch sizes have the same short runs; the longest of each batch size read as much."""
    lengths: dict[tuple[float, int], set[int]] = {}
    for run in RECORD["runs"]:
        rate, batch_size, steps, _ = run["settings"].values()
        lengths.setdefault((rate, batch_size), set()).add(steps)
    rates, sizes = ({key[i] for key in lengths} for i in (0, 1))
    assert len(lengths) == len(rates) * len(sizes)
    assert all({50, 100, 200} <= steps for steps in lengths.values())
    longest = {max(lengths[rate, size]) * size for rate in (0.003, 0.01, 0.03) for size in sizes}
    assert len(longest) == 1


def test_records_are_small_and_have_a_source() -> None:
    sizes = [path.stat().st_size for path in recording.RUNS.glob("*.json")]
    assert max(sizes) < 200_000
    assert sum(sizes) < 1_500_000
    assert RECORD["commit"]
    assert RECORD["torch"]
    for run in RECORD["runs"]:
        assert len(run["tokens"]) == len(run["loss"]) <= course.POINTS
        assert ("error" in run) != ("validation_loss" in run)
        assert run["command"].startswith("python -m bookkit.experiments lab learning_rate=")


def test_no_recorded_loss_is_below_the_floor() -> None:
    assert 0.2 < RECORD["floor"] < min(run.get("validation_loss", 9) for run in RECORD["runs"])


def test_the_record_is_of_the_lab_as_it_is() -> None:
    assert ModelConfig(**RECORD["model"]) == SMALL  # what has come since has its default


@pytest.mark.slow
def test_a_command_reproduces_its_run(capsys: pytest.CaptureFixture[str]) -> None:
    """To a tenth of a nat: another processor adds in another order."""
    chosen = {"learning_rate": 0.01, "batch_size": 2, "steps": 50, "seed": 0}
    recorded = next(run for run in RECORD["runs"] if run["settings"] == chosen)
    assert main(shlex.split(recorded["command"])[3:]) == 0
    line = capsys.readouterr().out
    assert float(line.split("  loss ")[1].split()[0]) == pytest.approx(recorded["validation_loss"], abs=0.1)
    assert f"(recorded: loss {recorded['validation_loss']:.2f})" in line


@pytest.mark.parametrize("path", sorted(recording.RUNS.glob("*.json")), ids=lambda path: path.stem)
def test_a_command_selects_its_own_run(path: Path) -> None:
    """As a shell takes it apart, it begins as `python -m` needs it and chooses this run alone."""
    runs = json.loads(path.read_text())["runs"]
    for run in runs:
        *start, name = shlex.split(run["command"])[:4]
        assert start == ["python", "-m", "bookkit.experiments"]
        assert name == path.stem
        chosen = dict(pair.split("=", 1) for pair in shlex.split(run["command"])[4:])
        assert recording.select(chosen, [other["settings"] for other in runs]) == [run["settings"]]


def test_settings_may_be_written_freely() -> None:
    settings = {
        "flops": 1e10,
        "update": "0",
        "method": "teacher's texts",
        "seed": 0,
        "cache": True,
        "top_k": None,
    }
    written = ("flops=1e10", "flops=10000000000", "update=0", "method=teacher's texts", "seed=0.0")
    for text in (*written, "cache=True", "top_k=None"):
        key, _, value = text.partition("=")
        assert recording.matches({key: value}, settings)
    assert not recording.matches({"update": "0.0"}, settings)
    assert not recording.matches({"cache": "1"}, settings)
    assert not recording.matches({"seed": "zero"}, settings)
    assert not recording.matches({"other": "0"}, settings)
    assert shlex.split(recording.spell(settings))[2] == "method=teacher's texts"


def test_an_error_of_a_training_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(seed: int) -> dict[str, float]:
        raise ValueError("inside")

    broken = recording.Experiment({}, train, [{"seed": 0}])
    monkeypatch.setitem(EXPERIMENTS, "broken", lambda: broken)
    with pytest.raises(ValueError, match="inside"):
        main(["broken", "seed=0"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such"], "no experiment 'no-such'"),
        (["lab", "seed"], "settings are written like"),
        (["lab", "seed=x"], "lab has no run with seed=x"),
        (["lab", "seed=9"], "lab has no run with seed=9"),
        (["lab", "no-such=9"], "lab has no run with no-such=9"),
    ],
)
def test_a_mistyped_command_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(message)


def test_a_curve_keeps_the_mean_and_the_end(tmp_path: Path) -> None:
    history = [{"tokens": step, "loss": float(step % 2)} for step in range(1, 1001)]
    thinned = course.curve(history)
    assert len(thinned["tokens"]) == course.POINTS
    assert thinned["tokens"][-1] == 1000
    assert set(thinned["loss"]) <= {0.4, 0.6}


def test_a_recording_that_was_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "RUNS", tmp_path)
    trained: list[int] = []

    def three(breaks_at: int | None, commit: str) -> Path:
        def train(seed: int) -> dict[str, float]:
            if seed == breaks_at:
                raise KeyboardInterrupt
            trained.append(seed)
            return {"validation_loss": float(seed)}

        monkeypatch.setattr(recording, "provenance", lambda: {"machine": "one", "commit": commit})
        return recording.record("three", recording.Experiment({}, train, [{"seed": s} for s in range(3)]))

    with pytest.raises(KeyboardInterrupt):
        three(breaks_at=1, commit="old")
    kept = json.loads(three(None, commit="new").read_text())
    assert trained == [0, 1, 2]
    assert [run["validation_loss"] for run in kept["runs"]] == [0.0, 1.0, 2.0]
    assert "unfinished" not in kept
    assert kept["commit"] == "old"  # of the first; a run that was made otherwise says how
    assert [run.get("commit") for run in kept["runs"]] == [None, "new", "new"]
    assert all("machine" not in run for run in kept["runs"])
    assert json.loads(three(None, commit="newest").read_text())["commit"] == "newest"
    assert trained == [0, 1, 2] * 2  # a finished one is recorded again


def test_one_process_records_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recording, "RUNS", tmp_path)

    def train(seed: int) -> dict[str, float]:
        assert main(["twice"]) == 2
        return {"validation_loss": 0.0}

    monkeypatch.setitem(EXPERIMENTS, "twice", lambda: recording.Experiment({}, train, [{"seed": 0}]))
    recording.record("twice", EXPERIMENTS["twice"]())
    assert "twice.json: is being written by process" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["twice.json"]


def test_uncommitted_code_is_called_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*what: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(tmp_path), *who, *what], check=True, capture_output=True)

    monkeypatch.setattr(recording, "ROOT", tmp_path)
    (tmp_path / "fmkit").mkdir()
    (tmp_path / "fmkit" / "code.py").write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    assert not recording.provenance()["commit"].endswith("-dirty")
    (tmp_path / "record.json").write_text("{}")  # what is written on the way is no other code
    assert not recording.provenance()["commit"].endswith("-dirty")
    (tmp_path / "fmkit" / "code.py").write_text("2")
    assert recording.provenance()["commit"].endswith("-dirty")


def test_no_record_of_the_book_is_unfinished() -> None:
    for path in recording.RUNS.glob("*.json"):
        assert "unfinished" not in json.loads(path.read_text()), path.name
