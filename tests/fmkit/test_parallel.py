"""Two processes under torchrun, connected by gloo, train the model that one process trains."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import ranks
import torch
from torch.distributed import HashStore

from fmkit import FmkitError, TrainConfig, Transformer, align, grpo
from fmkit.checkpoint import find_damage, read_checkpoint
from fmkit.cli import main
from fmkit.data.batches import make_loader
from fmkit.objectives import language_modeling
from fmkit.parallel import Shared, join, own_rows
from fmkit.processes import TORCHRUN, count_processes
from fmkit.trainer import Trainer

TIMES = ("tokens_per_second", "mfu")  # what a metrics line says of the clock


def torchrun(*arguments: object, processes: int = 2, **how: object) -> subprocess.Popen:
    """Start processes; what they print comes back as one text."""
    launcher = [sys.executable, "-P", "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    environment = os.environ | {"PYTHONSAFEPATH": "1"}  # tests/fmkit must not be found as fmkit
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*launcher, *map(str, arguments)], env=environment, **pipes)


def succeed(process: subprocess.Popen) -> str:
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    return printed


# --- the same training -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained_by_two(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("ranks") / "done.pt"
    succeed(torchrun(ranks.__file__, out, *ranks.WAYS))
    return torch.load(out, weights_only=False)


@pytest.mark.slow
@pytest.mark.parametrize("way", ranks.WAYS)
def test_two_ranks_are_one(way, trained_by_two):
    """Texts packed and replayed, answers of unequal lengths, adapters: the gradients and what is measured."""
    one = ranks.train(way)
    for engine in ranks.engines_for(way):
        two = trained_by_two[way, engine]
        for step, (ours, theirs) in enumerate(zip(one["gradients"], two["gradients"], strict=True)):
            # AdamW divides small differences by small gradients, so they show from the second step on.
            torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-4 if step else 1e-6)
        for ours, theirs in zip(one["history"], two["history"], strict=True):
            assert {k: v for k, v in theirs.items() if k not in TIMES} == pytest.approx(
                {k: v for k, v in ours.items() if k not in TIMES}, rel=1e-4
            )
        assert two["weights"].keys() == one["weights"].keys()
        for name, weight in two["weights"].items():
            torch.testing.assert_close(weight, one["weights"][name], rtol=0, atol=1e-3)


def test_rows_of_a_pair_stay_together(monkeypatch):
    monkeypatch.setattr("fmkit.parallel.size", lambda: 2)
    monkeypatch.setattr("fmkit.parallel.rank", lambda: 1)
    batch = {"input_ids": torch.arange(8), "num_items": 4, "document_ids": None}  # four pairs
    assert own_rows(batch, 4)["input_ids"].tolist() == [1, 3, 5, 7]
    with pytest.raises(FmkitError, match=r"must have batch_size=4 rows, or a multiple"):
        own_rows({"input_ids": torch.arange(6), "num_items": 6}, 4)
    with pytest.raises(FmkitError, match=r"batch_size=3, .* cannot be shared by 2: give a multiple"):
        Shared(None, language_modeling, TrainConfig(batch_size=3), torch.device("cpu"), compiled=False)


def test_checkpointing_has_the_same_bits(model_config, stories, tokenizer):
    weights, held = [], []
    for again in (False, True):
        saved: list[int] = []

        def objective(model, batch, saved=saved):
            keep = lambda tensor: (saved.append(tensor.numel()), tensor)[1]  # noqa: E731
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                return language_modeling(model, batch)

        model, loader = Transformer(model_config), make_loader(stories["train"], tokenizer, 2, 64, seed=0)
        config = TrainConfig(steps=3, batch_size=2, gradient_checkpointing=again, device="cpu")
        list(Trainer(model, objective, loader, config).run())
        weights.append(model.state_dict())
        held.append(sum(saved))
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)
    assert held[1] < held[0] / 2


# --- a run ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story_file(stories, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("corpus") / "stories.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in stories["train"]["text"]))
    return file


def command(story_file: Path, out: Path, steps: int = 24, *more: str) -> list[str]:
    """A run at a constant learning rate, which may be made longer."""
    shape = "--vocab-size 300 --hidden-size 32 --num-hidden-layers 1 --context-length 64 --batch-size 4"
    rest = "--eval-every 8 --eval-rows 4 --checkpoint-every 4 --min-lr-ratio 1 --warmup-steps 2 --device cpu"
    where = ["--corpus", str(story_file), "--out", str(out), "--steps", str(steps)]
    return ["-m", "fmkit", "pretrain", *where, *shape.split(), *rest.split(), *more]


def history(run: Path) -> list[dict]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


def workers(process: subprocess.Popen) -> list[int]:
    """The processes that torchrun started, once both are there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while len(found := children.read_text().split()) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    return [int(pid) for pid in found]


def wait_for(file: Path, process: subprocess.Popen) -> None:
    while not file.exists() or not file.stat().st_size:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


@pytest.fixture(scope="module", params=[[], ["--fsdp"]], ids=["ddp", "fsdp"])
def engine(request) -> list[str]:
    return request.param


@pytest.fixture(scope="module")
def undisturbed(engine, story_file, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    printed = succeed(torchrun(*command(story_file, out, 24, *engine)))
    assert printed.count("the model is in") == 1  # one process reports
    return out


def assert_same_state(one: Path, other: Path, prefix: str) -> None:
    """That the tensors of the last checkpoints whose names have the prefix are the same, and the JSON."""
    states = [run / "checkpoints/step-00000024" for run in (one, other)]
    ours, theirs = (read_checkpoint(state, {}, {"read": torch.empty(0)})[1] for state in states)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours if name.startswith(prefix))
    assert len({(state / "training.json").read_text() for state in states}) == 1


@pytest.mark.slow
def test_killed_worker_is_started_again(engine, story_file, undisturbed, tmp_path):
    """torchrun starts all of them anew, and they go on from the last checkpoint, to the same bits."""
    out = tmp_path / "run"
    process = torchrun("--max-restarts", 1, *command(story_file, out, 24, *engine, "--resume"))
    wait_for(out / "checkpoints/step-00000008", process)
    os.kill(workers(process)[1], signal.SIGKILL)
    succeed(process)
    assert history(out) == history(undisturbed)
    assert_same_state(out, undisturbed, "")
    assert find_damage(out / "checkpoints/step-00000024") is None


@pytest.mark.slow
def test_stop_signal_reaches_all(engine, story_file, tmp_path):
    """They end after the same step, at the latest when torchrun has passed the signal on, and save it."""
    out, whole = tmp_path / "run", tmp_path / "whole"
    # 24 steps can be over before torchrun has passed the signal on.
    long = [240, *engine, "--checkpoint-every", "1000"]
    # After 30 seconds torchrun would kill them, and a busy machine may need more to save.
    process = torchrun("--shutdown-timeout", 300, *command(story_file, out, *long))
    wait_for(out / "metrics.jsonl", process)
    os.kill(process.pid, signal.SIGTERM)
    printed, _ = process.communicate()
    assert printed.count("finishing this step") == 1, printed
    assert (out / "checkpoints").is_dir(), printed
    (checkpoint,) = (out / "checkpoints").iterdir()
    assert find_damage(checkpoint) is None
    assert checkpoint.name < "step-00000240"
    for run in (out, whole):
        succeed(torchrun(*command(story_file, run, *long, "--resume")))
    assert history(out) == history(whole)


@pytest.mark.slow
def test_opens_on_another_number(engine, story_file, tmp_path):
    """What two have begun one goes on with, then two by the other engine: on the same data in this order."""
    out, whole, other = tmp_path / "run", tmp_path / "whole", [] if engine else ["--fsdp"]
    succeed(torchrun(*command(story_file, out, 8, *engine)))
    assert main(command(story_file, out, 16, "--resume")[2:]) == 0
    succeed(torchrun(*command(story_file, out, 24, *other, "--resume")))
    assert main(command(story_file, whole)[2:]) == 0
    for ours, theirs in zip(history(out), history(whole), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3)
    assert_same_state(out, whole, "data.")


@pytest.mark.slow
def test_transformers_opens_it(undisturbed):
    from transformers import AutoModelForCausalLM

    theirs, ours = AutoModelForCausalLM.from_pretrained(undisturbed), Transformer.from_pretrained(undisturbed)
    ids = torch.arange(20)[None]
    torch.testing.assert_close(theirs(ids).logits, ours(ids), rtol=1e-4, atol=1e-5)


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.fixture
def two(monkeypatch) -> None:
    """As torchrun says to one of two."""
    for name in TORCHRUN:
        monkeypatch.setenv(name, "2")


@pytest.mark.usefixtures("two")
def test_torchrun_under_srun(monkeypatch):
    """One on each machine connects them; one that knows of its own machine only does not."""
    assert count_processes() == 2
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    monkeypatch.setenv("GROUP_WORLD_SIZE", "2")
    assert count_processes() == 2
    monkeypatch.setenv("GROUP_WORLD_SIZE", "1")
    with pytest.raises(FmkitError, match=r"SLURM_STEP_NUM_TASKS=2: 2 processes would train 2 unconnected"):
        count_processes()


@pytest.mark.usefixtures("two")
def test_accelerate_is_refused(monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    with pytest.raises(FmkitError, match="no settings of accelerate: start it by torchrun instead"):
        count_processes()


@pytest.mark.parametrize("recipe", [align, partial(grpo, reward=ranks.vowels)], ids=["align", "grpo"])
def test_two_models_share_no_weights(recipe, model, tokenizer):
    with pytest.raises(FmkitError, match="holds two whole models in each process: leave fsdp off"):
        recipe(model, tokenizer, [], TrainConfig(fsdp=True))


@pytest.mark.parametrize(
    ("device", "refused"), [("cuda:0", True), ("mps", True), ("cuda:1", False), ("cpu", False)]
)
def test_each_process_has_its_device(device, refused, monkeypatch):
    for name in TORCHRUN:
        monkeypatch.setenv(name, "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr("torch.distributed.rendezvous", lambda url: iter([(HashStore(), 1, 2)]))
    monkeypatch.setattr("torch.distributed.init_process_group", lambda **how: None)
    monkeypatch.setattr("torch.cuda.set_device", lambda device: None)
    monkeypatch.setattr("atexit.register", lambda function: None)
    if refused:
        with pytest.raises(FmkitError, match=f"device='{device}' is one for 2 processes: give cuda or cpu"):
            join(torch.device(device))
    else:
        join(torch.device(device))
