"""Losses against the plain formula, and masks against the paper's shares."""

import pytest
import torch
import torch.nn.functional as F

from fmkit.data.batches import IGNORE
from fmkit.data.masking import mask_tokens
from fmkit.losses import distillation_loss, dpo_loss, ranking_loss, sequence_log_probs, token_loss


@pytest.mark.parametrize("rows", [1, 7, 600])
@pytest.mark.parametrize("ignored", [0.0, 0.3, 1.0])
def test_token_loss_is_cross_entropy(rows, ignored):
    torch.manual_seed(0)
    hidden = torch.randn(2, rows, 16, requires_grad=True)
    head = torch.randn(97, 16, requires_grad=True)
    labels = torch.randint(0, 97, (2, rows)).masked_fill(torch.rand(2, rows) < ignored, IGNORE)
    chunked = token_loss(hidden, head, labels)
    logits = hidden @ head.T
    plain = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum", ignore_index=IGNORE)
    torch.testing.assert_close(chunked, plain, rtol=1e-5, atol=1e-4)
    ours = torch.autograd.grad(3.0 * chunked, (hidden, head))
    theirs = torch.autograd.grad(3.0 * plain, (hidden, head))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_the_loss_is_exact_in_bfloat16_too():
    """A sum of thousands of nats has more digits than a number of bfloat16 holds."""
    torch.manual_seed(0)
    hidden, head = torch.randn(4, 300, 32).bfloat16(), torch.randn(500, 32)
    labels = torch.randint(0, 500, (4, 300))
    logits = hidden.double() @ head.bfloat16().double().T
    exact = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
    assert token_loss(hidden, head, labels).item() == pytest.approx(exact.item(), rel=1e-4)


@pytest.mark.parametrize("trains_head", [True, False])
def test_bfloat16_has_the_same_gradient(trains_head, monkeypatch):
    """It is computed along with the loss, in chunks, the last of them not a whole one."""
    monkeypatch.setattr("fmkit.losses.CACHED", 128 * 97)
    torch.manual_seed(0)
    hidden = torch.randn(2, 150, 32).bfloat16().requires_grad_()
    head = torch.randn(97, 32).bfloat16().float().requires_grad_(trains_head)
    labels = torch.randint(0, 97, (2, 150)).masked_fill(torch.rand(2, 150) < 0.3, IGNORE)
    found = []
    for loss in (token_loss(hidden, head, labels), token_loss(hidden.double(), head.double(), labels)):
        found.append([loss, *torch.autograd.grad(3.0 * loss, (hidden, head) if trains_head else (hidden,))])
    for ours, exact in zip(*found, strict=True):
        assert (ours - exact).norm() < 0.01 * exact.norm()


def test_masks_have_the_shares_of_the_paper():
    ids = torch.randint(0, 1000, (200, 500), generator=torch.Generator().manual_seed(1))
    corrupted, labels = mask_tokens(ids, 1000, 3, torch.Generator().manual_seed(0))
    chosen = labels != IGNORE
    assert chosen[ids > 3].float().mean() == pytest.approx(0.15, abs=0.005)
    assert not chosen[ids <= 3].any()  # special tokens are never hidden
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(corrupted[~chosen], ids[~chosen])
    assert (corrupted[chosen] == 3).float().mean() == pytest.approx(0.8, abs=0.02)
    assert (corrupted[chosen] == ids[chosen]).float().mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("loss", ["distillation", "log-probabilities"])
def test_chunks_change_nothing(loss, monkeypatch):
    torch.manual_seed(0)
    hidden = torch.randn(2, 50, 16, requires_grad=True)
    head = torch.randn(97, 16, requires_grad=True)
    teacher, teacher_head = torch.randn(2, 50, 24), torch.randn(97, 24)
    labels = torch.randint(0, 97, (2, 50)).masked_fill(torch.rand(2, 50) < 0.3, IGNORE)

    def compute() -> list[torch.Tensor]:
        if loss == "distillation":
            value = distillation_loss(hidden, head, teacher, teacher_head, labels, temperature=2.0)
        else:
            value = sequence_log_probs(hidden, head, labels).square().sum()
        return [value, *torch.autograd.grad(value, (hidden, head))]

    whole = compute()
    monkeypatch.setattr("fmkit.losses.LOGITS", 97 * 7)  # seven positions at a time
    for a, b in zip(compute(), whole, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("loss", [distillation_loss, token_loss])
def test_chunk_logits_are_not_kept(loss, monkeypatch):
    """They are made again: the largest that is kept is what comes in."""
    hidden, head = torch.randn(2, 50, 4, requires_grad=True), torch.randn(97, 4, requires_grad=True)
    teacher = (hidden.detach(), head.detach()) if loss is distillation_loss else ()

    def largest() -> int:
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
            loss(hidden, head, *teacher, torch.randint(0, 97, (2, 50)))
        return max(kept, default=0)

    assert largest() == 2 * 50 * 97
    monkeypatch.setattr("fmkit.losses.LOGITS", 97 * 7)  # seven positions at a time
    assert largest() <= hidden.numel()


def test_preference_losses_are_the_formulas():
    chosen, rejected, before_chosen, before_rejected = torch.randn(4, 5)
    ours = dpo_loss(chosen, rejected, before_chosen, before_rejected, beta=0.2)
    margin = 0.2 * ((chosen - rejected) - (before_chosen - before_rejected))
    torch.testing.assert_close(ours, -torch.sigmoid(margin).log().sum())
    torch.testing.assert_close(ranking_loss(chosen, rejected), -torch.sigmoid(chosen - rejected).log().sum())


def test_log_probs_of_each_row():
    torch.manual_seed(0)
    hidden, head = torch.randn(3, 8, 16), torch.randn(20, 16)
    labels = torch.randint(0, 20, (3, 8)).masked_fill(torch.rand(3, 8) < 0.5, IGNORE)
    log_p = (hidden @ head.T).log_softmax(-1)
    expected = [sum(log_p[b, t, labels[b, t]] for t in range(8) if labels[b, t] != IGNORE) for b in range(3)]
    torch.testing.assert_close(sequence_log_probs(hidden, head, labels), torch.stack(expected))
