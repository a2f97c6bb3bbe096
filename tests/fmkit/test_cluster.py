"""What a run would take: by the formulas, what PyTorch keeps, and what other ways of counting say."""

from dataclasses import replace

import pytest
import torch

from fmkit import FmkitError, ModelConfig, TrainConfig
from fmkit.cluster import bytes_per_device, bytes_sent, kept_per_token, plan_run
from fmkit.flops import flops_per_token, num_parameters
from fmkit.model import Transformer

H100 = "NVIDIA H100 80GB HBM3"
MODEL = ModelConfig(50_304, 768, 12, 12, max_position_embeddings=1024)
WIDE = ModelConfig(64, 128, 2, 4, num_key_value_heads=2, intermediate_size=320, max_position_embeddings=64)


def kept_numbers(config: ModelConfig) -> float:
    """Count the numbers that a forward pass over 256 tokens keeps, but for weights and angles."""
    model, sizes = Transformer(config), {}
    known = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            sizes[storage.data_ptr()] = storage.nbytes() / 4
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden = model.hidden_states(torch.zeros(4, 64, dtype=torch.long))
    assert hidden.requires_grad
    return sum(sizes.values())


def test_a_block_keeps_what_is_counted():
    one, two = (kept_numbers(replace(WIDE, num_hidden_layers=layers)) for layers in (1, 2))
    assert (two - one) / 256 == pytest.approx(kept_per_token(WIDE) + WIDE.hidden_size, rel=0.05)


def test_sharing_and_recomputing_hold_less():
    plain, shared = (TrainConfig(batch_size=64, dtype="bfloat16", fsdp=fsdp) for fsdp in (False, True))
    again = TrainConfig(batch_size=64, dtype="bfloat16", gradient_checkpointing=True)
    held = [bytes_per_device(MODEL, config, 8) for config in (plain, shared)]
    assert held[0] - held[1] > 12 * num_parameters(MODEL) * 7 / 8 / 2
    assert bytes_per_device(MODEL, again, 8) < held[0] / 2
    assert bytes_per_device(MODEL, plain, 1) == bytes_per_device(MODEL, shared, 1)  # nobody to share with


def test_time_is_that_of_flops_or_of_sending():
    config = TrainConfig(steps=3600, batch_size=64)
    fast = plan_run(MODEL, config, 8, H100, mfu=0.5)
    assert fast.tokens_per_second == pytest.approx(8 * 989e12 * 0.5 / flops_per_token(MODEL, 1024))
    assert fast.hours == pytest.approx(3600 * 64 * 1024 / fast.tokens_per_second / 3600)
    slow = plan_run(MODEL, config, 8, H100, bandwidth=bytes_sent(MODEL, config, 8) / 10)
    assert slow.hours == pytest.approx(10)
    assert bytes_sent(MODEL, config, 2) == 4 * num_parameters(MODEL)


def test_device_of_a_measured_peak():
    config = TrainConfig(steps=10, batch_size=64)
    assert plan_run(MODEL, config, 8, 989e12) == plan_run(MODEL, config, 8, H100)


def test_device_without_a_known_peak():
    with pytest.raises(FmkitError, match=r"device='abacus' has no known peak: .*, or give FLOP"):
        plan_run(MODEL, TrainConfig(), 8, "abacus")


def test_half_a_row_is_refused():
    with pytest.raises(FmkitError, match="batch_size=8, of all devices together, cannot be shared by 16"):
        plan_run(MODEL, TrainConfig(batch_size=8), 16, H100)
