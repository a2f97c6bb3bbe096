"""A step is the optimizer's step on the mean over all items, and a record says what it was."""

import copy
import math
from itertools import islice

import pytest
import torch
from datasets import Dataset

from fmkit import FmkitError, ModelConfig, TrainConfig, Transformer
from fmkit.data.batches import IGNORE, make_loader
from fmkit.data.masking import MaskedLoader
from fmkit.flops import flops_per_token
from fmkit.objectives import language_modeling
from fmkit.optim import make_optimizer, step_where
from fmkit.trainer import Trainer, train_step


@pytest.fixture
def make_batches(stories, tokenizer):
    return lambda: make_loader(stories["train"], tokenizer, 2, 64, seed=0)


def test_steps_are_those_of_plain_adamw(model, make_batches):
    config = TrainConfig(
        steps=3,
        gradient_accumulation_steps=2,
        learning_rate=1e-2,
        warmup_steps=2,
        min_lr_ratio=0.1,
        weight_decay=0.3,
        adam_beta1=0.7,
        adam_beta2=0.8,
        max_grad_norm=0.5,
    )
    plain, loader = copy.deepcopy(model), make_batches()
    norms, matrices = (
        [p for n, p in plain.named_parameters() if ("norm" in n) == is_norm] for is_norm in (1, 0)
    )
    groups = [{"params": norms, "weight_decay": 0.0}, {"params": matrices, "weight_decay": 0.3}]
    adamw = torch.optim.AdamW(groups, betas=(0.7, 0.8))
    history = list(Trainer(model, language_modeling, make_batches(), config).run())
    assert [record["learning_rate"] for record in history] == pytest.approx([5e-3, 1e-2, 1e-3])
    for record in history:
        batches = list(islice(iter(loader.__next__, None), 2))
        loss = sum(language_modeling(plain, b) for b in batches) / sum(b["num_items"] for b in batches)
        adamw.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
        assert norm > 0.5
        for group in adamw.param_groups:
            group["lr"] = record["learning_rate"]
        adamw.step()
        assert (record["loss"], record["grad_norm"]) == pytest.approx((loss.item(), norm.item()), rel=1e-4)
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_accumulation_is_exact(model, stories, tokenizer):
    loader = make_loader(stories["train"], tokenizer, 6, 96, seed=0)
    whole = next(loader)
    parts = [
        {
            **whole,
            "input_ids": whole["input_ids"][rows],
            "labels": whole["labels"][rows].clone(),
            "document_ids": whole["document_ids"][rows],
        }
        for rows in (slice(0, 1), slice(1, 6))
    ]
    parts[0]["labels"][:, 10:] = IGNORE  # very unequal numbers of items
    joined = {**whole, "labels": torch.cat([part["labels"] for part in parts])}
    for batch in (*parts, joined):
        batch["num_items"] = int((batch["labels"] != IGNORE).sum())
    gradients = []
    for batches in (parts, [joined]):
        copy = Transformer(model.config)
        optimizer = make_optimizer(copy, TrainConfig(learning_rate=1e-9))
        optimizer.zero_grad = lambda set_to_none: None  # keep the gradient to look at it
        loss, norm = train_step(copy, language_modeling, batches, optimizer, max_grad_norm=1e9)
        gradients.append([loss, norm, *(p.grad for p in copy.parameters())])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_validation_is_the_mean_of_all_items(model, make_batches):
    """Not the mean of the batches' means."""
    trainer = Trainer(model, language_modeling, make_batches(), TrainConfig(steps=1))
    few, many = (next(trainer.loader) for _ in range(2))
    few["labels"][:, 3:] = IGNORE
    few["num_items"] = int((few["labels"] != IGNORE).sum())
    with torch.no_grad():
        total = language_modeling(model, few) + language_modeling(model, many)
    expected = total.item() / (few["num_items"] + many["num_items"])
    assert trainer.evaluate([few, many]) == pytest.approx(expected, rel=1e-5)


def test_tokens_are_counted_as_read(model, make_batches, tokenizer):
    loader = MaskedLoader(make_batches(), tokenizer, 0)
    trainer = Trainer(model, language_modeling, loader, TrainConfig(steps=2))
    again = make_batches()
    read = [next(again)["num_tokens"] for _ in range(2)]
    assert [record["tokens"] for record in trainer.run()] == [read[0], sum(read)]


def test_more_can_be_masked(tokenizer, make_batches):
    hidden = []
    for share in (0.1, 0.4):
        batch = next(MaskedLoader(make_batches(), tokenizer, 0, share))
        hidden.append(batch["num_items"] / batch["num_tokens"])
    assert hidden == pytest.approx([0.1, 0.4], rel=0.25)


def test_mfu_is_flops_over_the_peak(model, make_batches):
    trainer = Trainer(model, language_modeling, make_batches(), TrainConfig(steps=1, context_length=64))
    trainer.peak = 1e12
    (record,) = trainer.run()
    computed = record["tokens_per_second"] * flops_per_token(model.config, 64)
    assert record["mfu"] == pytest.approx(computed / 1e12, rel=1e-3)


def test_random_objective_is_resumed_exactly(model, make_batches):
    def noisy(model, batch):
        return language_modeling(model, batch) * (1 + torch.rand(()))

    config = TrainConfig(steps=4)
    first = Trainer(model, noisy, make_batches(), config)
    steps = first.run()
    _, _ = next(steps), next(steps)
    weights, state = copy.deepcopy((model.state_dict(), first.state_dict()))
    expected = [record["loss"] for record in steps]
    second = Trainer(Transformer(model.config), noisy, make_batches(), config)
    second.model.load_state_dict(weights)
    second.load_state_dict(*state)
    assert [record["loss"] for record in second.run()] == expected


def test_masked_steps_have_tokens_to_learn(stories, tokenizer):
    """Of 16 tokens, about one row in eleven has none hidden."""
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "max_position_embeddings": 16}
    model = Transformer(ModelConfig(vocab_size=400, is_causal=False, **shape))
    loader = MaskedLoader(make_loader(stories["train"], tokenizer, 1, 16, seed=0), tokenizer, seed=0)
    trainer = Trainer(model, language_modeling, loader, TrainConfig(steps=60, batch_size=1))
    assert all(math.isfinite(record["loss"]) for record in trainer.run())


def test_texts_without_a_token_to_hide(tokenizer, monkeypatch):
    monkeypatch.setattr("fmkit.data.masking.TRIES", 20)
    empty = make_loader(Dataset.from_dict({"text": [""] * 50}), tokenizer, 1, 16, seed=0)
    with pytest.raises(FmkitError, match="no token to hide in 20 batches"):
        next(MaskedLoader(empty, tokenizer, seed=0))


def test_nothing_to_predict_is_said(model, make_batches):
    loader = make_batches()
    nothing = {**next(loader), "num_items": 0}
    loader.__class__ = type("Empty", (type(loader),), {"__next__": lambda self: nothing})
    with pytest.raises(FmkitError, match="nothing to predict"):
        next(Trainer(model, language_modeling, loader, TrainConfig(steps=1)).run())


def test_last_update_must_be_finite(model, make_batches):
    trainer = Trainer(model, language_modeling, make_batches(), TrainConfig(steps=1, learning_rate=1e300))
    with pytest.raises(FmkitError, match="step 1: its update made weights that are not finite"):
        list(trainer.run())


OPTIMIZERS = {
    "make_optimizer": lambda model: make_optimizer(model, TrainConfig()),
    "loop": lambda model: torch.optim.AdamW(model.parameters(), foreach=False),
    "foreach": lambda model: torch.optim.AdamW(model.parameters(), foreach=True),
    "sgd": lambda model: torch.optim.SGD(model.parameters(), momentum=0.9, fused=True),
    "adafactor": lambda model: torch.optim.Adafactor(model.parameters()),
}
NOT_FINITE = {"gradient": lambda loss: loss * math.nan, "loss": lambda loss: loss + math.inf}


@pytest.mark.parametrize("spoil", NOT_FINITE.values(), ids=NOT_FINITE)
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_nonfinite_step_is_not_taken(model, make_batches, make, spoil):
    """By no optimizer, and at no step; the next step that is finite is taken."""
    loader, optimizer = make_batches(), make(model)

    def step(change):
        train_step(model, lambda m, b: change(language_modeling(m, b)), [next(loader)], optimizer, 1.0)
        state = [value for values in optimizer.state.values() for value in values.values()]
        return copy.deepcopy([*model.parameters(), *(v for v in state if torch.is_tensor(v))])

    before = copy.deepcopy(list(model.parameters()))
    torch.testing.assert_close(step(spoil), before, rtol=0, atol=0)
    trained = step(lambda loss: loss)
    assert not torch.equal(trained[0], before[0])
    torch.testing.assert_close(step(spoil), trained, rtol=0, atol=0)


@pytest.mark.parametrize("spoil", NOT_FINITE.values(), ids=NOT_FINITE)
def test_weights_before_it_are_kept(model, make_batches, spoil):
    before = copy.deepcopy(model.state_dict())
    trainer = Trainer(
        model, lambda m, b: spoil(language_modeling(m, b)), make_batches(), TrainConfig(device="cpu")
    )
    with pytest.raises(FmkitError, match="not finite; the weights of step 0 are kept"):
        next(trainer.run())
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_cuda_reads_the_flag_itself(model, monkeypatch):
    """The host does not wait for a GPU to know whether a step was finite."""
    optimizer, before = make_optimizer(model, TrainConfig()), copy.deepcopy(list(model.parameters()))
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, math.nan)
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "is_cuda", True)
        patch.setattr(torch.Tensor, "__bool__", lambda self: pytest.fail("the host waited"))
        step_where(torch.tensor(False), optimizer)
    torch.testing.assert_close(list(model.parameters()), before, rtol=0, atol=0)
