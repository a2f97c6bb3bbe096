"""A model learns from rewards of its own answers."""

import copy
import json

import pytest
import torch
from datasets import Dataset, DatasetDict
from tasks import CHATS, PREFERENCES, config, shape

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    Transformer,
    add_chat_tokens,
    add_lora,
    finetune,
    grpo,
    train_reward,
)
from fmkit.data.batches import IGNORE
from fmkit.data.example_batches import tokenize_prompts
from fmkit.objectives import sampling_log_probs
from fmkit.recipes.rollouts import Rollouts, Sampler


def good(prompts: list[str], answers: list[str]) -> list[float]:
    return [float(answer == " good.") for answer in answers]


def learn(model, tokenizer, settings, **more):
    more = {"reward": good, "max_new_tokens": 6} | more
    return grpo(model, tokenizer, PREFERENCES, settings, **more)


def settings(steps: int, learning_rate: float = 1e-3, **more):
    return config(steps, learning_rate, **{"batch_size": 64} | more)


@pytest.mark.slow
def test_rewarded_answers_become_likelier(teller, toy_tokenizer):
    before = learn(copy.deepcopy(teller), toy_tokenizer, settings(1, 1e-9)).history[-1]
    assert before["kl"] == pytest.approx(0, abs=1e-4)
    after = learn(copy.deepcopy(teller), toy_tokenizer, settings(20, 2e-3)).history[-1]
    assert after["reward"] > before["reward"] + 0.2
    assert after["kl"] > 0.1


@pytest.mark.slow
def test_reward_model_is_obeyed(teller, toy_tokenizer):
    judge = Classifier.from_base(teller, ["reward"])
    train_reward(judge, toy_tokenizer, PREFERENCES, config(40))
    run = learn(copy.deepcopy(teller), toy_tokenizer, settings(20, eval_every=2), reward=judge)
    measured = [record["reward"] for record in run.history if "reward" in record]
    assert measured[-1] > measured[0] + 0.5


@pytest.mark.slow
def test_grpo_goes_far_at_a_small_beta(teller, toy_tokenizer):
    ends = {
        beta: learn(copy.deepcopy(teller), toy_tokenizer, settings(20), beta=beta).history[-1]["kl"]
        for beta in (0.0, 3.0)
    }
    assert ends[0.0] > 2 * ends[3.0]


@pytest.mark.slow
def test_grpo_trains_adapters_alone(teller, toy_tokenizer):
    model = copy.deepcopy(teller)
    add_lora(model, LoraConfig(r=2))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    learn(model, toy_tokenizer, settings(2))
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert changed
    assert all("lora_" in name for name in changed)


def test_accumulation_sees_all_groups(teller, toy_tokenizer):
    """Two micro-batches of 16 answers are a step on the same 32 answers."""
    models = []
    for size, parts in ((32, 1), (16, 2)):
        models.append(copy.deepcopy(teller))
        learn(models[-1], toy_tokenizer, settings(1, batch_size=size, gradient_accumulation_steps=parts))
    for (name, a), (_, b) in zip(*(model.named_parameters() for model in models), strict=True):
        torch.testing.assert_close(a, b, atol=2e-5, rtol=0, msg=name)


# --- what is sampled --------------------------------------------------------------------------------------


@pytest.fixture
def rollouts(teller, toy_tokenizer) -> Rollouts:
    prompts = tokenize_prompts(PREFERENCES["train"].select_columns("prompt"), toy_tokenizer, 64)
    return Rollouts(prompts, Sampler(teller, good, 6, seed=3), 16, 4, 1.0, scale_rewards=True)


def test_a_batch_holds_groups(rollouts, toy_tokenizer):
    batch = next(rollouts)
    assert batch["num_items"] == len(batch["input_ids"]) == 16
    told = [toy_tokenizer.decode(ids.tolist()) for ids in batch["input_ids"]]
    asked = [text.split(" is")[0] for text in told]
    assert [len(set(asked[i : i + 4])) for i in range(0, 16, 4)] == [1] * 4
    assert len(set(asked)) == 4
    rewards = torch.tensor([float(" good." in text) for text in told])
    assert 0 < rewards.sum() < 16
    for group, advantages in zip(rewards.view(4, 4), batch["advantages"].view(4, 4), strict=True):
        expected = (group - group.mean()) / (group.std() + 1e-4)
        torch.testing.assert_close(advantages, expected)


@torch.no_grad()
def test_old_log_probs_are_the_samplers(rollouts, teller):
    batch = next(rollouts)
    assert torch.equal(batch["old_log_probs"], sampling_log_probs(teller, batch, 1.0))
    assert (batch["old_log_probs"] < 0).equal(batch["labels"] != IGNORE)


def test_samples_go_on_where_they_were(rollouts):
    next(rollouts)
    state = json.loads(json.dumps(rollouts.state_dict()))
    later = next(rollouts)
    assert not torch.equal(later["input_ids"], next(rollouts)["input_ids"][:, : later["input_ids"].shape[1]])
    rollouts.load_state_dict(state)
    assert torch.equal(later["input_ids"], next(rollouts)["input_ids"])


@pytest.mark.slow
def test_grpo_answers_in_a_conversation(toy_model, toy_tokenizer):
    tokenizer = add_chat_tokens(toy_tokenizer)
    toy_model.resize_vocab(tokenizer.get_vocab_size())
    finetune(toy_model, tokenizer, CHATS, config(30))
    seen = []

    def judge(prompts, answers):
        seen.extend(zip(prompts, answers, strict=True))
        return [float(len(answer)) for answer in answers]

    grpo(toy_model, tokenizer, CHATS, settings(1), reward=judge, max_new_tokens=5)
    questions, answers = zip(*seen, strict=True)
    assert all([turn["role"] for turn in question] == ["user"] for question in questions)
    assert all(isinstance(answer, str) for answer in answers)


# --- what does not fit ------------------------------------------------------------------------------------


def narrow(model) -> Classifier:
    return Classifier(shape(model.tokenizer, max_position_embeddings=32), ["reward"])


FAULTS = {
    "beta": ({"beta": -1}, "beta=-1 must be at least 0"),
    "temperature": ({"temperature": 0}, "temperature=0 positive"),
    "group": ({"num_generations": 5}, "batch_size=64 counts answers: .* multiple of num_generations=5"),
    "one answer": ({"num_generations": 1}, "at least 2"),
    "length": ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
    "labels of a reward": (
        {"reward": lambda m: Classifier.from_base(m, ["a", "b"])},
        "one score .* 2 labels",
    ),
    "reward's context": ({"reward": narrow}, "reads 32 tokens of 320 and the model writes 64 of 320"),
    "too few scores": ({"reward": lambda m: lambda p, a: [1.0]}, "one finite number for each answer"),
    "no number": ({"reward": lambda m: lambda p, a: [float("nan")] * len(a)}, "one finite number"),
}


@pytest.mark.parametrize(("more", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_settings_that_do_not_fit(more, message, teller, toy_tokenizer):
    if "reward" in more:
        more = {"reward": more["reward"](teller)}
    with pytest.raises(FmkitError, match=message):
        learn(copy.deepcopy(teller), toy_tokenizer, settings(1), **more)


def test_prompts_without_answers(teller, toy_tokenizer):
    prompts = DatasetDict({split: PREFERENCES[split].select_columns("prompt") for split in PREFERENCES})
    run = grpo(copy.deepcopy(teller), toy_tokenizer, prompts, settings(1), reward=good, max_new_tokens=6)
    assert "reward" in run.history[-1]
    texts = DatasetDict({split: Dataset.from_dict({"text": ["a"]}) for split in PREFERENCES})
    with pytest.raises(FmkitError, match="no column 'prompt': prompt is read; the data has text"):
        grpo(copy.deepcopy(teller), toy_tokenizer, texts, settings(1), reward=good)


def test_a_classifier_does_not_write(teller, toy_tokenizer):
    with pytest.raises(FmkitError, match="a Classifier does not learn"):
        learn(Classifier.from_base(teller, ["reward"]), toy_tokenizer, settings(1))
    masked = Transformer(shape(toy_tokenizer, is_causal=False))
    with pytest.raises(FmkitError, match="masked tokens"):
        learn(masked, toy_tokenizer, settings(1))
