"""A classifier starts from what the base model knows, learns, and opens in transformers."""

from functools import partial

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from fmkit import Classifier, FmkitError, TrainConfig, finetune
from fmkit.data.example_batches import collate_labeled, example_batches, tokenize_labeled
from fmkit.evaluation.classification import predict_labels

LABELS = ("negative", "positive")


def test_classifier_starts_from_its_base(model):
    classifier = Classifier.from_base(model, LABELS)
    same = model.model.state_dict()
    assert all(torch.equal(same[name], tensor) for name, tensor in classifier.model.state_dict().items())


@pytest.mark.slow
def test_classifier_learns_and_says_how_well(model, tokenizer, reviews):
    config = TrainConfig(steps=60, batch_size=8, learning_rate=3e-3)
    run = finetune(Classifier.from_base(model, LABELS), tokenizer, reviews, config)
    assert run.history[-1]["accuracy"] == run.history[-1]["f1"] == 1.0
    assert 0.3 < run.history[5]["accuracy"] < 1.0


@pytest.mark.slow
def test_classifier_opens_in_transformers(trained_classifier, tokenizer, reviews, tmp_path):
    trained_classifier.save_pretrained(tmp_path)
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert theirs.config.id2label == {0: "negative", 1: "positive"}
    ours = Classifier.from_pretrained(tmp_path).eval()
    assert ours.labels == LABELS
    examples = tokenize_labeled(reviews["validation"].select(range(10)), tokenizer, 96, LABELS)
    (batch,) = example_batches(examples, 10, partial(collate_labeled, pad_id=2))
    with torch.no_grad():
        logits = theirs(batch["input_ids"]).logits
        torch.testing.assert_close(ours(batch["input_ids"], batch["last"]), logits, atol=1e-4, rtol=0)
    assert predict_labels(ours, [batch]) == batch["labels"].tolist()


def test_classifier_needs_a_label_column(model, tokenizer, reviews):
    with pytest.raises(FmkitError, match="no column 'label'"):
        finetune(Classifier.from_base(model, LABELS), tokenizer, reviews.remove_columns("label"))


def test_classifier_knows_its_labels_alone(model, tokenizer, reviews):
    with pytest.raises(FmkitError, match="label '1' is none of the model's: only"):
        finetune(Classifier.from_base(model, ["only"]), tokenizer, reviews)


def test_classifier_needs_two_labels(model, tokenizer, reviews):
    one = reviews.map(lambda row: {"label": 0})
    with pytest.raises(FmkitError, match="one label only, 'only'"):
        finetune(Classifier.from_base(model, ["only"]), tokenizer, one)


def test_language_model_is_no_classifier(model, tmp_path):
    model.save_pretrained(tmp_path)
    with pytest.raises(FmkitError, match="does not classify"):
        Classifier.from_pretrained(tmp_path)
