"""Weight-only quantization: matrices of whole numbers in 8 bits, with one scale for each output row.

A row w becomes q = round(w / s), where s = max |w| / 127 (absmax; Dettmers et al. 2022, arXiv:2208.07339,
section 2.1). The matrices of the blocks are rounded; embeddings, head, norms and activations keep their
format. Unlike in that paper, no product is made in whole numbers, so that above all memory is saved.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fmkit.errors import FmkitError
from fmkit.lora import find_lora
from fmkit.model import Classifier, Linear, Model, Transformer, require_kind

FEW_ROWS = 4  # up to which torch's kernel of int8 weights and bfloat16 is the faster way on a CPU


def round_rows(weight: Tensor, bits: int = 8) -> tuple[Tensor, Tensor]:
    """Round a matrix (out, in) to whole numbers of `bits` bits (out, in), in int8, and scales (out, 1)."""
    scale = weight.abs().amax(1, keepdim=True).clamp_min(1e-12) / (2 ** (bits - 1) - 1)
    return (weight / scale).round().to(torch.int8), scale


class QuantizedLinear(nn.Module):
    """A matrix of whole numbers and their scales, in the place of a `Linear`."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, base: Linear, bits: int) -> None:
        super().__init__()
        weight, scale = round_rows(base.weight.detach(), bits)
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale[:, 0])
        self.register_buffer("bias", None if base.bias is None else base.bias.detach())
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        scale, rows = self.scale.to(x.dtype), x.numel() // x.shape[-1]
        if x.dtype == torch.bfloat16 and x.device.type == "cpu" and rows <= FEW_ROWS:
            few: Tensor = torch._weight_int8pack_mm(x.reshape(rows, -1), self.weight, scale)
            y = few.view(*x.shape[:-1], -1)
        else:
            y = F.linear(x, self.weight.to(x.dtype)) * scale
        return y if self.bias is None else y + self.bias.to(x.dtype)

    def train(self, mode: bool = True) -> "QuantizedLinear":
        if mode:
            raise FmkitError("a quantized model cannot be trained: train it first, and quantize the result")
        return super().train(mode)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        raise FmkitError("a quantized model cannot be saved: save it first, and quantize it when you open it")


def quantize(model: Model, bits: int = 8) -> None:
    """Round the matrices of a model's blocks to `bits` bits, for use and evaluation.

    Fewer than 8 bits show what such rounding does; they take the memory of 8. Raises `FmkitError` for bits
    other than 2 to 8, and for a model that has adapters or is quantized already.
    """
    require_kind(model, Transformer, Classifier)
    if bits not in range(2, 9):
        raise FmkitError(f"bits={bits!r} must be a whole number from 2 to 8")
    if find_lora(model):
        raise FmkitError("the model has an adapter: merge_lora(model) first, and then quantize it")
    if any(isinstance(module, QuantizedLinear) for module in model.modules()):
        raise FmkitError("the model is quantized already: open it again to round it in another way")
    model.eval()
    blocks = model.model.layers
    for name, module in list(blocks.named_modules()):
        if isinstance(module, Linear):
            parent, _, last = name.rpartition(".")
            setattr(blocks.get_submodule(parent), last, QuantizedLinear(module, bits))


def num_bytes(model: Model) -> int:
    """Count the bytes of a model's numbers in memory; a tied head counts once."""
    rounded = [module for module in model.modules() if isinstance(module, QuantizedLinear)]
    tensors = [*model.parameters(), *(tensor for module in rounded for tensor in module.buffers())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
