"""Everything computes where the accelerator is, and says there what it says on the CPU."""

import copy
import io
import json
import math
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from accelerator import NAME, Accelerator
from tasks import CHATS, PREFERENCES, QUESTIONS, SALES, all_texts, config, shape

import fmkit
from fmkit import Classifier, FmkitError, Transformer
from fmkit.cli import main
from fmkit.config import choose_device
from fmkit.data.batches import make_loader, to_device
from fmkit.data.example_batches import collate_completions, example_batches, tokenize_completions
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.answers import answer_messages, probability_of
from fmkit.evaluation.calibration import fit_temperature
from fmkit.evaluation.choices import choice_log_probs
from fmkit.evaluation.episodes import speaker
from fmkit.evaluation.judge import Comparison, prefer_first
from fmkit.evaluation.likelihood import total_nats
from fmkit.evaluation.meaning import token_vectors
from fmkit.evaluation.privacy import text_losses
from fmkit.objectives import language_modeling
from fmkit.trainer import Trainer


@pytest.fixture
def accelerator(monkeypatch) -> Iterator[Accelerator]:
    """A machine with an accelerator, whose fused AdamW ignores `found_inf`, as that of MPS does."""
    fused = torch._fused_adamw_

    def ignoring(*tensors, found_inf=None, **settings):
        fused(*tensors, **settings)

    monkeypatch.setattr("fmkit.config._reproducible", False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    monkeypatch.setattr("torch._fused_adamw_", ignoring)
    with Accelerator() as accelerator:
        yield accelerator


@pytest.fixture(scope="module")
def toys():
    """A tokenizer with chat tokens, and a model that has begun to learn."""
    tokenizer = fmkit.add_chat_tokens(fmkit.train_tokenizer(all_texts(), 320))
    model = Transformer(shape(tokenizer, hidden_size=16, num_attention_heads=2))
    fmkit.pretrain(model, tokenizer, SALES, config(20))
    return model, tokenizer


@pytest.fixture(scope="module")
def saved(toys, tmp_path_factory):
    """Directories of models of both kinds, and files of each kind of data."""
    folder = tmp_path_factory.mktemp("saved")
    model, _ = toys
    model.save_pretrained(folder / "model")
    for name, labels in (("classifier", ("no", "yes")), ("reward", ("reward",))):
        Classifier.from_base(model, labels).save_pretrained(folder / name)
    rows = {"questions": QUESTIONS, "chats": CHATS, "pairs": PREFERENCES, "texts": SALES}
    kinds = {name: list(data["train"].take(12)) for name, data in rows.items()}
    kinds["labeled"] = [{"text": f"{i} hats", "label": ["no", "yes"][i % 2]} for i in range(12)]
    kinds["said"] = [{"prediction": f"{i} red hats now", "reference": f"{i} blue hats now"} for i in range(3)]
    for name, lines in kinds.items():
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def on_both(run, accelerator: Accelerator):
    """What `run` returns on the CPU and, by default, on the accelerator."""
    cpu, accelerator.used = run("cpu"), False
    there = run(None)
    assert accelerator.used
    return cpu, there


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "generate model --prompt Sold --seed 1 --top-k 9 --top-p 0.9",
        "write model --count 3 --max-new-tokens 9 --out texts.csv",
        "write model --prompts questions.jsonl --max-new-tokens 9 --out new.csv",
        "chat model --max-new-tokens 9",
        "evaluate model --corpus texts.jsonl --split all",
        "evaluate model --data questions.jsonl --split all",
        "evaluate model --data chats.jsonl --split all",
        "evaluate model --data pairs.jsonl --split all",
        "evaluate model --stories 2",
        "evaluate classifier --data labeled.jsonl --split all",
        "evaluate reward --data pairs.jsonl --split all",
    ],
)
def test_commands_compute_on_accelerator(command, saved, accelerator, capsys, monkeypatch):
    monkeypatch.chdir(saved)

    def run(device):
        monkeypatch.setattr("sys.stdin", io.StringIO("I have a red hat.\n"))
        assert main([*command.split(), *(["--device", device] if device else [])]) == 0
        written = [(saved / word).read_text() for word in command.split() if word in ("texts.csv", "new.csv")]
        return capsys.readouterr().out, written

    cpu, there = on_both(run, accelerator)
    assert cpu == there


RECIPES = {
    "pretrain": (SALES, {}),
    "continue_pretrain": (SALES, {"replay": SALES}),
    "finetune": (CHATS, {}),
    "align": (PREFERENCES, {}),
    "grpo": (QUESTIONS, {"num_generations": 2, "max_new_tokens": 4}),
    "distill": (QUESTIONS, {}),
    "train_reward": (PREFERENCES, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("adapted", [False, True], ids=["whole", "lora"])
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_trains_there(name, adapted, toys, accelerator, tmp_path):
    (data, settings), (base, tokenizer) = RECIPES[name], toys
    reads = {"distill": "teacher", "grpo": "reward"}

    def run(device):
        model = copy.deepcopy(base)
        more = {}
        if name == "train_reward":
            model = Classifier.from_base(model, ["reward"])
        if name in reads:
            read = copy.deepcopy(base)
            more[reads[name]] = read if name == "distill" else Classifier.from_base(read, ["reward"])
        if adapted:
            fmkit.add_lora(model, fmkit.LoraConfig(r=2))
        settled = config(4, device=device, batch_size=4, eval_every=2, checkpoint_every=2, dtype="float32")
        out = {"output_dir": tmp_path / str(device)}
        trained = getattr(fmkit, name)(model, tokenizer, data, settled, **settings, **more, **out)
        unmeasured = ("tokens_per_second", "mfu")  # the second is of known devices
        return [{k: v for k, v in step.items() if k not in unmeasured} for step in trained.history]

    cpu, there = on_both(run, accelerator)
    # A CPU takes packed documents one by one, other devices take rows whole: the last bits differ.
    assert [list(step) for step in there] == [list(step) for step in cpu]
    for one, other in zip(cpu, there, strict=True):
        assert one == pytest.approx(other, rel=1e-4)


@pytest.mark.slow
def test_measures_compute_there(toys, accelerator):
    """Each helper that makes tensors of its own makes them where the model is."""
    model, tokenizer = toys
    pair = Comparison("Which hat?", " red", " blue")
    batches = example_batches(
        tokenize_completions(QUESTIONS["train"].take(3), tokenizer, 64),
        3,
        partial(collate_completions, pad_id=special_id(tokenizer, PAD)),
    )
    logits, labels = torch.tensor([[2.0, 1.0], [1.0, 0.5], [3.0, 1.0]]), torch.tensor([0, 1, 0])

    def run(device):
        place = choose_device(device)
        read = copy.deepcopy(model).to(place)
        chats = CHATS["train"][:2]["messages"]
        asked = [chat[:1] for chat in chats]
        return (
            choice_log_probs(read, tokenizer, "Sold:", [" one red hat", " one cup"]),
            prefer_first(read, [pair, pair.swapped()]),
            text_losses(read, tokenizer, ["Sold: one red hat", "Sold"]),
            token_vectors(read, tokenizer, "Sold: one red hat").tolist(),
            answer_messages(read, tokenizer, asked, 5),
            probability_of(read, tokenizer, asked, "So wear it."),
            total_nats(read, batches),
            speaker(read, tokenizer, 5)(asked),
            fit_temperature(logits.to(place), labels.to(place)),
        )

    cpu, there = on_both(run, accelerator)
    assert cpu == there


def test_bertscore_reads_there(saved, accelerator, monkeypatch, capsys):
    read = []

    def score(said, true, device, **settings):
        read.append(device)
        return (torch.ones(len(said)),) * 3

    monkeypatch.setattr("fmkit.evaluation.meaning._library", lambda: SimpleNamespace(score=score))
    command = ["evaluate", str(saved / "model"), "--metrics", "bertscore"]
    command += ["--predictions", str(saved / "said.jsonl")]
    assert main(command) == main([*command, "--device", "cpu"]) == 0
    assert read == [NAME, "cpu"]


@pytest.mark.parametrize("device", ["tpu", "cuda:2", "cuda:x", "mps:1"])
def test_device_that_is_not_there(device, saved, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda:1")
    for command in (["generate"], ["evaluate", "--stories", "1"], ["chat"]):
        assert main([command[0], str(saved / "model"), *command[1:], "--device", device]) == 2
        assert f"device='{device}' is not available on this machine: choose from" in capsys.readouterr().err


def test_batch_moves_back_to_the_cpu(accelerator):
    batch = {"input_ids": torch.ones(1, 2, device=NAME), "document_ids": None, "num_items": 2}
    assert to_device(batch, torch.device("cpu"))["input_ids"].device.type == "cpu"


@pytest.mark.parametrize("spoil", [math.nan, math.inf])
def test_mps_takes_no_nonfinite_step(toys, accelerator, spoil):
    """Its fused AdamW does not read `found_inf`."""
    base, tokenizer = toys
    model, context = copy.deepcopy(base), base.config.max_position_embeddings

    def make(objective, model):
        loader = make_loader(SALES["train"], tokenizer, 4, context, seed=0)
        return Trainer(model, objective, loader, config(4, device=NAME))

    def spoiled(model, batch):
        return language_modeling(model, batch) * (spoil if trainer.step == 2 else 1)

    trainer = make(spoiled, model)
    steps = trainer.run()
    _, _ = next(steps), next(steps)
    before = copy.deepcopy(model.weights())
    with pytest.raises(FmkitError, match="the weights of step 2 are kept"):
        next(steps)
    assert all(torch.equal(before[name], weight) for name, weight in model.weights().items())

    # What was kept is what a run can go on from.
    again = make(language_modeling, copy.deepcopy(base))
    again.model.load_state_dict(model.state_dict())
    again.load_state_dict(*trainer.state_dict())
    whole = make(language_modeling, copy.deepcopy(base))
    assert [step["loss"] for step in again.run()] == [step["loss"] for step in whole.run()][2:]
