"""What a model says or scores depends neither on what is in the batch with it nor on the batch size."""

import copy
from functools import partial

import pytest
import torch
from tasks import CHATS, PREFERENCES, QUESTIONS, SALES, config, shape
from transformers import LlamaForSequenceClassification

from fmkit import (
    Classifier,
    ModelConfig,
    Transformer,
    add_chat_tokens,
    continue_pretrain,
    evaluate,
    finetune,
    pretrain,
    train_reward,
    write_corpus,
)
from fmkit.data.example_batches import collate_labeled, example_batches, tokenize_completions
from fmkit.evaluation.answers import answer_examples
from fmkit.evaluation.classification import predict_labels
from fmkit.evaluation.divergence import sampled_kl
from fmkit.evaluation.sampling import complete

# --- padding ----------------------------------------------------------------------------------------------


def ragged(count: int = 40) -> list[dict]:
    """Texts of 1 to 20 random tokens, each with a label."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 21, (count,), generator=generator).tolist()
    return [
        {"input_ids": torch.randint(4, 90, (n,), generator=generator).tolist(), "label": 0} for n in lengths
    ]


@pytest.fixture(params=[True, False], ids=["causal", "bidirectional"])
def classifier(request) -> Classifier:
    """A classifier with weights of a size at which mistakes show."""
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "is_causal": request.param}
    model = Classifier(ModelConfig(vocab_size=90, **shape), ["no", "yes", "maybe"])
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=generator)
    return model.eval()


@torch.no_grad()
def test_padding_is_invisible(classifier):
    collate = partial(collate_labeled, pad_id=2)
    alone, together = (example_batches(ragged(), size, collate) for size in (1, 40))
    one_by_one, at_once = (
        torch.cat([classifier(batch["input_ids"], batch["last"]) for batch in batches])
        for batches in (alone, together)
    )
    torch.testing.assert_close(at_once, one_by_one, atol=1e-5, rtol=0)
    assert predict_labels(classifier, alone) == predict_labels(classifier, together)


@torch.no_grad()
def test_padding_is_that_of_transformers(classifier, tmp_path):
    classifier.save_pretrained(tmp_path)
    theirs = LlamaForSequenceClassification.from_pretrained(tmp_path, pad_token_id=2).eval()
    batch = collate_labeled(ragged(), pad_id=2)
    positions = torch.arange(batch["input_ids"].shape[1])
    seen = (positions <= batch["last"][:, None]).long()
    logits = theirs(batch["input_ids"], attention_mask=seen).logits
    torch.testing.assert_close(classifier(batch["input_ids"], batch["last"]), logits, atol=1e-4, rtol=0)


# --- held-out data ----------------------------------------------------------------------------------------


def read_on(model, tokenizer, settings, stories):
    return continue_pretrain(model, tokenizer, stories, settings, replay=stories)


def read_masked(model, tokenizer, settings, stories):
    return pretrain(Transformer(shape(tokenizer, is_causal=False)), tokenizer, stories, settings)


def learn_answers(model, tokenizer, settings, stories):
    return finetune(model, tokenizer, QUESTIONS, settings)


def rank_answers(model, tokenizer, settings, stories):
    return train_reward(Classifier.from_base(model, ["reward"]), tokenizer, PREFERENCES, settings)


def choose_labels(model, tokenizer, settings, stories):
    labeled = QUESTIONS.map(
        lambda row: {"text": row["prompt"], "label": len(row["prompt"]) % 2},
        remove_columns=["prompt", "completion"],
    )
    return finetune(Classifier.from_base(model, ["no", "yes"]), tokenizer, labeled, settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    "learn", [read_on, read_masked, learn_answers, rank_answers, choose_labels], ids=lambda f: f.__name__
)
def test_validation_ignores_the_batch_size(learn, trained_model, tokenizer, stories):
    """Steps too small to change the model leave what is measured on it."""
    found = []
    for size in (2, 3):
        settings = config(1, 1e-12, batch_size=size, eval_rows=7)
        (record,) = learn(copy.deepcopy(trained_model), tokenizer, settings, stories).history
        found.append(
            {name: record[name] for name in record if name.startswith(("validation", "replay", "acc"))}
        )
    assert found[0] == pytest.approx(found[1], rel=1e-5)


# --- texts of its own -------------------------------------------------------------------------------------


@pytest.fixture
def prompts(stories, tokenizer) -> list[list[int]]:
    """Beginnings of stories, 2 to 5 tokens long."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(stories["train"]["text"][:70]))]
    return [row[: 2 + i % 4] for i, row in enumerate(ids)]


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_samples_ignore_their_batch_mates(temperature, trained_model, prompts, monkeypatch):
    together = complete(trained_model, prompts, 20, eos_id=1, temperature=temperature, seed=3)
    monkeypatch.setattr("fmkit.evaluation.sampling.BATCH", 1)
    assert complete(trained_model, prompts, 20, eos_id=1, temperature=temperature, seed=3) == together


def test_seeds_share_no_texts(trained_model, tokenizer):
    written = [
        set(write_corpus(trained_model, tokenizer, 130, max_new_tokens=20, seed=seed)["text"])
        for seed in (0, 1, 2)
    ]
    assert all(len(texts) > 125 for texts in written)
    assert len(set.union(*written)) > 3 * 125


def kl(model, tokenizer, prompts):
    return sampled_kl(model, Transformer(model.config), prompts, 20, eos_id=1, pad_id=2)


def answers(model, tokenizer, prompts):
    return answer_examples(model, tokenizer, tokenize_completions(QUESTIONS["train"], tokenizer, 96))


def of_texts(model, tokenizer, prompts):
    return evaluate(model, tokenizer, SALES["validation"])


def of_answers(model, tokenizer, prompts):
    return evaluate(model, tokenizer, QUESTIONS["train"])


def of_pairs(model, tokenizer, prompts):
    return evaluate(model, tokenizer, PREFERENCES["train"])


def of_chats(model, tokenizer, prompts):
    talking = add_chat_tokens(tokenizer)
    model = copy.deepcopy(model)
    model.resize_vocab(talking.get_vocab_size())
    return evaluate(model, talking, CHATS["train"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "measure", [kl, answers, of_texts, of_answers, of_pairs, of_chats], ids=lambda f: f.__name__
)
def test_measures_ignore_the_batch_size(measure, trained_model, tokenizer, prompts, monkeypatch):
    at_once = measure(trained_model, tokenizer, prompts)
    for module in ("sampling", "divergence", "likelihood", "evaluate"):
        monkeypatch.setattr(f"fmkit.evaluation.{module}.BATCH", 1)
    one_by_one = measure(trained_model, tokenizer, prompts)
    if measure is answers:
        assert one_by_one == at_once
    else:
        assert one_by_one == pytest.approx(at_once, rel=1e-4)
