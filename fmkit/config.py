"""Configuration: what a model is, how it is trained, and where it runs.

Frozen dataclasses with Hugging Face's names. A bad value raises `FmkitError` when the object is made, before
anything is computed or written.
"""

import random
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from fmkit.errors import FmkitError
from fmkit.foreign import HARMLESS, LLAMA, PLAIN, require_plain
from fmkit.settings import TYPES, explain_names, require_numbers, settle, spell

if TYPE_CHECKING:
    import torch

Value = TypeVar("Value")
JSON_TYPES = {dict: "an object", list: "a list", **TYPES}
DTYPES = ("float32", "bfloat16")

_reproducible = False


def _option(default: Any, help: str, choices: tuple[str, ...] | None = None) -> Any:
    """A dataclass field that also carries its help for the command line."""
    return field(default=default, metadata={"help": help, "choices": choices})


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise FmkitError(message)


def read_field(data: dict[str, Any], name: str, kind: type[Value], where: str, default: Value) -> Value:
    """Read a field of a JSON object from a file; the default where it is missing or null.

    Raises `FmkitError` for a value of another type. A whole number counts as a number; true and false do not.
    """
    value: Any = data.get(name)
    if value is None:
        return default
    kinds: Any = (int, float) if kind is float else kind
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise FmkitError(f"{where}: {name} is {value!r:.60}, not {JSON_TYPES[kind]}")
    return value


class Derived(int):
    """A number that was computed from other fields, so that `dataclasses.replace` computes it anew."""


def _derive(config: Any, name: str, value: int) -> None:
    """Fill in a field that was not given, or was derived from the fields of another configuration."""
    if getattr(config, name) is None or isinstance(getattr(config, name), Derived):
        object.__setattr__(config, name, Derived(value))


@explain_names
@dataclass(frozen=True)
class ModelConfig:
    """The shape of a Llama-style decoder (Touvron et al. 2023, arXiv:2302.13971, section 2.2).

    Raises `FmkitError` where the numbers do not fit together.
    """

    vocab_size: int
    hidden_size: int = _option(256, "width of the residual stream")
    num_hidden_layers: int = _option(6, "number of blocks")
    num_attention_heads: int = _option(4, "query heads per block")
    num_key_value_heads: int | None = _option(None, "key/value heads, fewer = grouped-query attention")
    intermediate_size: int | None = _option(None, "width of the MLP (default: 8/3 of the width, in 64s)")
    max_position_embeddings: int = _option(256, "context length in tokens")
    rope_theta: float = _option(10_000.0, "base of the rotary position encoding")
    rms_norm_eps: float = _option(1e-5, "added to the mean square before its root")
    initializer_range: float = _option(0.02, "standard deviation of the initial weights")
    tie_word_embeddings: bool = _option(True, "one matrix for reading and writing tokens")
    is_causal: bool = _option(True, "each token sees the past only; off: masked-token training")

    def __post_init__(self) -> None:
        settle(self)
        given = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads")
        for name in (*given, "max_position_embeddings"):
            self._require_positive(name)
        _derive(self, "num_key_value_heads", self.num_attention_heads)
        _derive(self, "intermediate_size", -(-self.hidden_size * 8 // (3 * 64)) * 64)
        for name in ("num_key_value_heads", "intermediate_size"):
            self._require_positive(name)
        for name in ("rope_theta", "rms_norm_eps", "initializer_range"):
            value = getattr(self, name)
            _require(0 < value < 1e38, f"{name}={value!r:.60} must be a positive number")
        heads, width = self.num_attention_heads, self.hidden_size
        _require(
            width % heads == 0,
            f"hidden_size={width} is not divisible by num_attention_heads={heads}: "
            f"try hidden_size={max(1, round(width / heads)) * heads}",
        )
        _require(
            self.head_dim % 2 == 0,
            f"hidden_size / num_attention_heads = {self.head_dim} must be even: "
            "rotary encoding turns pairs of numbers",
        )
        _require(
            heads % self.num_key_value_heads == 0,  # type: ignore[operator]
            f"num_attention_heads={heads} is not divisible by num_key_value_heads={self.num_key_value_heads}",
        )

    def _require_positive(self, name: str) -> None:
        value = getattr(self, name)
        _require(value > 0, f"{name}={value!r:.60} must be a positive whole number")

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    def to_hugging_face(self) -> dict[str, Any]:
        """Return the fields of a Llama `config.json` for these shapes."""
        return {
            "model_type": "llama",
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
            "dtype": "float32",
            "head_dim": self.head_dim,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_theta},
            **{f.name: getattr(self, f.name) for f in fields(self)},
        }

    @classmethod
    def from_hugging_face(cls, data: dict[str, Any], where: str = "config.json") -> "ModelConfig":
        """Read a Llama `config.json`, with transformers' defaults for what it leaves out.

        Raises `FmkitError` for what this model cannot compute, and for any setting that is not known to leave
        it as it is.
        """
        _require(
            data.get("model_type") == "llama",
            f"{where}: model_type is {data.get('model_type')!r}; fmkit opens 'llama' checkpoints",
        )
        scaling = "rope_scaling" if data.get("rope_scaling") else "rope_parameters"
        rope: dict[str, Any] = read_field(data, scaling, dict, where, {})
        _require(
            not data.get("quantization_config"),
            f"{where}: the weights are quantized (quantization_config), fmkit's are not: have transformers "
            "dequantize() the model and save it",
        )
        names, us = [f.name for f in fields(cls)], "fmkit's Transformer"
        read = (*names, "head_dim", "rope_scaling", "rope_parameters", "layer_types")
        require_plain(data, (*HARMLESS, *read), PLAIN, where, us)
        unscaled = ("rope_theta", "original_max_position_embeddings")
        require_plain(rope, unscaled, PLAIN, f"{where}: {scaling}", us)
        for kind in read_field(data, "layer_types", list, where, []):
            _require(kind == "full_attention", f"{where}: layer_types={kind!r:.60} is not supported by {us}")
        known: dict[str, Any] = LLAMA | {name: data[name] for name in names if data.get(name) is not None}
        if rope.get("rope_theta") is not None:
            known["rope_theta"] = rope["rope_theta"]
        try:
            config = cls(**known)
        except FmkitError as error:
            raise FmkitError(f"{where}: {error}") from None
        head_dim = data.get("head_dim") or config.head_dim
        _require(head_dim == config.head_dim, f"{where}: head_dim={head_dim} is not hidden_size / heads")
        return config


@explain_names
@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained: the same fields for every objective.

    A step sees `batch_size * gradient_accumulation_steps` sequences of `context_length` tokens.
    Raises `FmkitError` for a value out of range.
    """

    steps: int = _option(600, "optimizer steps")
    batch_size: int = _option(8, "sequences in one forward pass")
    gradient_accumulation_steps: int = _option(1, "forward passes summed into one step")
    context_length: int | None = _option(None, "tokens per sequence (default: all the model can take)")
    learning_rate: float = _option(3e-3, "peak learning rate of AdamW")
    lr_scheduler_type: str = _option(
        "cosine", "shape of the schedule", choices=("cosine", "warmup_stable_decay")
    )
    warmup_steps: int | None = _option(None, "steps up to the peak (default: a twentieth of all)")
    min_lr_ratio: float = _option(0.1, "last learning rate over the peak")
    decay_ratio: float = _option(0.2, "share of steps in the last decay of warmup_stable_decay")
    weight_decay: float = _option(0.1, "decoupled decay of the matrices")
    adam_beta1: float = _option(0.9, "decay of AdamW's mean gradient")
    adam_beta2: float = _option(0.95, "decay of AdamW's mean squared gradient")
    max_grad_norm: float = _option(1.0, "gradients longer than this are scaled down to it")
    eval_every: int | None = _option(None, "steps between validations (default: a tenth of all)")
    eval_rows: int = _option(64, "held-out rows of a validation: packed texts, examples or pairs")
    checkpoint_every: int | None = _option(None, "steps between checkpoints (needs an output directory)")
    seed: int = _option(0, "seeds the data order and every random choice of the run")
    device: str | None = _option(None, "cuda, mps or cpu (default: the best there is)")
    dtype: str | None = _option(
        None, "number format of the arithmetic (default: the faster one)", choices=DTYPES
    )
    compile: bool | None = _option(None, "torch.compile the model (default: on CUDA)")

    def __post_init__(self) -> None:
        for name in ("device", "dtype"):
            object.__setattr__(self, name, spell(getattr(self, name)))
        settle(self)
        for name in ("steps", "batch_size", "gradient_accumulation_steps", "eval_rows"):
            _require(getattr(self, name) >= 1, f"{name}={getattr(self, name)} must be at least 1")
        for name in ("context_length", "eval_every", "checkpoint_every"):
            value = getattr(self, name)
            _require(value is None or value >= 1, f"{name}={value} must be at least 1")
        _derive(self, "warmup_steps", self.steps // 20)
        _derive(self, "eval_every", max(1, self.steps // 10))
        assert self.warmup_steps is not None
        _require(
            0 <= self.warmup_steps <= self.steps,
            f"warmup_steps={self.warmup_steps} must lie between 0 and steps={self.steps}",
        )
        _require(self.learning_rate > 0, f"learning_rate={self.learning_rate} must be positive")
        _require(0 <= self.seed < 2**63, f"seed={self.seed} must lie between 0 and 2**63 - 1")
        for name in ("min_lr_ratio", "decay_ratio"):
            _require(0 <= getattr(self, name) <= 1, f"{name}={getattr(self, name)} must lie between 0 and 1")
        for name in ("adam_beta1", "adam_beta2"):
            _require(
                0 <= getattr(self, name) < 1, f"{name}={getattr(self, name)} must be at least 0, below 1"
            )
        _require(self.max_grad_norm > 0, f"max_grad_norm={self.max_grad_norm} must be positive")
        _require(self.weight_decay >= 0, f"weight_decay={self.weight_decay} must not be negative")
        for f in fields(self):
            choices, value = f.metadata["choices"], getattr(self, f.name)
            _require(
                choices is None or value is None or value in choices,
                f"{f.name}={value!r} is unknown: choose from {', '.join(choices or ())}",
            )


# Where a way of training starts when nothing is said: smaller steps keep what has been learned, and
# preferences and rewards need the smallest.
CONTINUE: dict[str, Any] = {"learning_rate": 1e-3}
FINETUNE: dict[str, Any] = {"steps": 200, "learning_rate": 1e-3}
ALIGN: dict[str, Any] = {"steps": 60, "learning_rate": 2e-4}
GRPO: dict[str, Any] = {"steps": 60, "batch_size": 64, "learning_rate": 1e-3}


def reproducible(seed: int = 0) -> None:
    """Make what follows in this process repeatable: CPU, float32, one thread, all seeds set.

    The first cell of every notebook of the book. Runs that name a `device` or `dtype` still get it.
    """
    import numpy
    import torch

    require_numbers(int, seed=seed)
    seed = int(seed)  # of a number of NumPy
    global _reproducible
    _reproducible = True
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def choose_device(requested: "str | torch.device | None" = None) -> "torch.device":
    """Choose CUDA, else MPS, else CPU, or the one requested. Raises `FmkitError` if it isn't available."""
    import torch

    requested = spell(requested)
    available = {
        "cuda": torch.cuda.device_count() * torch.cuda.is_available(),
        "mps": int(torch.backends.mps.is_available()),
        "cpu": 1,
    }
    if requested is None:
        best = "cpu" if _reproducible else next(name for name, there in available.items() if there)
        return torch.device(best)
    there = [name for name in available if available[name]]
    name, _, index = requested.partition(":")
    _require(
        name in there and index in ("", *map(str, range(available[name]))),
        f"device={requested!r} is not available on this machine: choose from {', '.join(there)}",
    )
    return torch.device(requested)


def choose_dtype(
    device: "torch.device", hidden_size: int, requested: "str | torch.dtype | None" = None
) -> "torch.dtype":
    """Choose the format requested, else bfloat16 where it pays: natively multiplied, of large matrices.

    Measured on a CPU with AVX512-BF16: 1.3 times faster at hidden_size 128, slower at 64. On a CPU without
    it, bfloat16 is emulated and several times slower than float32.
    """
    import torch

    if requested := spell(requested):
        _require(requested in DTYPES, f"dtype={requested!r} is unknown: choose from {', '.join(DTYPES)}")
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[requested]
    if _reproducible or device.type == "mps":
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native and hidden_size >= 128 else torch.float32
