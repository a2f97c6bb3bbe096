"""Objectives against the field's own, and how little it takes to add one."""

import copy
import inspect
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset
from transformers import AutoModelForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer

from fmkit import Classifier, ModelConfig, TrainConfig, Transformer
from fmkit.data.batches import IGNORE, make_loader, validation_batches
from fmkit.data.example_batches import collate_completions, collate_labeled, collate_pairs
from fmkit.objectives import classification, distillation, dpo, language_modeling, reward_ranking
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
