"""Promises of what is held out and of labels: none is lost without a word, and evaluation loses no record."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fmkit import Classifier, ModelConfig, Transformer, load_examples, train_tokenizer
from fmkit.cli import main
from fmkit.data.examples import load_prompts
from fmkit.data.splits import TENTH, digest

Rows = list[dict[str, Any]]
SHORT = ["--steps", "2", "--batch-size", "2", "--device", "cpu"]


def save(path: Path, rows: Rows) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def films(count: int, label: str, more: str = "") -> Rows:
    return [{"text": f"A {label} film, number {n}{more}", "label": label} for n in range(count)]


def labels_of(path: str) -> dict[str, Counter]:
    return {
        name: Counter(rows.features["label"].int2str(rows["label"][:]))
        for name, rows in load_examples(path).items()
    }


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> str:
    """An untrained model with a context of 64 tokens."""
    folder = tmp_path_factory.mktemp("base")
    model = Transformer(ModelConfig(vocab_size=270, hidden_size=16, max_position_embeddings=64))
    model.tokenizer = train_tokenizer(["A good film, number 1", "A bad film, number 2"] * 9, 270)
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def stars(base, tmp_path_factory) -> str:
    """A classifier whose labels are numbers."""
    folder = tmp_path_factory.mktemp("stars")
    rows = save(folder / "stars.jsonl", films(20, "1") + films(20, "2") + films(20, "3"))
    assert main(["finetune", base, "--data", rows, "--out", str(folder / "run"), *SHORT]) == 0
    return str(folder / "run")


# What is held out


def test_each_label_is_in_both_splits(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for seed in range(20):
        rows = films(300, "good") + films(3, "rare", f" of {seed}") + films(2, "dull", f" of {seed}")
        found = labels_of(save(tmp_path / f"{seed}.jsonl", rows))
        assert all({*split} == {"good", "rare", "dull"} for split in found.values())
    assert capsys.readouterr().err == ""


def test_one_record_of_a_label_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for n in range(20):
        path = save(tmp_path / f"{n}.jsonl", [*films(50, "good"), {"text": f"Film {n}", "label": "odd"}])
        assert labels_of(path)["train"]["odd"] == 1
        assert capsys.readouterr().err == f"fmkit: {path}: no record of validation has the label 'odd'\n"


def test_two_records_of_two_labels(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = save(tmp_path / "a.jsonl", films(1, "good") + films(1, "bad"))
    assert sorted(map(len, load_examples(path).values())) == [1, 1]
    told = capsys.readouterr().err.splitlines()
    assert [line.split(" has ")[0] for line in told] == [
        f"fmkit: {path}: no record of {split}" for split in ("train", "validation")
    ]


def test_splits_with_every_label_stay(tmp_path: Path) -> None:
    """What was held out before labels were looked at: runs that were recorded stay the same."""
    rows = films(90, "good") + films(80, "bad") + films(70, "dull")
    held_out = [row["text"] for row in rows if digest(json.dumps(row)) < TENTH]
    splits = load_examples(save(tmp_path / "a.jsonl", rows))
    assert splits["validation"]["text"][:] == held_out
    assert splits["train"]["text"][:] == [row["text"] for row in rows if row["text"] not in held_out]


def test_named_splits_tell_missing_labels(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    save(tmp_path / "train.jsonl", films(5, "good") + films(5, "bad"))
    save(tmp_path / "test.jsonl", films(5, "good") + films(1, "dull") + films(1, "odd"))
    load_examples(tmp_path)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"fmkit: {tmp_path}: no record of train has the label 'dull' and 1 more",
        f"fmkit: {tmp_path}: no record of validation has the label 'bad'",
    ]


def test_the_name_of_one_file_means_nothing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert len(load_prompts(save(tmp_path / "test.jsonl", [{"prompt": "a"}, {"prompt": "b"}]))) == 2
    load_examples(save(tmp_path / "test.jsonl", films(20, "good") + films(20, "bad")))
    assert capsys.readouterr().err == ""


def test_a_held_out_record_too_long_is_named(base: str, tmp_path: Path, capsys) -> None:
    rows = [{"prompt": f"Film {n}", "completion": " good"} for n in range(9)]
    save(tmp_path / "train.jsonl", rows)
    save(tmp_path / "valid.jsonl", [{"prompt": "Film " * 90, "completion": " bad"}])
    run = ["finetune", base, "--data", str(tmp_path), "--out", str(tmp_path / "out"), *SHORT]
    assert main(run) == 2
    told = (
        "fmkit: error: validation: none of 1 examples leaves room for an answer in the context of 64 tokens"
    )
    assert capsys.readouterr().err.startswith(told)


# Labels


@pytest.mark.slow
@pytest.mark.parametrize("unknown", ["0", "4", "²", "good"])
def test_an_unknown_label_is_named(stars: str, tmp_path: Path, capsys, unknown: str) -> None:
    rows = films(9, "3") + films(9, "1")
    path = save(tmp_path / "test.jsonl", rows)
    assert main(["evaluate", stars, "--data", path, "--split", "all"]) == 0
    right = capsys.readouterr().out
    save(tmp_path / "test.jsonl", [*rows, {"text": "x", "label": unknown}])
    assert main(["evaluate", stars, "--data", path, "--split", "all"]) == 2
    told = f"label '{unknown}' is none of the model's: 1, 2, 3; leave out the 1 of 19 rows"
    assert told in capsys.readouterr().err
    save(tmp_path / "test.jsonl", films(9, "1") + films(9, "3"))
    assert main(["evaluate", stars, "--data", path, "--split", "all"]) == 0
    assert capsys.readouterr().out == right


def test_a_classifier_keeps_its_labels(stars: str, tmp_path: Path, capsys) -> None:
    out = str(tmp_path / "out")
    some = save(tmp_path / "some.jsonl", films(20, "3") + films(20, "2"))
    assert main(["finetune", stars, "--data", some, "--out", out, *SHORT]) == 0
    assert Classifier.from_pretrained(out).labels == ("1", "2", "3")
    more = save(tmp_path / "more.jsonl", films(20, "3") + films(20, "4"))
    capsys.readouterr()
    assert main(["finetune", stars, "--data", more, "--out", out + "2", *SHORT]) == 2
    assert "train: label '4' is none of the model's: 1, 2, 3" in capsys.readouterr().err


# Evaluation needs no hold-out


@pytest.mark.parametrize("split", ["all", "validation"])
def test_a_file_of_one_record_is_measured(base: str, stars: str, tmp_path: Path, capsys, split: str) -> None:
    for model, row in (
        (stars, films(1, "2")[0]),
        (base, {"prompt": "A", "completion": " film"}),
        (base, {"prompt": "A", "chosen": " film", "rejected": " hen"}),
    ):
        path = save(tmp_path / "one.jsonl", [row])
        assert main(["evaluate", model, "--data", path, "--split", split]) == 0
        assert capsys.readouterr().err == ""


# What training does not do silently


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [{"text": f"Film {n}.<|endoftext|>"} for n in range(20)],
            "18 of the first 18 rows say <|endoftext|>",
        ),
        ([{"prompt": f"{n}", "completion": "yes</s>"} for n in range(20)], "rows say </s>"),
        ([{"text": f"Film {n} <b>", "label": "ab"[n % 2]} for n in range(20)], ""),
    ],
)
def test_special_tokens_in_texts_are_told(base: str, tmp_path: Path, capsys, rows: Rows, told: str) -> None:
    path, out = save(tmp_path / "a.jsonl", rows), str(tmp_path / "out")
    way = ["continue", base, "--corpus"] if len(rows[0]) == 1 else ["finetune", base, "--data"]
    assert main([*way, path, "--out", out, *SHORT, "--context-length", "16"]) == 0
    error = capsys.readouterr().err
    assert told in error
    assert ("which is learned as characters" in error) == bool(told)
