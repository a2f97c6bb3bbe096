"""What each part of a model makes of its input."""

from typing import Any

import torch
from torch import Tensor, nn

from fmkit.model import Model


@torch.no_grad()
def trace(model: Model, *inputs: Tensor) -> dict[str, Tensor]:
    """Run a model once and return what its parts give, from the first to the last.

    `embedding`, each `block` and `last norm` are (B, T, d), d numbers for each of T tokens; `head` is what
    the model returns for `inputs`.
    """
    decoder, found = model.model, {}

    def keep(name: str) -> Any:
        def hook(part: nn.Module, given: Any, output: Tensor) -> None:
            found[name] = output

        return hook

    parts: dict[str, nn.Module] = {"embedding": decoder.embed_tokens}
    parts |= {f"block {number}": block for number, block in enumerate(decoder.layers, start=1)}
    parts["last norm"] = decoder.norm
    hooks = [part.register_forward_hook(keep(name)) for name, part in parts.items()]
    try:
        found["head"] = model(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found
