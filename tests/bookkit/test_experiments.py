"""The recorded runs: whole, small, and made by the code that is here."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from statistics import correlation

import pytest

from bookkit.experiments import reading, recording
from bookkit.experiments.__main__ import EXPERIMENTS, main
from fmkit.errors import FmkitError
from fmkit.widgets import lab

RECORD = json.loads((recording.RUNS / "lab.json").read_text())


def test_the_lab_finds_a_run_for_every_place_of_its_sliders() -> None:
    settings = [run["settings"] for run in RECORD["runs"] if run["settings"]["seed"] == 0]
    places = 1
    for name in ("learning_rate", "batch_size", "steps"):
        places *= len({setting[name] for setting in settings})
    assert places == len(settings)


def test_records_are_small_and_say_where_they_come_from() -> None:
    assert sum(path.stat().st_size for path in recording.RUNS.glob("*.json")) < 400_000
    assert RECORD["commit"]
    assert RECORD["torch"]
    for run in RECORD["runs"]:
        assert len(run["tokens"]) == len(run["loss"]) <= recording.POINTS
        assert ("error" in run) != ("validation_loss" in run)
        assert run["command"].startswith("python -m bookkit.experiments lab learning_rate=")


def test_no_recorded_loss_is_below_the_floor() -> None:
    assert 0.2 < RECORD["floor"] < min(run.get("validation_loss", 9) for run in RECORD["runs"])


def test_the_record_is_of_the_lab_as_it_is() -> None:
    assert RECORD["model"] == json.loads(json.dumps(lab.describe()["model"]))


def test_a_command_from_the_page_makes_the_same_run(capsys: pytest.CaptureFixture[str]) -> None:
    """To a tenth of a nat: another processor adds in another order."""
    chosen = {"learning_rate": 0.01, "batch_size": 2, "steps": 50, "seed": 0}
    recorded = next(run for run in RECORD["runs"] if run["settings"] == chosen)
    assert main(shlex.split(recorded["command"])[3:]) == 0
    line = capsys.readouterr().out
    assert float(line.split("  loss ")[1].split()[0]) == pytest.approx(recorded["validation_loss"], abs=0.1)
    assert f"(recorded: loss {recorded['validation_loss']:.2f})" in line


@pytest.mark.parametrize("path", sorted(recording.RUNS.glob("*.json")), ids=lambda path: path.stem)
def test_the_command_of_a_recorded_run_is_its_own(path: Path) -> None:
    """As a shell takes it apart, it begins as `python -m` needs it and chooses this run alone."""
    runs = json.loads(path.read_text())["runs"]
    for run in runs:
        *start, name = shlex.split(run["command"])[:4]
        assert start == ["python", "-m", "bookkit.experiments"]
        assert name == path.stem
        chosen = dict(pair.split("=", 1) for pair in shlex.split(run["command"])[4:])
        assert [other for other in runs if recording.matches(chosen, other["settings"])] == [run]


def test_settings_may_be_written_as_people_write_them() -> None:
    settings = {"flops": 1e10, "update": "0", "method": "teacher's texts", "seed": 0}
    for text in ("flops=1e10", "flops=10000000000", "update=0", "method=teacher's texts", "seed=0.0"):
        key, _, value = text.partition("=")
        assert recording.matches({key: value}, settings)
    assert not recording.matches({"update": "0.0"}, settings)
    assert not recording.matches({"seed": "zero"}, settings)
    assert not recording.matches({"other": "0"}, settings)
    assert shlex.split(recording.spell(settings))[2] == "method=teacher's texts"


def test_a_fault_inside_a_training_is_not_taken_for_a_typing_error(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_what_is_mistyped_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(message)


def test_thinning_keeps_the_last_token_and_the_mean(tmp_path: Path) -> None:
    history = [{"tokens": step, "loss": float(step % 2)} for step in range(1, 1001)]
    thinned = recording.thin(history)
    assert len(thinned["tokens"]) == recording.POINTS
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


def test_a_commit_that_is_not_what_ran_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


# --- what the page on the experiments says of them --------------------------------------------------------


def test_learning_the_questions_too_costs_most_where_answers_are_short() -> None:
    runs = reading.read_runs("masking")

    def cost(answers: str) -> float:
        intents = reading.score("intent")
        right = reading.by_setting(runs, "loss_on", intents, answers=answers, examples=100)
        return right["answer"].mean - right["all"].mean

    assert cost("short") > 2 * cost("long") > 0


def test_reading_the_field_helps_and_reading_another_does_not() -> None:
    runs = reading.read_runs("adaptation")
    right = reading.by_setting(runs, "start", reading.score("right"), examples=50)
    assert right["support"].low > right["base"].high
    assert right["questions"].low > right["base"].high
    assert right["legal"].mean < right["base"].mean + 0.03


def test_selecting_by_likeness_comes_near_the_oracle_and_quality_alone_does_not() -> None:
    runs = reading.read_runs("selection")
    for field in {run["settings"]["field"] for run in runs}:
        loss = reading.by_setting(runs, "method", reading.score("loss"), field=field)
        right = reading.by_setting(runs, "method", reading.score("right_source"), field=field)
        assert loss["dsir"].high < loss["oracle"].low + 0.2
        assert loss["dsir"].high < min(loss["random"].low, loss["filters"].low) - 1
        assert right["dsir"].low > 0.9 > 0.2 > right["random"].high


def test_the_nearer_the_pages_come_to_the_target_the_lower_the_loss() -> None:
    runs = reading.read_runs("selection")
    start = {
        (run["settings"]["field"], run["settings"]["seed"]): run["scores"]
        for run in runs
        if run["settings"]["method"] == "random"
    }
    nearer, better = [], []
    for run in runs:
        if run["settings"]["method"] != "random":
            random = start[run["settings"]["field"], run["settings"]["seed"]]
            nearer.append(random["divergence"] - run["scores"]["divergence"])
            better.append(random["loss"] - run["scores"]["loss"])
    assert correlation(nearer, better) > 0.8


def test_a_tokenizer_is_cheapest_where_it_learned_and_one_for_all_comes_second() -> None:
    runs = reading.read_runs("fertility")
    for field in runs[0]["scores"]:
        tokens = reading.by_setting(runs, "trained_on", reading.score(field))
        others = [seeds.low for name, seeds in tokens.items() if name not in (field, "all")]
        assert 1 < tokens[field].high < tokens["all"].low
        assert tokens["all"].high < min(others)


def test_every_record_is_shown_on_a_page() -> None:
    chapters = recording.ROOT / "chapters"
    pages = "".join(path.read_text(encoding="utf-8") for path in chapters.rglob("*.ipynb"))
    shown = re.findall(r'(?:read_runs\(\\"|assets/runs/)([\w-]+)', pages)
    assert {path.stem for path in recording.RUNS.glob("*.json")} <= {*shown}


# --- what a page reads them with --------------------------------------------------------------------------


def test_a_table_is_text_in_a_console_and_escaped_on_a_page() -> None:
    table = reading.Table("a < b", ["of", "a&b"], [["x", "1"], ["longer", "22"]])
    assert repr(table).splitlines() == ["of      a&b", "x         1", "longer   22", "a < b"]
    page = table._repr_html_()
    assert "<figcaption>a &lt; b</figcaption>" in page
    assert page.count("<tr>") == 3
    assert '<th scope="col">of</th><th scope="col" class="text-end">a&amp;b</th>' in page
    assert '<th scope="row">longer</th><td class="text-end">22</td>' in page
    with pytest.raises(FmkitError, match="2 columns"):
        reading.Table("", ["a", "b"], [["1", "2"], ["1"]])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((None, None), "2 runs"),
        ((None, 12.2), "2 runs, 12 CPU seconds in the one that was timed"),
        ((9.0, 12.2, None), "3 runs, 9 to 12 CPU seconds in the 2 that were timed"),
        ((12.4, 11.9), "2 runs, 12 CPU seconds each"),
    ],
)
def test_the_cost_of_a_record_is_what_was_timed(
    seconds: tuple[float | None, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "RUNS", tmp_path)
    runs = [{} if each is None else {"cpu_seconds": each} for each in seconds]
    (tmp_path / "one.json").write_text(json.dumps({"runs": runs}))
    assert reading.made_by("one") == f"python -m bookkit.experiments one\n{said}"


def test_a_record_that_is_not_there_names_its_command() -> None:
    with pytest.raises(FmkitError, match=r"python -m fmkit\.experiments no-such"):
        reading.read_runs("no-such")
