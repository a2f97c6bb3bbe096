"""An accelerator for machines that have none: it computes on the CPU, and keeps its tensors apart.

A tensor is on it if it was made or moved there, or computed from such tensors. As with a real one, tensors of
both places do not compute together, and NumPy reads none of the accelerator's. As Apple's, it has no float64.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

CPU, NAME = torch.device("cpu"), "mps"
COPIES = (Tensor.to, Tensor.cpu, Tensor.copy_)
NAMING = (torch.device, torch._C._nn._parse_to, torch._has_compatible_shallow_copy_type)  # compute nothing


class Accelerator(TorchFunctionMode):
    """Inside `with Accelerator():`, a device of this name is there; `used` says whether it has computed."""

    used = False

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given, _ = tree_flatten((args, kwargs))
        tensors = [value for value in given if isinstance(value, Tensor)]
        if function in NAMING:
            return function(*args, **kwargs)
        if function == Tensor.device.__get__:
            return _place(args[0])
        if function == Tensor.data.__set__:
            args[0].place = _place(args[1])
            return function(*args)
        places = {_place(tensor) for tensor in tensors if tensor.dim()}
        if len(places) > 1 and function not in COPIES:
            raise RuntimeError(f"{function} of tensors on two devices")
        place = next((place for place in map(_place, tensors) if place.type == NAME), CPU)
        if function == Tensor.numpy and place != CPU:
            raise TypeError("a tensor of an accelerator is not NumPy's: copy it to the CPU")
        self.used |= place != CPU
        wanted = [kwargs.get("device"), *(args[1:] if function == Tensor.to else ())]
        for device in wanted:
            if isinstance(device, torch.device | str):
                place = torch.device(device)
        if function == Tensor.cpu:
            place = CPU
        elif function == Tensor.copy_:
            place = _place(args[0])
        args, kwargs = tree_map(_on_the_cpu, (args, kwargs))
        return tree_map(lambda made: _placed(made, place, tensors), function(*args, **kwargs))


def _place(tensor: Tensor) -> torch.device:
    return getattr(tensor, "place", CPU)


def _on_the_cpu(value: Any) -> Any:
    return CPU if isinstance(value, torch.device | str) and str(value) == NAME else value


def _placed(made: Any, place: torch.device, given: list[Tensor]) -> Any:
    if not isinstance(made, Tensor) or _place(made) == place:
        return made
    if place != CPU and made.dtype == torch.float64:
        raise TypeError("the accelerator has no float64")
    made = made.clone() if any(made is tensor for tensor in given) else made
    made.place = place
    return made
