"""Weight-only quantization: what rounding keeps, what it saves, and what a rounded model refuses."""

from pathlib import Path

import pytest
import torch

from fmkit import LoraConfig, Transformer, add_lora, asset, generate, quantize
from fmkit.config import ModelConfig
from fmkit.errors import FmkitError
from fmkit.quantization import QuantizedLinear, num_bytes, round_rows


def small() -> Transformer:
    return Transformer(ModelConfig(vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=2))


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_a_row_is_off_by_half_a_step(bits: int) -> None:
    weight = (
        torch.randn(7, 33, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 3, 7)[:, None]
    )
    whole, scale = round_rows(weight, bits)
    assert whole.abs().amax(1).tolist() == [2 ** (bits - 1) - 1] * 7
    assert ((whole * scale - weight).abs() <= 0.5001 * scale).all()


def test_a_row_of_zeros_stays() -> None:
    whole, scale = round_rows(torch.zeros(2, 3))
    assert not whole.any()
    assert scale.isfinite().all()


@pytest.mark.parametrize("rows", [1, 3, 50])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_rounded_matrix_computes(dtype: torch.dtype, rows: int) -> None:
    """As the matrix that its numbers stand for, by each of its two ways."""
    base = small().model.layers[0].mlp.up_proj
    rounded, x = QuantizedLinear(base, 8), torch.randn(2, rows, 16, dtype=dtype)
    whole, scale = round_rows(base.weight)
    expected = x.float() @ (whole * scale).T
    error = (rounded(x).float() - expected).norm() / expected.norm()
    assert rounded(x).dtype == dtype
    assert error < (1e-6 if dtype == torch.float32 else 1e-2)


def test_the_books_model_keeps_its_text() -> None:
    model = Transformer.from_pretrained(asset("models/base"))
    assert model.tokenizer
    before, size = generate(model, model.tokenizer, "Once upon a time", 30, temperature=0), num_bytes(model)
    quantize(model)
    assert generate(model, model.tokenizer, "Once upon a time", 30, temperature=0)[:40] == before[:40]
    assert num_bytes(model) < 0.5 * size


def test_no_training_of_whole_numbers(tmp_path: Path) -> None:
    model = small()
    quantize(model)
    with pytest.raises(FmkitError, match="cannot be trained"):
        model.train()
    with pytest.raises(FmkitError, match="cannot be saved"):
        model.save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_not_quantized() -> None:
    adapted, twice = small(), small()
    add_lora(adapted, LoraConfig())
    quantize(twice)
    for model, bits, said in ((adapted, 8, "adapter"), (twice, 8, "already"), (small(), 1, "from 2 to 8")):
        with pytest.raises(FmkitError, match=said):
            quantize(model, bits)
