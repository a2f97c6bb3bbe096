"""A classifier starts from what the base model knows, learns, and opens in transformers."""

import os
import subprocess
import sys
from functools import partial

import pytest
import torch
from datasets import ClassLabel, Dataset, DatasetDict
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification

from fmkit import Classifier, FmkitError, TrainConfig, evaluate, finetune
from fmkit.data.example_batches import collate_labeled, example_batches, tokenize_labeled
from fmkit.evaluation.classification import accuracy, f1, predict_labels

LABELS = ("negative", "positive")


@pytest.fixture
def reviews() -> DatasetDict:
    """Texts whose label hangs on one word at a place of its own."""
    texts = [f"The {thing} was {word} that day." for thing in ("fox", "hen", "boat", "hat", "red kite")
             for word in ("good", "bad")]  # fmt: skip
    rows = {"text": texts * 8, "label": [1, 0] * 40}
    return DatasetDict({"train": Dataset.from_dict(rows), "validation": Dataset.from_dict(rows)})


def test_finetuning_learns_and_records_accuracy_and_f1(model, tokenizer, reviews, tmp_path):
    classifier = Classifier.from_base(model, LABELS)
    same = model.model.state_dict()
    assert all(torch.equal(same[name], tensor) for name, tensor in classifier.model.state_dict().items())
    config = TrainConfig(steps=60, batch_size=8, learning_rate=3e-3)
    run = finetune(classifier, tokenizer, reviews, config, output_dir=tmp_path / "run")
    last = run.history[-1]
    assert last["accuracy"] == last["f1"] == 1.0
    assert 0.3 < run.history[5]["accuracy"] < 1.0
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run").eval()
    assert theirs.config.id2label == {0: "negative", 1: "positive"}
    ours = Classifier.from_pretrained(tmp_path / "run").eval()
    assert ours.labels == LABELS
    examples = tokenize_labeled(reviews["validation"].select(range(10)), tokenizer, 96, LABELS)
    (batch,) = example_batches(examples, 10, partial(collate_labeled, pad_id=2))
    with torch.no_grad():
        logits = theirs(batch["input_ids"]).logits
        torch.testing.assert_close(ours(batch["input_ids"], batch["last"]), logits, atol=1e-4, rtol=0)
    assert predict_labels(ours, [batch]) == batch["labels"].tolist()


def test_bad_data_and_models_are_one_line(model, tokenizer, reviews, tmp_path):
    classifier = Classifier.from_base(model, LABELS)
    with pytest.raises(FmkitError, match="no column 'label'"):
        finetune(classifier, tokenizer, reviews.remove_columns("label"))
    with pytest.raises(FmkitError, match="label 1 is none of the model's 1 labels"):
        finetune(Classifier.from_base(model, ["only"]), tokenizer, reviews)
    model.save_pretrained(tmp_path)
    with pytest.raises(FmkitError, match="does not classify"):
        Classifier.from_pretrained(tmp_path)
    classifier.save_pretrained(tmp_path / "classifier")
    with pytest.raises(FmkitError, match="0 predictions for 0 texts"):
        accuracy([], [])


def test_labels_are_found_by_their_names(model, tokenizer):
    rows = {"text": ["good day", "bad day", "bad hat"], "label": [0, 1, 1]}
    named = Dataset.from_dict(rows).cast_column("label", ClassLabel(names=["positive", "negative"]))
    assert list(tokenize_labeled(named, tokenizer, 96, LABELS)["label"]) == [1, 0, 0]
    assert list(tokenize_labeled(Dataset.from_dict(rows), tokenizer, 96, LABELS)["label"]) == [0, 1, 1]
    with pytest.raises(FmkitError, match="label 'positive' is none of the model's: good, bad"):
        evaluate(Classifier.from_base(model, ["good", "bad"]), tokenizer, named)


def test_labels_that_are_digits_are_names_too(tokenizer):
    """A file with some of the labels only numbers them anew; their names tell which they are."""

    def numbers(names: list[str], labels: list[str]) -> list[int]:
        rows = {"text": [f"{name} day" for name in names], "label": list(range(len(names)))}
        named = Dataset.from_dict(rows).cast_column("label", ClassLabel(names=names))
        return list(tokenize_labeled(named, tokenizer, 96, labels)["label"])

    assert numbers(["3", "4", "5"], ["1", "2", "3", "4", "5"]) == [2, 3, 4]
    assert numbers(["0", "1"], LABELS) == [0, 1]
    strings = Dataset.from_dict({"text": ["a", "b"], "label": [LABELS[1], LABELS[0]]})
    assert list(tokenize_labeled(strings, tokenizer, 96, LABELS)["label"]) == [1, 0]
    with pytest.raises(FmkitError, match="label 7 is none of the model's 2 labels"):
        numbers(["1", "7"], LABELS)
    for column in ("text", "label"):
        gap = {"text": ["a", "b"], "label": [0, 1]} | {column: [{"text": "a", "label": 0}[column], None]}
        with pytest.raises(FmkitError, match=f"the column '{column}' has nothing in row 2"):
            tokenize_labeled(Dataset.from_dict(gap), tokenizer, 96, LABELS)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_metrics_are_what_their_definitions_say(pairs):
    predicted, truth = [p for p, _ in pairs], [t for _, t in pairs]
    assert accuracy(predicted, truth) == sum(p == t for p, t in pairs) / len(pairs)
    scores = []
    for label in {*predicted, *truth}:
        true_positive = pairs.count((label, label))
        precision = true_positive / max(1, predicted.count(label))
        recall = true_positive / max(1, truth.count(label))
        scores.append(2 * precision * recall / (precision + recall) if true_positive else 0.0)
    assert f1(predicted, truth) == pytest.approx(sum(scores) / len(scores))


QUIET = """
from fmkit import train_tokenizer
from fmkit.data.example_batches import tokenize_labeled
from fmkit.world.reviews import LABELS, load_reviews

reviews = load_reviews(50, 1)["train"]
tokenizer = train_tokenizer(reviews, 270)
print(len(tokenize_labeled(reviews.select(range(0, 50, 2)), tokenizer, 32, LABELS)))
"""


def test_selected_rows_are_read_without_a_word():
    """A bar of progress would be output of a notebook's cell, and another one each time."""
    silent = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    run = subprocess.run(
        [sys.executable, "-c", QUIET], env=silent, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("25\n", "")
