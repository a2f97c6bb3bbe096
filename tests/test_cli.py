"""The command line as a person meets it: it works, or says in one line what to do, with exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from fmkit import ModelConfig, Transformer
from fmkit.cli import main

FMKIT = Path(sys.executable).with_name("fmkit")
SMALL = [
    "--vocab-size",
    "300",
    "--hidden-size",
    "32",
    "--num-hidden-layers",
    "1",
    "--context-length",
    "32",
    "--batch-size",
    "2",
    "--steps",
    "4",
]


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> Path:
    """Files a person might point at, good and bad."""
    folder = tmp_path_factory.mktemp("texts")
    story = "The fox saw a hen. The hen saw the fox, and ran home. What a day it was for both of them! "
    (folder / "good.txt").write_text(story * 20)
    (folder / "short.txt").write_text("A fox ran.\nA hen ran too.")
    (folder / "empty.txt").write_text("")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 4)
    records = [json.dumps({"text": story}), json.dumps({"text": story})]
    (folder / "broken.jsonl").write_text("\n".join([*records, '{"text": "half', records[0]]))
    (folder / "other.jsonl").write_text('{"body": "text"}\n')
    return folder


def fails(capsys, *arguments: str) -> str:
    """The one line that a faulty command prints."""
    assert main(list(arguments)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 1, printed.err
    assert lines[0].startswith("fmkit: error: ")
    return lines[0]


@pytest.mark.parametrize(
    ("corpus", "options", "message"),
    [
        ("storys", [], "did you mean 'stories'"),
        ("nowhere.txt", [], "nowhere.txt"),
        ("empty.txt", [], "empty"),
        ("binary.txt", [], "binary.txt"),
        ("broken.jsonl", [], "line 3"),
        ("other.jsonl", [], "text_column"),
        ("good.txt", ["--vocab-size", "5000"], "more than the text allows: choose"),
        ("good.txt", ["--vocab-size", "100"], "too small"),
        ("short.txt", ["--vocab-size", "261"], "tokens and a context 32"),
        ("good.txt", ["--hidden-size", "30"], "not divisible by num_attention_heads=4: try hidden_size=32"),
        ("good.txt", ["--steps", "-1"], "steps=-1"),
        ("good.txt", ["--steps", "many"], "invalid int value"),
        ("good.txt", ["--device", "tpu"], "choose from"),
        ("good.txt", ["--context-length", "999"], "max_position_embeddings"),
        ("good.txt", ["--no-such-option"], "unrecognized"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(corpus, options, message, texts, tmp_path, capsys):
    path = str(texts / corpus) if "." in corpus else corpus
    line = fails(capsys, "pretrain", "--corpus", path, "--out", str(tmp_path / "out"), *SMALL, *options)
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_not_finite_names_step_and_remedy(texts, tmp_path, capsys):
    line = fails(
        capsys,
        "pretrain",
        "--corpus",
        str(texts / "good.txt"),
        "--out",
        str(tmp_path / "out"),
        *SMALL,
        "--initializer-range",
        "1e30",
    )
    assert "step 1: loss" in line
    assert "lower learning_rate" in line


def test_directories_that_do_not_fit(texts, tmp_path, capsys):
    run = ["pretrain", "--corpus", str(texts / "good.txt"), "--out", str(tmp_path / "run"), *SMALL]
    assert main(run) == 0
    before = sorted(tmp_path.rglob("*"))
    capsys.readouterr()
    assert "go on with --resume" in fails(capsys, *run)
    changed = fails(capsys, *run, "--resume", "--learning-rate", "0.5", "--steps", "9")
    assert "training.learning_rate was 0.003 and is 0.5" in changed
    assert "training.steps was 4 and is 9" in changed
    other = [*run]
    other[2] = str(texts / "short.txt")
    assert "corpus" in fails(capsys, *other, "--resume", "--vocab-size", "260", "--context-length", "8")
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    run[4] = str(tmp_path / "mine")
    assert "holds no run" in fails(capsys, *run, "--resume")
    assert "config.json is missing" in fails(capsys, "generate", str(tmp_path / "mine"))
    assert "config.json is missing" in fails(capsys, "generate", str(tmp_path / "nowhere"))
    run[4] = str(tmp_path / "mine" / "letter.txt")
    assert "letter.txt" in fails(capsys, *run)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_model_without_its_tokenizer(tmp_path, capsys):
    Transformer(ModelConfig(vocab_size=300, hidden_size=32)).save_pretrained(tmp_path)
    assert "tokenizer.json" in fails(capsys, "generate", str(tmp_path))


def test_pretrain_then_generate_as_commands(texts, tmp_path):
    command = [FMKIT, "pretrain", "--corpus", texts / "good.txt", "--out", tmp_path / "model", *SMALL]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "over 4 steps" in done.stdout
    command = [FMKIT, "generate", tmp_path / "model", "--prompt", "The fox", "--seed", "1"]
    one, again = (subprocess.run(command, capture_output=True, text=True) for _ in range(2))
    assert one.stdout == again.stdout
    assert one.stdout.startswith("The fox")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert theirs.config.vocab_size == AutoTokenizer.from_pretrained(tmp_path / "model").vocab_size == 300


def test_help_does_not_wait_for_torch():
    code = "import sys, fmkit.cli\ntry: fmkit.cli.main(['--help'])\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "assert 'torch' not in sys.modules"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "pretrain" in done.stdout


def test_the_first_run_of_the_readme(tmp_path, monkeypatch):
    """The ten lines that a beginner types, letter for letter as the README has them, but for fewer steps."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) <= 10
    assert "steps=600" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("steps=600", "steps=3"), "README.md", "exec"), {})
    assert AutoModelForCausalLM.from_pretrained("my-model").config.hidden_size == 64
    assert AutoTokenizer.from_pretrained("my-model").vocab_size == 1024
