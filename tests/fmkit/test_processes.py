"""Other processes: one that writes to the same place, one that reads there, and copies of this one."""

import errno
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import torch

from fmkit import FmkitError, LoraConfig, ModelConfig, Transformer, add_lora, load_adapter, save_adapter
from fmkit.cli import main
from fmkit.processes import WORLD_SIZES, only_writer

FORK = multiprocessing.get_context("fork")
HOLD = """
import sys
from fmkit.processes import only_writer
with only_writer(*sys.argv[1:]):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(*place: str | Path) -> Iterator[subprocess.Popen]:
    """A process that is writing there."""
    call = [sys.executable, "-P", "-c", HOLD, *map(str, place)]  # -P: tests/fmkit must not be found as fmkit
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "locked\n"
        yield process
        process.stdin.close()


# --- one writer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [("answers.jsonl",), ("", "run")], ids=["file", "directory"])
def test_the_one_that_writes_is_named(place, tmp_path):
    path, *what = tmp_path / place[0], *place[1:]
    with other_process(path, *what) as process:
        name = f"process {process.pid} on {platform.node()} since 20"
        with (
            pytest.raises(FmkitError, match=f"^{path}: is being written by {name}"),
            only_writer(path, *what),
        ):
            pass
    assert list(tmp_path.iterdir()) == []
    with only_writer(path, *what):
        pass


def test_a_killed_writer_holds_no_lock(tmp_path):
    with other_process(tmp_path, "run") as process:
        process.kill()
        assert process.wait() == -signal.SIGKILL
        with only_writer(tmp_path, "run"):
            mine = pytest.raises(FmkitError, match=f"written by process {os.getpid()} on")
            with mine, only_writer(tmp_path, "run"):
                pass
            with only_writer(tmp_path, "model"):
                pass
    assert list(tmp_path.iterdir()) == []


def count(file: Path, times: int) -> None:
    """Add 1 to the number in a file, as often as it takes to be the only writer."""
    while times:
        with suppress(FmkitError), only_writer(file):
            file.write_text(str(int(file.read_text()) + 1))
            times -= 1


@pytest.mark.slow
def test_writers_that_come_and_go(tmp_path):
    """A lock that is removed at the end must not be held twice, by who came before and who came after."""
    file = tmp_path / "count"
    file.write_text("0")
    writers = [FORK.Process(target=count, args=(file, 100)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert file.read_text() == "400"


def test_file_system_without_locks(tmp_path, monkeypatch, capsys):
    """A network file system may have none: a run there goes on, and says so."""

    def no_lock(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fmkit.processes.lock_descriptor", no_lock)
    with only_writer(tmp_path, "run"):
        pass
    assert "no lock on this file system (No locks available)" in capsys.readouterr().err


def test_place_that_cannot_be_written(tmp_path):
    with (
        pytest.raises(FmkitError, match="cannot be written: No such file"),
        only_writer(tmp_path / "a" / "b"),
    ):
        pass


@pytest.mark.slow
def test_written_file_has_one_writer(trained_model, tmp_path, capsys):
    trained_model.save_pretrained(tmp_path / "model")
    out = tmp_path / "texts.jsonl"
    write = ["write", str(tmp_path / "model"), "--count", "1", "--max-new-tokens", "2", "--out", str(out)]
    with other_process(out) as process:
        assert main(write) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{out}: is being written by process {process.pid} on" in line
    assert not out.exists()
    assert main(write) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "texts.jsonl"]


def test_saved_model_has_one_writer(model, tmp_path):
    model.save_pretrained(tmp_path)
    before = {path: path.stat() for path in tmp_path.iterdir()}
    with other_process(tmp_path, "model"), pytest.raises(FmkitError, match="is being written by process"):
        model.save_pretrained(tmp_path)
    assert {path: path.stat() for path in tmp_path.iterdir()} == before


# --- one writes, another reads -----------------------------------------------------------------------------


def marked(mark: int) -> Transformer:
    """A model whose configuration and weights both have this number."""
    model = Transformer(ModelConfig(64, 64, 1, 4, rope_theta=mark))
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(mark)
    return model


def save_in_turn(models: list[Transformer], directory: Path) -> None:
    while True:
        for model in models:
            model.save_pretrained(directory)


@pytest.mark.slow
def test_reader_gets_one_model_or_none(tmp_path):
    models = [marked(1), marked(2)]
    models[0].save_pretrained(tmp_path)
    writer = FORK.Process(target=save_in_turn, args=(models, tmp_path))
    writer.start()
    seen, refused = set(), set()
    try:
        attempts = 0
        while attempts < 300 or (len(seen) < 2 and writer.is_alive()):  # on busy cores one may wait long
            attempts += 1
            try:
                model = Transformer.from_pretrained(tmp_path)
                assert {weight.max().item() for weight in model.parameters()} == {model.config.rope_theta}
                seen.add(model.config.rope_theta)
            except FmkitError as error:
                refused.add(str(error).partition(": ")[2].partition(" (")[0])
    finally:
        writer.kill()
        writer.join()
    assert seen == {1, 2}, f"after {attempts} attempts"
    assert refused <= {"no model here", "was rewritten while it was read: open it again"}


@pytest.mark.parametrize("kind", ["model", "adapter"])
def test_model_replaced_while_it_is_read(kind, tmp_path, monkeypatch):
    """The weights of one and the tokenizer of another would be nonsense, without an error."""
    if kind == "model":
        marked(1).save_pretrained(tmp_path)
        what, save = "load_weights", lambda: marked(2).save_pretrained(tmp_path)
    else:
        base = marked(1)
        add_lora(base, LoraConfig(r=2))
        what, save = "read_tensors", lambda: save_adapter(base, tmp_path, "base")
        save()
    read = getattr(__import__("fmkit.checkpoint").checkpoint, what)
    monkeypatch.setattr(f"fmkit.checkpoint.{what}", lambda path: (read(path), save())[0])
    with pytest.raises(FmkitError, match="was rewritten while it was read: open it again"):
        Transformer.from_pretrained(tmp_path) if kind == "model" else load_adapter(marked(1), tmp_path)


def test_half_replaced_model_is_no_model(tmp_path, monkeypatch):
    """What a kill between two files leaves: not the weights of one with the configuration of another."""
    marked(1).save_pretrained(tmp_path)
    replace, replaced = os.replace, []

    def killed(source: Path, target: Path) -> None:
        if replaced:
            raise KeyboardInterrupt
        replaced.append(replace(source, target))

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        marked(2).save_pretrained(tmp_path)
    with pytest.raises(FmkitError, match=r"no model here \(config.json is missing\)"):
        Transformer.from_pretrained(tmp_path)


# --- copies of one process ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WORLD_SIZES)
@pytest.mark.parametrize("size", ["1", "2"])
def test_launched_copies_are_refused(name, size, tmp_path, monkeypatch, capsys):
    """torchrun, srun and mpirun would train so many models that know nothing of each other."""
    (tmp_path / "text.txt").write_text("A hen saw a fox. The fox ran home, and the hen did, too. " * 40)
    monkeypatch.setenv(name, size)
    shape = "--vocab-size 270 --hidden-size 16 --num-hidden-layers 1 --context-length 16 --steps 1"
    where = ["--corpus", str(tmp_path / "text.txt"), "--out", str(tmp_path / "run")]
    code = main(["pretrain", *where, *shape.split(), "--device", "cpu"])
    if size == "1":
        assert code == 0
        return
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{name}=2: 2 processes would train 2 unconnected copies" in line
    assert not (tmp_path / "run").exists()
