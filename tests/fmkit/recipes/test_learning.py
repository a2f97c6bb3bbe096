"""Every way of training learns what it promises."""

import copy
import math

import pytest
import torch
from datasets import DatasetDict
from tasks import CHATS, PREFERENCES, QUESTIONS, SALES, config, shape
from transformers import AutoModelForSequenceClassification

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    ModelConfig,
    TrainConfig,
    Transformer,
    add_chat_tokens,
    add_lora,
    align,
    continue_pretrain,
    distill,
    evaluate,
    finetune,
    pretrain,
    train_reward,
    write_corpus,
)
from fmkit.evaluation.likelihood import perplexity
from fmkit.evaluation.preferences import scores
from fmkit.generation import reply

# --- texts ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_masked_tokens_are_learned(stories, tokenizer):
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "max_position_embeddings": 96}
    model = Transformer(ModelConfig(vocab_size=400, is_causal=False, **shape))
    run = pretrain(model, tokenizer, stories, TrainConfig(steps=60, learning_rate=1e-2))
    assert run.history[-1]["validation_loss"] < run.history[0]["loss"] - 0.5


@pytest.mark.slow
def test_replay_keeps_what_is_forgotten(toy_model, stories, toy_tokenizer):
    learned = pretrain(toy_model, toy_tokenizer, stories, config(120))
    known = learned.history[-1]["validation_loss"]

    def go_on(share: float) -> dict[str, float]:
        model = copy.deepcopy(toy_model)
        run = continue_pretrain(model, toy_tokenizer, SALES, config(60), replay=stories, replay_share=share)
        assert run.history[0]["learning_rate"] < run.history[2]["learning_rate"]  # it warms up again
        return run.history[-1]

    alone, replayed = go_on(0.0), go_on(0.25)
    assert alone["replay_loss"] > known + 0.5
    assert replayed["replay_loss"] < alone["replay_loss"] - 0.4
    assert max(alone["validation_loss"], replayed["validation_loss"]) < 1.5


@pytest.mark.slow
def test_student_learns_more_with_a_teacher(seller, toy_tokenizer):
    few = DatasetDict({"train": SALES["train"].select(range(12)), "validation": SALES["validation"]})
    small = shape(toy_tokenizer, hidden_size=32)
    plain = pretrain(Transformer(small), toy_tokenizer, few, config(80)).history[-1]
    mix = {"teacher": seller, "temperature": 1.0, "soft_weight": 0.9}
    taught = distill(Transformer(small), toy_tokenizer, few, config(80), **mix).history[-1]
    assert taught["validation_loss"] < plain["validation_loss"] - 0.2
    assert all(weight.grad is None for weight in seller.parameters())


@pytest.mark.slow
def test_student_learns_from_written_texts(seller, toy_tokenizer):
    written = write_corpus(seller, toy_tokenizer, 80, temperature=0.8, seed=1)
    assert sum(text.startswith("Sold: one") for text in written["text"]) > 60
    student = Transformer(shape(toy_tokenizer, hidden_size=32))
    corpus = DatasetDict({"train": written, "validation": SALES["validation"]})
    run = pretrain(student, toy_tokenizer, corpus, config(80))
    assert run.history[-1]["validation_loss"] < run.history[0]["loss"] - 2


@pytest.mark.slow
def test_written_texts_begin_with_the_prompt(seller, toy_tokenizer):
    begun = write_corpus(seller, toy_tokenizer, 3, prompt="Sold: one red")
    assert all(text.startswith("Sold: one red") for text in begun["text"])


@pytest.mark.slow
def test_written_texts_follow_the_seed(seller, toy_tokenizer):
    first, again, other = (write_corpus(seller, toy_tokenizer, 5, seed=seed)["text"] for seed in (1, 1, 2))
    assert first == again != other


# --- examples ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_answers_are_learned_not_prompts(toy_model, toy_tokenizer):
    prompts = QUESTIONS["validation"]["prompt"]
    before = perplexity(toy_model, toy_tokenizer, prompts)
    run = finetune(toy_model, toy_tokenizer, QUESTIONS, config(100))
    assert run.history[-1]["validation_loss"] < 0.2
    measured = evaluate(toy_model, toy_tokenizer, QUESTIONS["validation"])
    assert measured["exact_match"] >= 0.8
    assert measured["perplexity"] == pytest.approx(math.exp(run.history[-1]["validation_loss"]), rel=1e-3)
    masked = perplexity(toy_model, toy_tokenizer, prompts)
    finetune(toy_model, toy_tokenizer, QUESTIONS, config(40), mask_prompt=False)
    assert perplexity(toy_model, toy_tokenizer, prompts) < min(masked, before) / 3


def test_chat_needs_chat_tokens(toy_model, toy_tokenizer):
    with pytest.raises(FmkitError, match="add_chat_tokens"):
        finetune(toy_model, toy_tokenizer, CHATS, config(1))


@pytest.mark.slow
def test_chat_is_learned_by_adapters(toy_model, toy_tokenizer, tmp_path):
    talking = add_chat_tokens(toy_tokenizer)
    toy_model.resize_vocab(talking.get_vocab_size())
    add_lora(toy_model, LoraConfig(r=8, modules_to_save=("embed_tokens",)))
    frozen = toy_model.model.layers[0].mlp.up_proj.weight.clone()
    finetune(toy_model, talking, CHATS, config(150, 1e-2), output_dir=tmp_path / "run")
    assert torch.equal(toy_model.model.layers[0].mlp.up_proj.weight, frozen)
    assert reply(toy_model, talking, CHATS["train"][0]["messages"][:1]).startswith("So ")
    assert evaluate(toy_model, talking, CHATS["validation"])["exact_match"] >= 0.8
    opened = Transformer.from_pretrained(tmp_path / "run")  # adapters added in, with the tokenizer
    assert evaluate(opened, opened.tokenizer, CHATS["validation"])["exact_match"] >= 0.8


# --- preferences ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_reward_model_ranks_as_people_do(toy_model, toy_tokenizer, tmp_path):
    rewarder = Classifier.from_base(toy_model, ["reward"])
    run = train_reward(rewarder, toy_tokenizer, PREFERENCES, config(40), output_dir=tmp_path / "run")
    last = run.history[-1]
    assert last["reward_accuracy"] == 1.0
    assert last["margin"] > 1
    assert evaluate(rewarder, toy_tokenizer, PREFERENCES["validation"])["reward_accuracy"] == 1.0
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run")
    assert theirs.config.num_labels == 1


@pytest.mark.slow
def test_alignment_begins_at_its_reference(teller, toy_tokenizer):
    assert abs(evaluate(teller, toy_tokenizer, PREFERENCES["validation"])["margin"]) < 1
    once = align(copy.deepcopy(teller), toy_tokenizer, PREFERENCES, config(1, 1e-9)).history[-1]
    assert once["kl"] == pytest.approx(0, abs=1e-4)
    assert once["margin"] == pytest.approx(0, abs=1e-3)


@pytest.mark.slow
def test_alignment_goes_far_at_a_small_beta(teller, toy_tokenizer):
    ends = {}
    for beta in (3.0, 0.02):
        model = copy.deepcopy(teller)
        ends[beta] = align(model, toy_tokenizer, PREFERENCES, config(90, 2e-4), beta=beta).history[-1]
        assert ends[beta]["reward_accuracy"] == 1.0
        assert evaluate(model, toy_tokenizer, PREFERENCES["validation"])["margin"] > 3
    assert 0 < ends[3.0]["kl"] < ends[0.02]["kl"]


def test_reference_is_scored_once(toy_model, toy_tokenizer, monkeypatch):
    judged = []

    def scores_of(asked, pairs):
        judged.append(asked)
        return scores(asked, pairs)

    monkeypatch.setattr("fmkit.recipes.align.scores", scores_of)
    run = align(toy_model, toy_tokenizer, PREFERENCES, config(3, eval_every=1))
    assert ["margin" in record for record in run.history] == [True] * 3
    assert [each is toy_model for each in judged] == [False, True, True, True]
