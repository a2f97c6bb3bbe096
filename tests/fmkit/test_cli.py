"""The command line as a person meets it: it works, or says in one line what to do, with exit code 2."""

import ast
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

import fmkit
from fmkit import ModelConfig, Transformer, load_corpus, load_examples
from fmkit.cli import _parser, main
from fmkit.cli.registry import COMMANDS
from fmkit.generation import reply
from fmkit.world import DOMAINS

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
        ("good.txt", ["--no-such-option"], "unknown arguments: --no-such-option (see fmkit pretrain --help)"),
        ("good.txt", ["--seed", "-1"], "seed=-1"),
        ("good.txt", ["--seed", str(2**64)], "between 0 and 2**63"),
        ("good.txt", ["--adam-beta2", "1"], "adam_beta2=1.0 must be at least 0, below 1"),
        ("good.txt", ["--device", "cpu:x"], "device='cpu:x' is not available"),
        ("", [], "argument --corpus: empty"),
    ],
)
def test_bad_input_is_one_line(corpus, options, message, texts, tmp_path, capsys):
    path = str(texts / corpus) if "." in corpus else corpus
    line = fails(capsys, "pretrain", "--corpus", path, "--out", str(tmp_path / "out"), *SMALL, *options)
    assert message in line
    assert not (tmp_path / "out").exists()


def test_infinite_loss_names_step_and_remedy(texts, tmp_path, capsys):
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


@pytest.mark.slow
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
    assert "is a file: choose another directory" in fails(capsys, *run)
    assert "File name too long" in fails(capsys, "generate", "x" * 5000)


def test_a_model_without_its_tokenizer(tmp_path, capsys):
    Transformer(ModelConfig(vocab_size=300, hidden_size=32)).save_pretrained(tmp_path)
    assert "tokenizer.json" in fails(capsys, "generate", str(tmp_path))


@pytest.mark.slow
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


@pytest.fixture(scope="module")
def base(texts, tmp_path_factory) -> str:
    """A model that pretrain wrote."""
    out = tmp_path_factory.mktemp("base") / "model"
    assert main(["pretrain", "--corpus", str(texts / "good.txt"), "--out", str(out), *SMALL]) == 0
    return str(out)


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> Path:
    """Files of examples, one of each kind."""
    folder = tmp_path_factory.mktemp("examples")
    kinds = {
        "prompts": lambda i: {"prompt": f"A fox and {i} hens", "completion": " ran."},
        "chats": lambda i: {
            "messages": [
                {"role": "user", "content": f"A fox and {i} hens"},
                {"role": "assistant", "content": "Run!"},
            ]
        },
        "labels": lambda i: {"text": f"A fox and {i} hens", "label": ["even", "odd"][i % 2]},
        "pairs": lambda i: {"prompt": f"{i} hens", "chosen": " ran.", "rejected": " sat."},
        "judged": lambda i: {
            "prompt": [{"role": "user", "content": f"A fox and {i} hens"}],
            "chosen": [{"role": "assistant", "content": "Run!"}],
            "rejected": [{"role": "assistant", "content": "Sit!"}],
        },
    }
    for name, record in kinds.items():
        lines = [json.dumps(record(i)) for i in range(60)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return folder


SHORT = ["--steps", "3", "--batch-size", "2", "--learning-rate", "1e-3"]


@pytest.fixture(scope="module")
def talker(base, examples, tmp_path_factory) -> str:
    """A model that was finetuned on conversations, with a context of 256 tokens."""
    out = str(tmp_path_factory.mktemp("talker") / "model")
    assert main(["finetune", base, "--data", str(examples / "chats.jsonl"), "--out", out, *SHORT]) == 0
    return out


@pytest.fixture(scope="module")
def judge(base, examples, tmp_path_factory) -> str:
    """A reward model that starts from the base."""
    out = str(tmp_path_factory.mktemp("judge") / "model")
    assert main(["reward", base, "--data", str(examples / "pairs.jsonl"), "--out", out, *SHORT]) == 0
    return out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "measured"),
    [
        ("finetune BASE --data prompts.jsonl", "--data prompts.jsonl: perplexity exact_match"),
        (
            "finetune BASE --data prompts.jsonl --no-mask-prompt",
            "--data prompts.jsonl: perplexity exact_match",
        ),
        ("finetune BASE --data chats.jsonl --lora-r 2", "--data chats.jsonl: perplexity exact_match"),
        ("finetune BASE --data labels.jsonl", "--data labels.jsonl: accuracy f1"),
        ("reward BASE --data pairs.jsonl", "--data pairs.jsonl: reward_accuracy margin"),
        ("align BASE --data pairs.jsonl --beta 0.5", "--data pairs.jsonl: reward_accuracy margin"),
        ("align TALKER --data judged.jsonl", "--data judged.jsonl: reward_accuracy margin"),
        ("align BASE --data pairs.jsonl --lora-r 2", "--data pairs.jsonl: reward_accuracy margin"),
        (
            "grpo BASE --reward-model JUDGE --data pairs.jsonl --num-generations 2",
            "--data pairs.jsonl: reward_accuracy margin",
        ),
        (
            "grpo BASE --reward-model JUDGE --data prompts.jsonl --num-generations 2 --lora-r 2",
            "--data prompts.jsonl: perplexity exact_match",
        ),
        ("reward TALKER --data judged.jsonl --lora-r 2", "--data judged.jsonl: reward_accuracy margin"),
        ("continue BASE --corpus good.txt --replay good.txt", "--corpus good.txt: perplexity bits_per_byte"),
        ("continue BASE --corpus good.txt --lora-r 2", "--corpus good.txt: perplexity bits_per_byte"),
        ("distill TALKER --data chats.jsonl --hidden-size 16", "--data chats.jsonl: perplexity exact_match"),
        (
            "distill BASE --corpus good.txt --hidden-size 16 --context-length 32",
            "--corpus good.txt --stories 2: perplexity bits_per_byte true_stories",
        ),
    ],
)
def test_every_way_of_training_is_a_command(
    command, measured, base, talker, judge, texts, examples, tmp_path, capsys
):
    def words(line: str) -> list[str]:
        places = {"BASE": base, "TALKER": talker, "JUDGE": judge, "good.txt": str(texts / "good.txt")}
        return [places.get(w, str(examples / w) if w.endswith(".jsonl") else w) for w in line.split()]

    run = [*words(command), "--out", str(tmp_path / "out"), *SHORT]
    assert main(run) == 0
    assert "over 3 steps" in capsys.readouterr().out
    arguments, _, names = measured.partition(":")
    assert main(["evaluate", str(tmp_path / "out"), *words(arguments), "--split", "all"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == names.split()
    assert main([*run, "--resume"]) == 0  # done already: nothing more to do
    assert (tmp_path / "out/adapter/adapter_model.safetensors").exists() == ("--lora-r" in command)


@pytest.mark.slow
def test_examples_by_the_name_of_a_domain(base, tmp_path, monkeypatch):
    few = {name: DOMAINS[name].load(20, 2) for name in ("preferences", "support")}
    monkeypatch.setattr("fmkit.data.corpora.load_corpus", few.__getitem__)
    for command, name in (("reward", "preferences"), ("align", "preferences"), ("finetune", "support")):
        out = str(tmp_path / command)
        assert main([command, base, "--data", name, "--out", out, *SHORT]) == 0
        assert main(["evaluate", out, "--data", name]) == 0


@pytest.mark.slow
def test_written_texts_train_another_model(base, talker, texts, examples, tmp_path, capsys):
    def write(model: str, name: str, *options: str) -> list[dict]:
        made = [*options, "--max-new-tokens", "5", "--seed", "1", "--out", str(tmp_path / name)]
        assert main(["write", model, *made]) == 0
        rows = load_examples(tmp_path / name) if name != "texts.csv" else load_corpus(tmp_path / name)
        found = [row for split in rows.values() for row in split]
        printed = capsys.readouterr().out
        assert (
            printed
            == f"{len(found)} {'texts' if name == 'texts.csv' else 'answers'} are in {tmp_path / name}\n"
        )
        return found

    assert len(write(base, "texts.csv", "--count", "9")) == 9
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(json.dumps({"id": i, "prompt": f"{i} hens"}) + "\n" for i in range(9)))
    answers = write(base, "answers.jsonl", "--prompts", str(asked), "--count", "8")
    assert sorted(row["prompt"] for row in answers) == [f"{i} hens" for i in range(8)]
    assert answers == write(base, "again.jsonl", "--prompts", str(asked), "--count", "8")
    talks = write(talker, "talks.jsonl", "--prompts", str(examples / "chats.jsonl"), "--temperature", "1")
    assert {tuple(turn["role"] for turn in row["messages"]) for row in talks} == {("user", "assistant")}
    for teacher, data in ((base, "answers.jsonl"), (talker, "talks.jsonl")):
        out = ["--out", str(tmp_path / Path(data).stem), "--hidden-size", "16", *SHORT]
        assert main(["distill", teacher, "--data", str(tmp_path / data), *out]) == 0

    capsys.readouterr()
    out = ["--out", str(tmp_path / "none.jsonl")]
    assert "--count, --prompts or both" in fails(capsys, "write", base, *out)
    assert "--count 0" in fails(capsys, "write", base, "--count", "0", *out)
    for asked_for in (["--count", "2"], ["--prompts", str(asked)]):
        none = [*asked_for, "--max-new-tokens", "0", *out]
        assert "max_new_tokens must be at least 1" in fails(capsys, "write", base, *none)
    assert "did you mean 'support'" in fails(capsys, "write", base, "--prompts", "suport", *out)
    assert "no prompts: the data has text" in fails(capsys, "write", base, "--prompts", "reviews", *out)
    assert "unknown ending" in fails(capsys, "write", base, "--count", "2", "--out", str(tmp_path / "a.txt"))
    asked.write_text(json.dumps({"prompt": "hens " * 900}))
    assert "none of 1 prompts got an answer" in fails(capsys, "write", base, "--prompts", str(asked), *out)
    assert not (tmp_path / "none.jsonl").exists()


def test_a_conversation_line_by_line(base, talker, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("One hen\nTwo hens\n"))
    assert main(["chat", talker, "--max-new-tokens", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 2
    monkeypatch.setattr("sys.stdin", io.StringIO("One hen\n"))
    assert "add_chat_tokens" in fails(capsys, "chat", base)


def test_long_conversation_forgets_its_start(talker, capsys, monkeypatch):
    asked = []

    def answer(model, tokenizer, messages, *settings):
        asked.append(messages)
        return reply(model, tokenizer, messages, *settings)

    monkeypatch.setattr("fmkit.generation.reply", answer)
    monkeypatch.setattr("sys.stdin", io.StringIO("One hen\n \n" + "Two hens, and a fox\n" * 19))
    assert main(["chat", talker, "--system", "Hi", "--max-new-tokens", "3"]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("forgotten") == len(printed.err.splitlines()) == 1
    assert len(asked) == 20  # an empty line is no message
    assert asked[0] == [{"role": "system", "content": "Hi"}, {"role": "user", "content": "One hen"}]
    for messages in asked:
        assert messages[0]["role"] == "system"
        assert messages[1]["role"] == messages[-1]["role"] == "user"
    assert len(asked[-1]) < 2 * len(asked)
    monkeypatch.setattr("sys.stdin", io.StringIO("One hen " * 300))
    assert "context 256: shorten it" in fails(capsys, "chat", talker)


@pytest.mark.slow
def test_faulty_arguments_of_other_commands(base, texts, examples, tmp_path, capsys):
    out = ["--out", str(tmp_path / "out"), *SHORT]
    pairs, good = str(examples / "pairs.jsonl"), str(texts / "good.txt")
    two_lines = tmp_path / "a\nb"
    (two_lines / "c").mkdir(parents=True)
    prompts = str(examples / "prompts.jsonl")
    assert "--lora-r" in fails(capsys, "finetune", base, "--data", prompts, *out, "--lora-alpha", "0")
    for alpha in ("0", "nan"):
        wrong = ["--lora-r", "2", "--lora-alpha", alpha]
        assert f"lora_alpha={alpha}" in fails(capsys, "finetune", base, "--data", prompts, *out, *wrong)
    huge = ["--lora-r", "99999999999999"]
    assert "not enough memory" in fails(capsys, "finetune", base, "--data", prompts, *out, *huge)
    assert "beta=nan" in fails(capsys, "align", base, "--data", pairs, *out, "--beta", "nan")
    assert "give --replay" in fails(capsys, "continue", base, "--corpus", good, *out, "--replay-share", "0.2")
    assert "argument --data: empty" in fails(capsys, "finetune", base, "--data", "", *out)
    assert "--stories 0" in fails(capsys, "evaluate", base, "--stories", "0")
    assert "temperature" in fails(capsys, "generate", base, "--temperature", "nan")
    assert "seed=" in fails(capsys, "generate", base, "--seed", str(2**63))
    wrong = ["--lora-r", "2", "--target-modules", "qproj"]
    assert "no matrix 'qproj'" in fails(capsys, "finetune", base, "--data", prompts, *out, *wrong)
    assert "config.json is missing" in fails(capsys, "align", str(tmp_path), "--data", pairs, *out)
    assert "replay_share" in fails(
        capsys, "continue", base, "--corpus", good, "--replay", good, "--replay-share", "2", *out
    )
    assert "no model" in fails(capsys, "generate", "no\nmodel here")
    assert "is not empty" in fails(capsys, "align", base, "--data", pairs, "--out", str(two_lines), *SHORT)
    assert "nothing to measure" in fails(capsys, "evaluate", base)
    assert "one at a time" in fails(capsys, "evaluate", base, "--corpus", good, "--data", prompts)
    assert "give --corpus or --data" in fails(capsys, "distill", base, *out)
    both = ["--corpus", good, "--data", prompts]
    assert "give --corpus or --data" in fails(capsys, "distill", base, *both, *out)
    assert "no such" in fails(capsys, "finetune", base, "--data", "nowhere.jsonl", *out)
    assert "did you mean 'reviews'?" in fails(capsys, "finetune", base, "--data", "review", *out)
    line = fails(capsys, "finetune", base, "--data", "markov", *out)
    assert line.endswith(
        "--data markov: it holds text, log_prob; give data with the columns prompt, completion; or messages; "
        "or text, label"
    )
    assert "with the columns prompt, chosen, rejected" in fails(
        capsys, "align", base, "--data", prompts, *out
    )
    assert "have the model learn from messages" in fails(
        capsys, "align", base, "--data", str(examples / "judged.jsonl"), *out
    )
    assert not (tmp_path / "out").exists()


def test_answers_of_any_model_are_scored(tmp_path, capsys):
    said, true = (str(tmp_path / name) for name in ("said.txt", "true.txt"))
    Path(said).write_text("It costs 45 dollars.\nPlease keep it.\n")
    Path(true).write_text("It costs 45 dollars.\nYou can keep it.\n")
    files = ["--predictions", said, "--references", true]
    assert main(["evaluate", "--metrics", "rouge, exact_match", *files]) == 0
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert list(printed) == ["rouge1", "rouge2", "rougeL", "exact_match"]
    assert printed["exact_match"] == "0.5"
    assert main(["evaluate", "--metrics", "exact_match", *files, said]) == 0
    assert capsys.readouterr().out == "exact_match 1\n"


@pytest.mark.slow
def test_bertscore_reads_with_a_model(tmp_path, capsys):
    path, model = tmp_path / "both.jsonl", str(fmkit.asset("models/base"))
    path.write_text('{"prediction": "The fox ran home.", "reference": "The fox went home."}\n')
    assert main(["evaluate", model, "--metrics", "bertscore", "--predictions", str(path)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        f"bertscore_{name}" for name in ("precision", "recall", "f1")
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the directory of a model, or give --metrics"),
        (["--metrics", "bleu"], "give both"),
        (["--predictions", "{said}"], "give both"),
        (["--metrics", "bleu", "--predictions", "{said}", "--corpus", "stories"], "one at a time"),
        (["--metrics", "bleu", "--predictions", "{said}"], "name a file of references, too"),
        (["--metrics", "bluer", "--predictions", "{said}", "--references", "{said}"], "did you mean 'bleu'?"),
        (["--metrics", ",", "--predictions", "{said}", "--references", "{said}"], "no metric"),
        (["--metrics", "", "--predictions", "{said}"], "argument --metrics: empty"),
        (["--metrics", "bleu", "--predictions", "{said}", "--references", "{empty}"], "empty.txt: empty"),
        (["--metrics", "bleu", "--predictions", "{said}", "--references", "{one}"], "2 predictions, "),
        (["--metrics", "bleu", "--predictions", "{bytes}", "--references", "{one}"], "is not UTF-8"),
        (["--metrics", "bertscore", "--predictions", "{said}", "--references", "{said}"], "its directory"),
        (["{one}", "--metrics", "bleu", "--predictions", "{said}", "--references", "{said}"], "leave"),
    ],
)
def test_answers_in_a_mess_are_one_line(tmp_path, capsys, arguments, message):
    contents = {"said": b"a\nb\n", "one": b"a\n", "empty": b"", "bytes": b"caf\xe9\n"}
    paths = {name: tmp_path / f"{name}.txt" for name in contents}
    for name, content in contents.items():
        paths[name].write_bytes(content)
    assert message in fails(capsys, "evaluate", *(each.format_map(paths) for each in arguments))


def test_wrong_kind_of_model_is_refused(base, texts, examples, tmp_path, capsys):
    classifier, masked, out = (str(tmp_path / name) for name in ("classifier", "masked", "out"))
    good, labels, pairs = (
        str(texts / "good.txt"),
        str(examples / "labels.jsonl"),
        str(examples / "pairs.jsonl"),
    )
    prompts, student = str(examples / "prompts.jsonl"), ["--hidden-size", "16", *SHORT]
    assert main(["finetune", base, "--data", labels, "--out", classifier, *SHORT]) == 0
    assert main(["pretrain", "--corpus", good, "--no-is-causal", "--out", masked, *SMALL]) == 0
    capsys.readouterr()
    for wrong in (
        ["generate", classifier],
        ["chat", classifier],
        ["continue", classifier, "--corpus", good, "--out", out, *SHORT],
        ["finetune", classifier, "--data", str(examples / "prompts.jsonl"), "--out", out, *SHORT],
        ["align", classifier, "--data", pairs, "--out", out, *SHORT],
        ["distill", classifier, "--corpus", good, "--out", out, *student],
        ["evaluate", classifier, "--stories", "1"],
    ):
        assert "a classifier or reward model" in fails(capsys, *wrong), wrong
    for wrong in (
        ["generate", masked],
        ["finetune", masked, "--data", prompts, "--out", out, *SHORT],
        ["align", masked, "--data", pairs, "--out", out, *SHORT],
        ["distill", masked, "--corpus", good, "--out", out, *student],
        ["evaluate", masked, "--corpus", good],
        ["evaluate", masked, "--data", pairs],
    ):
        assert "masked tokens" in fails(capsys, *wrong), wrong
    assert "no column 'label': text and label are read" in fails(
        capsys, "evaluate", classifier, "--corpus", good
    )
    (tmp_path / "one.jsonl").write_text(Path(labels).read_text().replace("odd", "even"))
    alone = ["finetune", masked, "--data", str(tmp_path / "one.jsonl"), "--out", out, *SHORT]
    assert "one label only, 'even'" in fails(capsys, *alone)
    assert not Path(out).exists()


def test_output_that_cannot_be_written(examples, tmp_path, capsys, monkeypatch):
    file = tmp_path / "hén.jsonl"
    file.write_bytes((examples / "prompts.jsonl").read_bytes())
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, "ascii"))
    assert main(["check", str(file)]) == 0
    assert b"h\\xe9n.jsonl: no fault" in shown.getvalue()
    if Path("/dev/full").exists():
        with open("/dev/full", "w") as full:
            monkeypatch.setattr("sys.stdout", full)
            assert main(["check", str(file)]) == 2
        assert "the output: No space left on device" in capsys.readouterr().err


def test_chat_with_closed_or_binary_input(talker, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert main(["chat", talker]) == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"hen \xff\n"), "utf-8"))
    assert "standard input is not UTF-8" in fails(capsys, "chat", talker)


def test_a_file_is_checked_for_a_service(texts, tmp_path, capsys):
    assert "unknown format" in fails(capsys, "check", str(texts / "other.jsonl"), "--format", "bedrok")
    assert main(["check", str(texts / "other.jsonl"), "--format", "completion-titan"]) == 2
    printed = capsys.readouterr()
    assert "other.jsonl" in printed.out
    assert printed.err.startswith("fmkit: error: ")


def test_file_is_checked_for_own_commands(texts, examples, capsys):
    assert main(["check", str(examples / "judged.jsonl")]) == 0
    assert capsys.readouterr().out == f"{examples / 'judged.jsonl'}: no fault\n"
    assert main(["check", str(texts / "other.jsonl")]) == 2
    printed = capsys.readouterr()
    assert "other.jsonl, line 1: columns 'body'" in printed.out
    assert printed.err == f"fmkit: error: {texts / 'other.jsonl'}: 1 fault\n"


def test_what_is_measured_is_said(base, examples, capsys):
    prompts = str(examples / "prompts.jsonl")
    assert main(["evaluate", base, "--data", prompts]) == 0
    said = re.fullmatch(
        r"fmkit: measured on (\d+) of 60, the split validation \(--split all takes them all\)\n",
        capsys.readouterr().err,
    )
    assert 0 < int(said[1]) < 20
    assert main(["evaluate", base, "--data", prompts, "--split", "all"]) == 0
    assert capsys.readouterr().err == ""


def test_corpus_is_read_as_text(base, tmp_path, capsys, monkeypatch):
    few = DOMAINS["support"].load(20, 4)
    monkeypatch.setattr("fmkit.load_corpus", lambda *_, **__: few)
    assert main(["evaluate", base, "--corpus", "support"]) == 0
    assert capsys.readouterr().out.startswith("perplexity ")
    out = ["--out", str(tmp_path / "out"), "--hidden-size", "16", *SHORT]
    assert main(["distill", base, "--corpus", "support", *out]) == 0


def test_every_command_has_a_valid_example(capsys):
    for name, command in COMMANDS.items():
        program, *words = shlex.split(command.example)
        assert (program, words[0]) == ("fmkit", name)
        assert _parser().parse_args(words).name == name
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert command.example in " ".join(capsys.readouterr().out.split())


def test_help_does_not_wait_for_torch():
    code = "import sys, fmkit.cli\ntry: fmkit.cli.main(['--help'])\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "assert 'torch' not in sys.modules"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "pretrain" in done.stdout


def test_every_public_name_is_there():
    assert all(getattr(fmkit, name) for name in fmkit.__all__)
    tree = ast.parse(Path(fmkit.__file__).read_text(encoding="utf-8"))
    shown = {a.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names}
    assert shown - {None} == set(fmkit.__all__)


@pytest.mark.slow
def test_the_first_run_of_the_readme(tmp_path, monkeypatch):
    """The ten lines that a beginner types, letter for letter as the README has them, but for fewer steps."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) <= 10
    assert "steps=600" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("steps=600", "steps=3"), "README.md", "exec"), {})
    assert AutoModelForCausalLM.from_pretrained("my-model").config.hidden_size == 64
    assert AutoTokenizer.from_pretrained("my-model").vocab_size == 1024
