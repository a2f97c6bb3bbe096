"""The book's models are what their cards say, and others can open them."""

import io
import json
import math
import re
import shlex
from functools import cache

import pytest
import torch
import transformers
from huggingface_hub import ModelCard

from bookkit.experiments.foundations import SETTINGS, SIZE, STEPS
from bookkit.zoo import measures
from bookkit.zoo.commands import Plan, read_plans
from bookkit.zoo.making import KEPT, MODELS, card_of, make, write_card
from fmkit import ModelConfig
from fmkit.cli import _parser, main
from fmkit.data.corpora import content_hash, load_corpus
from fmkit.errors import FmkitError
from fmkit.model import Classifier, open_model
from fmkit.world import DOMAINS

PLANS = read_plans(MODELS / "commands.yml")
TRAININGS = [
    (name, command)
    for name, plan in PLANS.items()
    for command in plan.commands
    if command.startswith("fmkit ")
]
TOLERANCE = 0.02  # of what is recomputed: other processors round otherwise
SAMPLED = 0.3  # of measures of sampled text, which is then another text


@cache
def record(name):
    return json.loads((MODELS / name / "record.json").read_text())


@cache
def model(name):
    return open_model(MODELS / name)


def parse(command):
    return _parser().parse_args(shlex.split(command)[1:])


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_transformers_computes_the_same(name):
    ours = model(name).eval()
    ids = torch.tensor([ours.tokenizer.encode("Once upon a time, there was a girl named Mia.").ids])
    with torch.no_grad():
        if isinstance(ours, Classifier):
            theirs = transformers.AutoModelForSequenceClassification.from_pretrained(MODELS / name)
            mine = ours(ids, torch.tensor([ids.shape[1] - 1]))
        else:
            theirs = transformers.AutoModelForCausalLM.from_pretrained(MODELS / name)
            mine = ours(ids)
        torch.testing.assert_close(mine, theirs(ids).logits, atol=2e-4, rtol=1e-4)
    tokenizer = transformers.AutoTokenizer.from_pretrained(MODELS / name)
    text = "Tom's dog ran home."
    assert tokenizer(text, add_special_tokens=False)["input_ids"] == (
        ours.tokenizer.encode(text, add_special_tokens=False).ids
    )


@pytest.mark.parametrize("name", PLANS)
def test_the_card_is_written_from_the_files(name):
    assert (MODELS / name / "README.md").read_text(encoding="utf-8") == str(card_of(PLANS[name], MODELS)), (
        "run `python -m bookkit.zoo --cards`"
    )
    assert tuple(record(name)["commands"]) == PLANS[name].commands, f"run `python -m bookkit.zoo {name}`"


@pytest.mark.parametrize("name", PLANS)
def test_the_hub_reads_the_card(name):
    data = ModelCard.load(MODELS / name / "README.md").data
    assert data.license == "mit"
    assert data.base_model == PLANS[name].base
    assert [result.metric_value for result in data.eval_results] == [
        result["value"] for result in record(name)["results"]
    ]
    assert data.co2_eq_emissions["emissions"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_its_first_measure_is_reproduced(name):
    measure = PLANS[name].measures[0]
    again = measures.MEASURES[measure][1](model(name), model(name))
    tolerance = SAMPLED if measure in ("endings", "requests") else TOLERANCE
    for result in record(name)["results"]:
        if result["measure"] == measure and "win_rate" not in result["name"]:  # over a model that is not kept
            assert again[result["name"]] == pytest.approx(result["value"], abs=tolerance), result["name"]


@pytest.mark.parametrize("name", PLANS)
def test_files_are_small_and_name_no_folder(name):
    files = sorted(path.name for path in (MODELS / name).iterdir())
    assert files == sorted([*KEPT, "README.md", "record.json"])
    assert sum(path.stat().st_size for path in (MODELS / name).iterdir()) < 2.5e6
    for path in (MODELS / name).iterdir():
        head = path.read_bytes()[: 20_000 if path.suffix == ".safetensors" else None]
        assert not re.search(rb"/(home|root|tmp|work|usr|Users|var)/|[A-Z]:\\\\", head), path.name


@pytest.mark.parametrize(("name", "command"), TRAININGS)
def test_every_command_is_one_of_fmkit(name, command):
    assert parse(command).out


@pytest.mark.parametrize("name", PLANS)
def test_commands_read_earlier_models_only(name):
    earlier = list(PLANS)[: list(PLANS).index(name)]
    for command in (command for owner, command in TRAININGS if owner == name):
        options = parse(command)
        read = getattr(options, "model", getattr(options, "teacher", None))
        assert read is None or read in earlier
        earlier.append(options.out)
    assert earlier[-1] == name
    assert PLANS[name].beside is None or PLANS[name].beside in earlier


@pytest.mark.slow
def test_the_base_is_that_of_the_experiments():
    run = record("base")["runs"][0]["settings"]
    training = {**SETTINGS, "steps": STEPS, "seed": 0}
    assert {key: run["training"][key] for key in training} == training
    assert ModelConfig(**run["model"]) == SIZE  # what has come since has its default
    assert run["corpus"] == content_hash(load_corpus("stories"))


def value(name, key, column="value"):
    return next(result[column] for result in record(name)["results"] if result["name"] == key)


def test_each_model_is_good_at_its_task():
    assert value("base", "above_floor") < 0.15
    assert value("teacher", "above_floor") < 0.7 * value("base", "above_floor")
    assert value("domain-adapted", "loss") < 0.5 * value("domain-adapted", "loss", "beside")
    assert value("classifier", "f1") > 0.95
    assert value("assistant", "valid_answers") > 0.7
    assert value("aligned", "win_rate") > 0.6
    assert value("preference-reward", "truth_accuracy") > 0.95
    assert value("reader", "read_one") > 0.95
    assert value("masked", "right: told later") > 1.5 * value("masked", "right: told later", "beside")


def test_a_customer_chats_with_the_assistant(monkeypatch, capsys):
    questions = ["I forgot my password. What can I do?", "Are you open on Sunday?"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(questions)))
    assert main(["chat", str(MODELS / "assistant")]) == 0
    answers = capsys.readouterr().out.strip().splitlines()
    shop = DOMAINS["support"].make(0)
    for question, answer in zip(questions, answers, strict=True):
        assert shop.log_prob(f"{question}\n{answer}") > -math.inf, answer


# --- making ------------------------------------------------------------------------------------------------

SMALL = "--hidden-size 16 --num-hidden-layers 1 --steps 3 --batch-size 2 --eval-rows 2"


def plan(name, *commands, **more):
    more = {"measures": ("stories",)} | more
    return Plan(name, "It is small.", "For a test.", "It knows nothing.", commands, **more)


@pytest.mark.slow
def test_models_are_made_by_their_commands(stories, tmp_path, monkeypatch):
    monkeypatch.setattr(measures, "TEXTS", 4)
    corpus = tmp_path / "stories.jsonl"
    stories["train"].select(range(50)).to_json(corpus)
    first = plan("first", f"fmkit pretrain --corpus {corpus} --vocab-size 300 {SMALL} --out first")
    second = plan(
        "second",
        "python -c \"open('reviews.jsonl', 'w').write('{\\\"text\\\": \\\"I saw a film.\\\"}\\n' * 99 + "
        '\'{\\"text\\": \\"It was good.\\"}\')"',
        "fmkit continue first --corpus reviews.jsonl --steps 2 --batch-size 1 --eval-rows 2 --out second",
        base="first",
        beside="first",
    )
    for each in (first, second):
        make(each, tmp_path)
        write_card(each, tmp_path)
    made = json.loads((tmp_path / "second" / "record.json").read_text())
    assert [run["steps"] for run in made["runs"]] == [2]
    assert made["runs"][0]["usage"]["cpu_seconds"] > 0
    assert {result["name"] for result in made["results"]} >= {"loss", "floor", "above_floor"}
    assert all("beside" in result for result in made["results"])
    text = (tmp_path / "second" / "README.md").read_text()
    assert "fmkit continue first" in text
    assert "estimated" in text or "measured" in text

    before = (tmp_path / "first" / "model.safetensors").read_bytes()
    with pytest.raises(FmkitError, match="ended with code 2"):
        make(plan("first", "python -c 'exit(2)'"), tmp_path)
    with pytest.raises(FmkitError, match="not a command"):
        make(plan("first", "rm first"), tmp_path)
    assert (tmp_path / "first" / "model.safetensors").read_bytes() == before


def test_an_incomplete_plan_is_one_line(tmp_path):
    (tmp_path / "commands.yml").write_text("base:\n  purpose: a model\n")
    with pytest.raises(FmkitError, match=r"commands\.yml: base has purpose; an entry has"):
        read_plans(tmp_path / "commands.yml")


def test_an_unknown_model_is_one_line(capsys):
    from bookkit.zoo.__main__ import main as make_models

    assert make_models(["bass"]) == 2
    assert "choose from base, teacher" in capsys.readouterr().err
