"""Settings as people write them: NumPy's numbers, torch's devices, the names that other libraries use.

What can be understood is made Python's own; what cannot is one line that names the setting.
"""

import difflib
import functools
import os
import typing
from collections.abc import Iterable, Sequence
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

from fmkit.errors import FmkitError

Config = TypeVar("Config", bound=type)

TYPES = {
    **{int: "a whole number", float: "a number", bool: "true or false", str: "text"},
    tuple: "a name or a list of names",
}
ELSEWHERE = {  # what other libraries call a field, and what serves for it here
    "betas": "adam_beta1 and adam_beta2",
    "lr": "learning_rate",
    "max_steps": "steps",
    "num_train_epochs": "steps",
    "per_device_train_batch_size": "batch_size",
    "max_length": "context_length",
    "block_size": "context_length",
    "warmup_ratio": "warmup_steps",
    "eval_steps": "eval_every",
    "save_steps": "checkpoint_every",
    "bf16": 'dtype="bfloat16"',
    "torch_dtype": "dtype",
    "device_map": "device",
    "num_labels": "labels, to Classifier.from_base(model, labels)",
    "output_dir": "it to the recipe, as in pretrain(…, output_dir=…)",
    "n_embd": "hidden_size",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_positions": "max_position_embeddings",
    "alpha": "lora_alpha",
    "rank": "r",
}


def explain_names(config: Config) -> Config:
    """Have a dataclass refuse a field that it has not in one line, with the name that it has for it."""
    make, known = config.__init__, [field.name for field in fields(config)]  # type: ignore[misc]

    @functools.wraps(make)
    def explaining(self: Any, *values: Any, **named: Any) -> None:
        require_names(named, known, config.__name__)
        make(self, *values, **named)

    config.__init__ = explaining  # type: ignore[misc]
    return config


def require_names(named: Iterable[str], known: Sequence[str], whose: str) -> None:
    """Raise `FmkitError` for a name that is not known, with what it is called here."""
    for name in named:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1) or [f"one of {', '.join(known)}"]
            raise FmkitError(f"{whose} has no {name!r}: give {ELSEWHERE.get(name, close[0])}")


def settle(config: Any) -> None:
    """Make each field of a dataclass what its type says: of NumPy's numbers Python's, of a list a tuple.

    Raises `FmkitError` for a value of another type. A whole number counts as a number; true and false do not.
    """
    for field in fields(config):
        value, (kind, *others) = getattr(config, field.name), typing.get_args(field.type) or (field.type,)
        if typing.get_origin(field.type) is tuple:
            kind, is_some = tuple, isinstance(value, str | list | tuple | set)
            value = tuple(as_several(value)) if is_some else value
        elif value is None and others:
            continue
        elif getattr(value, "shape", None) == ():
            value = value.item()
        fits = isinstance(value, (int, float) if kind is float else kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            raise FmkitError(f"{field.name}={value!r:.60} must be {TYPES.get(kind, f'a {kind.__name__}')}")
        object.__setattr__(config, field.name, value)


def require_numbers(kind: type, **values: Any) -> None:
    """Raise `FmkitError` for a value, other than None, that is no `int` or `float` (`kind`), or like one."""
    for name, value in values.items():
        is_one = isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
        if value is not None and not is_one:
            raise FmkitError(f"{name}={value!r:.60} must be {TYPES[kind]}")


def spell(given: Any) -> str | None:
    """Spell a device or a number format of torch as text; None for "auto", the best there is."""
    return None if given is None or given == "auto" else str(given).removeprefix("torch.")


def as_several(given: Any) -> Any:
    """Return texts, names or numbers as they are, of an array or table's column as a list.

    One text becomes a list of it, which would be read as its letters.
    """
    return [given] if isinstance(given, str) else given.tolist() if hasattr(given, "tolist") else given


def as_path(path: Any) -> Path:
    """Return the path of a file or directory, `~` being the user's own. Raises `FmkitError` for no path."""
    if not isinstance(path, str | os.PathLike):
        raise FmkitError(
            f"{type(path).__name__} is not a path: name a file or directory (data in memory needs none)"
        )
    return Path(os.path.expanduser(path))
