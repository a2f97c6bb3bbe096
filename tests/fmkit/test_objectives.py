"""Objectives against the field's own, and how little it takes to add one."""

import copy
import inspect
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset
from transformers import AutoModelForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast
from trl import (
    DPOConfig,
    DPOTrainer,
    GRPOConfig,
    GRPOTrainer,
    RewardConfig,
    RewardTrainer,
    SFTConfig,
    SFTTrainer,
)
from trl.trainer.utils import nanstd

from fmkit import Classifier, ModelConfig, TrainConfig, Transformer
from fmkit.data.batches import IGNORE, make_loader, validation_batches
from fmkit.data.example_batches import collate_completions, collate_labeled, collate_pairs
from fmkit.losses import grpo_loss
from fmkit.objectives import (
    classification,
    distillation,
    dpo,
    grpo,
    language_modeling,
    reward_ranking,
    sampling_log_probs,
)
from fmkit.recipes.rollouts import group_advantages
from fmkit.trainer import Trainer

SHAPE = ModelConfig(vocab_size=80, hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
PROMPTS = [[0, 10, 11, 12], [0, 20, 21], [0, 30]]
CHOSEN = [[40, 41, 42, 1], [43, 1], [44, 45, 46, 1]]
REJECTED = [[50, 1], [51, 52, 53, 54, 1], [55, 56, 1]]


def shaken(model, seed: int):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=generator)
    return model.eval()


def example(prompt: list[int], answer: list[int]) -> dict[str, list[int]]:
    return {"input_ids": prompt + answer, "labels": [IGNORE] * len(prompt) + answer}


PAIRS = [
    {"chosen": example(p, c), "rejected": example(p, r)}
    for p, c, r in zip(PROMPTS, CHOSEN, REJECTED, strict=True)
]


@pytest.fixture
def plain(tokenizer) -> dict:
    """What every trainer of TRL is given: a tokenizer that is there but not used."""
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|eos|>", pad_token="<|pad|>")
    return {"processing_class": fast}


def settings(tmp_path) -> dict:
    return {
        "output_dir": str(tmp_path / "out"),
        "report_to": "none",
        "use_cpu": True,
        "per_device_train_batch_size": len(PROMPTS),
        "bf16": False,
        "gradient_checkpointing": False,
        "disable_tqdm": True,
    }


def theirs(model, tmp_path, name: str, kind=AutoModelForCausalLM):
    model.save_pretrained(tmp_path / name)
    return kind.from_pretrained(tmp_path / name)


def test_dpo_equals_trl(tmp_path, plain):
    policy, reference = shaken(Transformer(SHAPE), 1), shaken(Transformer(SHAPE), 2)
    ours = dpo(reference, beta=0.3)(policy, collate_pairs(PAIRS, pad_id=2)) / len(PAIRS)
    trainer = DPOTrainer(
        theirs(policy, tmp_path, "policy"),
        theirs(reference, tmp_path, "reference"),
        args=DPOConfig(**settings(tmp_path), beta=0.3),
        train_dataset=Dataset.from_list([{"prompt": "a", "chosen": "b", "rejected": "c"}]),
        **plain,
    )
    keys = ("prompt_ids", "chosen_ids", "rejected_ids")
    rows = [dict(zip(keys, row, strict=True)) for row in zip(PROMPTS, CHOSEN, REJECTED, strict=True)]
    batch = trainer.data_collator(rows)
    assert trainer.compute_loss(trainer.model.eval(), batch).item() == pytest.approx(ours.item(), rel=1e-4)


def test_masked_completions_equal_trl(tmp_path, plain):
    model = shaken(Transformer(SHAPE), 1)
    rows = [example(p, c) for p, c in zip(PROMPTS, CHOSEN, strict=True)]
    batch = collate_completions(rows, pad_id=2)
    assert batch["num_items"] == sum(map(len, CHOSEN))
    ours = language_modeling(model, batch) / batch["num_items"]
    trainer = SFTTrainer(
        theirs(model, tmp_path, "model"),
        args=SFTConfig(**settings(tmp_path), dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=Dataset.from_list(rows),
        **plain,
    )
    batch = next(iter(trainer.get_eval_dataloader(trainer.train_dataset)))
    assert trainer.compute_loss(trainer.model.eval(), batch).item() == pytest.approx(ours.item(), rel=1e-4)


def test_reward_ranking_equals_trl(tmp_path, plain):
    model = shaken(Classifier(SHAPE, ["reward"]), 1)
    ours = reward_ranking(model, collate_pairs(PAIRS, pad_id=2)) / len(PAIRS)
    opened = theirs(model, tmp_path, "reward", LlamaForSequenceClassification)
    opened.config.pad_token_id = 2
    rows = {f"{side}_ids": [pair[side]["input_ids"] for pair in PAIRS] for side in ("chosen", "rejected")}
    trainer = RewardTrainer(
        opened, args=RewardConfig(**settings(tmp_path)), train_dataset=Dataset.from_dict(rows), **plain
    )
    batch = next(iter(trainer.get_eval_dataloader(trainer.train_dataset)))
    assert trainer.compute_loss(trainer.model.eval(), batch).item() == pytest.approx(ours.item(), rel=1e-4)


def test_classification_equals_transformers(tmp_path):
    model = shaken(Classifier(SHAPE, ["no", "yes", "maybe"]), 1)
    batch = collate_labeled([{"input_ids": ids, "label": n} for n, ids in enumerate(PROMPTS)], pad_id=2)
    opened = theirs(model, tmp_path, "classifier", LlamaForSequenceClassification)
    opened.config.pad_token_id = 2
    loss = opened(batch["input_ids"], labels=batch["labels"]).loss  # the mean
    torch.testing.assert_close(classification(model, batch) / batch["num_items"], loss, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_distillation_is_the_plain_formula(temperature, stories, tokenizer):
    shape = ModelConfig(vocab_size=400, hidden_size=32, num_hidden_layers=1)
    student = shaken(Transformer(shape), 1)
    teacher = shaken(Transformer(ModelConfig(vocab_size=400, hidden_size=48, num_hidden_layers=2)), 2)
    batch = next(make_loader(stories["train"], tokenizer, 2, 96, seed=0))
    batch["labels"][:, ::3] = IGNORE  # as of a prompt: neither loss counts it
    labels = batch["labels"] != IGNORE
    p, q = (m(batch["input_ids"], batch["document_ids"])[labels] for m in (teacher, student))
    p_soft, q_soft = ((x / temperature).softmax(-1) for x in (p, q))
    soft = temperature**2 * (p_soft * (p_soft.log() - q_soft.log())).sum()
    hard = F.cross_entropy(q, batch["labels"][labels], reduction="sum")
    ours = distillation(teacher, temperature, soft_weight=0.7)(student, batch)
    torch.testing.assert_close(ours, 0.7 * soft + 0.3 * hard, rtol=1e-4, atol=1e-3)
    ours.backward()
    assert student.lm_head.weight.grad is not None
    assert all(weight.grad is None for weight in teacher.parameters())


def test_dpo_begins_at_log_two():
    model = shaken(Transformer(SHAPE), 1)
    reference = copy.deepcopy(model)
    loss = dpo(reference, beta=0.1)(model, collate_pairs(PAIRS, pad_id=2))
    assert loss.item() == pytest.approx(len(PAIRS) * torch.tensor(2.0).log().item(), rel=1e-5)
    loss.backward()
    assert all(weight.grad is None for weight in reference.parameters())


# --- rewards of the model's own answers -------------------------------------------------------------------

ADVANTAGES = torch.tensor([1.3, -0.4, 0.7])


@torch.no_grad()
def answers(policy: Transformer, temperature: float) -> dict:
    """A batch as `Rollouts` hands it over, sampled by a model that was a little different."""
    batch = collate_completions([example(p, c) for p, c in zip(PROMPTS, CHOSEN, strict=True)], pad_id=2)
    old = shaken(copy.deepcopy(policy), 5)
    more = {"num_items": len(PROMPTS), "advantages": ADVANTAGES}
    return {**batch, **more, "old_log_probs": sampling_log_probs(old, batch, temperature)}


def padded(rows: list[list[int]], left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of ids as one tensor, and where it has no padding."""
    longest = max(map(len, rows))
    gaps = [[2] * (longest - len(row)) for row in rows]
    ids = [gap + row if left else row + gap for gap, row in zip(gaps, rows, strict=True)]
    masks = [[0] * len(gap) + [1] * len(row) for gap, row in zip(gaps, rows, strict=True)]
    masks = masks if left else [mask[::-1] for mask in masks]
    return torch.tensor(ids), torch.tensor(masks)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_grpo_equals_trl(temperature, tmp_path, plain):
    policy, reference = shaken(Transformer(SHAPE), 1), shaken(Transformer(SHAPE), 2)
    batch = answers(policy, temperature)
    ours = grpo(reference, 0.3, temperature)(policy, batch)
    gradient = torch.autograd.grad(ours / len(PROMPTS), policy.lm_head.weight)[0]
    how = {"loss_type": "grpo", "beta": 0.3, "epsilon": 0.2, "temperature": temperature}
    how["use_bias_correction_kl"] = False  # as in the paper; TRL also weights the divergence by the ratio
    trainer = GRPOTrainer(
        theirs(policy, tmp_path, "policy"),
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=GRPOConfig(**settings(tmp_path), **how, num_generations=3),
        train_dataset=Dataset.from_list([{"prompt": "a"}]),
        **plain,
    )

    def of_answers(values: torch.Tensor) -> torch.Tensor:
        rows = [value[mask] for value, mask in zip(values, batch["labels"] != IGNORE, strict=True)]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)

    (prompts, prompt_mask), (completions, mask) = padded(PROMPTS, left=True), padded(CHOSEN, left=False)
    with torch.no_grad():
        behind = of_answers(sampling_log_probs(reference, batch, temperature))
    inputs = {"prompt_ids": prompts, "prompt_mask": prompt_mask}
    inputs |= {"completion_ids": completions, "completion_mask": mask, "advantages": ADVANTAGES}
    inputs |= {"old_per_token_logps": of_answers(batch["old_log_probs"]), "ref_per_token_logps": behind}
    loss = trainer._compute_loss(trainer.model.eval(), inputs)
    assert loss.item() == pytest.approx(ours.item() / len(PROMPTS), rel=1e-4)
    loss.backward()
    torch.testing.assert_close(gradient, trainer.model.lm_head.weight.grad, rtol=1e-3, atol=1e-5)
    assert trainer._metrics["eval"]["clip_ratio/region_mean"][0] > 0  # some ratios are clipped


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_grpo_is_the_plain_formula(beta):
    generator = torch.Generator().manual_seed(0)
    now, old, reference = (-torch.rand(3, 5, generator=generator) for _ in range(3))
    lengths = torch.tensor([5, 1, 3])
    total = 0.0
    for row, (advantage, length) in enumerate(zip(ADVANTAGES.tolist(), lengths.tolist(), strict=True)):
        tokens = []
        for t in range(length):
            ratio = math.exp(now[row, t] - old[row, t])
            gain = min(ratio * advantage, min(max(ratio, 0.8), 1.2) * advantage)
            gap = (reference[row, t] - now[row, t]).item()
            tokens.append(-gain + beta * (math.exp(gap) - gap - 1))
        total += sum(tokens) / length
    mask = torch.arange(5) < lengths[:, None]
    assert grpo_loss(now, old, reference, ADVANTAGES, mask, beta).item() == pytest.approx(total, rel=1e-5)


def test_grpo_begins_as_policy_gradient():
    """Of the model that sampled, at its reference: minus advantage times the mean gradient of log π."""
    policy = shaken(Transformer(SHAPE), 1)
    batch = answers(policy, 1.0)
    ours = sampling_log_probs(policy, batch, 1.0)
    batch["old_log_probs"] = ours.detach()
    loss = grpo(copy.deepcopy(policy), beta=0.5)(policy, batch)
    assert loss.item() == pytest.approx(-ADVANTAGES.sum().item(), rel=1e-5)
    means = ours.sum(1) / (batch["labels"] != IGNORE).sum(1)
    weight = policy.model.layers[0].mlp.up_proj.weight
    (expected,) = torch.autograd.grad(-(ADVANTAGES * means).sum(), weight)
    torch.testing.assert_close(torch.autograd.grad(loss, weight)[0], expected, rtol=1e-4, atol=1e-6)


def test_grpo_splits_into_micro_batches():
    policy, reference = shaken(Transformer(SHAPE), 1), shaken(Transformer(SHAPE), 2)
    batch = answers(policy, 1.0)
    tensors = {name: value for name, value in batch.items() if isinstance(value, torch.Tensor)}
    parts = [
        {**batch, **{name: value[i : i + 1] for name, value in tensors.items()}} for i in range(len(PROMPTS))
    ]
    objective = grpo(reference, 0.3)
    assert sum(objective(policy, part).item() for part in parts) == pytest.approx(
        objective(policy, batch).item(), rel=1e-5
    )


def test_advantages_are_those_of_trl():
    """Their formula, of GRPOTrainer._generate_and_score_completions with scale_rewards "group"."""
    rewards = torch.tensor([[1.0, 2.0, 4.0], [-1.0, -1.0, -1.0]])
    mean, std = rewards.nanmean(1, keepdim=True), torch.stack([nanstd(row) for row in rewards])[:, None]
    torch.testing.assert_close(group_advantages(rewards), (rewards - mean) / (std + 1e-4))
    assert group_advantages(rewards)[1].tolist() == [0, 0, 0]
    unscaled = group_advantages(rewards, scale_rewards=False)
    assert unscaled[0].tolist() == pytest.approx([-4 / 3, -1 / 3, 5 / 3])


# --- a new objective: one function ... ---------------------------------------------------------------------


def predict_calmly(model: Transformer, batch: dict) -> torch.Tensor:
    """Next tokens, with logits kept small: z-loss (Chowdhery et al. 2022, arXiv:2204.02311, section 5)."""
    logits = model(batch["input_ids"], batch["document_ids"]).float()
    z = logits.logsumexp(-1)[batch["labels"] != IGNORE]
    return language_modeling(model, batch) + 0.1 * z.square().sum()


# --- ... and one test -------------------------------------------------------------------------------------


def test_objective_in_contributing():
    shown = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"```python\n{inspect.getsource(predict_calmly)}```" in shown


@pytest.mark.slow
def test_a_new_objective_is_one_function(model, stories, tokenizer):
    def train(objective) -> tuple[float, float]:
        """The size of log Z, and the loss, after a short run."""
        learner = copy.deepcopy(model)
        loader = make_loader(stories["train"], tokenizer, 4, 96, seed=0)
        trainer = Trainer(learner, objective, loader, TrainConfig(steps=40, learning_rate=1e-2))
        assert len(list(trainer.run())) == 40
        batches = validation_batches(stories["validation"], tokenizer, 4, 96, limit=8)
        with torch.no_grad():
            z = learner(batches[0]["input_ids"], batches[0]["document_ids"]).logsumexp(-1)
        return z.abs().mean().item(), trainer.evaluate(batches, language_modeling)

    (calm, calm_loss), (plain, plain_loss) = train(predict_calmly), train(language_modeling)
    assert calm < 0.5 * plain
    assert calm_loss < plain_loss + 0.3
