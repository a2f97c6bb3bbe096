"""Configuration: what a model is, how it is trained, and where it runs.

Frozen dataclasses with Hugging Face's names. A bad value raises `FmkitError` when the object is made, before
anything is computed or written.
"""

import os
import random
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from fmkit.errors import FmkitError
from fmkit.foreign import DEFAULTS, HARMLESS, PLAIN, ROPE_NAMES, ROPE_TYPES, WINDOW, require_plain
from fmkit.settings import TYPES, explain_names, require_numbers, settle, spell

if TYPE_CHECKING:
    import torch

Value = TypeVar("Value")
JSON_TYPES = {dict: "an object", list: "a list", **TYPES}
US = "fmkit's Transformer"
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


def _require_choices(config: Any) -> None:
    for f in fields(config):
        choices, value = f.metadata.get("choices"), getattr(config, f.name)
        _require(
            choices is None or value is None or value in choices,
            f"{f.name}={value!r} is unknown: choose from {', '.join(choices or ())}",
        )


@explain_names
@dataclass(frozen=True)
class RopeScaling:
    """How rotary angles are slowed down, so that a model reads further than it was trained to.

    `linear` divides all of them by `factor` (Chen et al. 2023, arXiv:2306.15595, section 2.2). `llama3` keeps
    those that turn `high_freq_factor` times or more in `original_max_position_embeddings`, divides those that
    turn `low_freq_factor` times or less, and blends between (Llama 3.1, as transformers computes it). Raises
    `FmkitError` for another type, and for a setting that its type needs or has not.
    """

    rope_type: str
    factor: float = 0.0
    low_freq_factor: float = 0.0
    high_freq_factor: float = 0.0
    original_max_position_embeddings: int = 0

    def __post_init__(self) -> None:
        settle(self)
        kinds = ", ".join(ROPE_TYPES)
        _require(self.rope_type in ROPE_TYPES, f"rope_type={self.rope_type!r} is none that {US} has: {kinds}")
        for name in ROPE_NAMES:
            value, needed = getattr(self, name), name in ROPE_TYPES[self.rope_type]
            _require(
                value > 0 if needed else value == 0,
                f"{name}={value}: {self.rope_type!r} {'needs one above 0' if needed else 'has no such name'}",
            )
        if self.rope_type == "llama3":
            low, high = self.low_freq_factor, self.high_freq_factor
            _require(low < high, f"low_freq_factor={low} must be below high_freq_factor={high}")

    @classmethod
    def from_hugging_face(cls, rope: dict[str, Any], context_length: int, where: str) -> "RopeScaling | None":
        """Read rope_parameters of a config.json, or what older versions call rope_scaling; None for none."""
        kind = rope.get("rope_type") or rope.get("type") or "default"
        known = ROPE_NAMES[-1:] if kind == "default" else ROPE_NAMES
        given = {name: rope[name] for name in known if rope.get(name) is not None}
        if kind == "llama3":
            given = {ROPE_NAMES[-1]: context_length} | given
        try:
            scaling = None if kind == "default" else cls(kind, **given)
        except FmkitError as error:
            raise FmkitError(f"{where}: {error}") from None
        require_plain(rope, ("rope_theta", "rope_type", "type", *known), PLAIN, where, US)
        return scaling


@explain_names
@dataclass(frozen=True)
class ModelConfig:
    """The shape of a Llama-style decoder (Touvron et al. 2023, arXiv:2302.13971, section 2.2).

    Mistral computes the same. Qwen2 adds biases to queries, keys and values (Yang et al. 2024,
    arXiv:2407.10671, section 2.2.1); Qwen3 normalizes queries and keys (Yang et al. 2025, arXiv:2505.09388,
    section 2). Raises `FmkitError` where the numbers do not fit together.
    """

    vocab_size: int
    hidden_size: int = _option(256, "width of the residual stream")
    num_hidden_layers: int = _option(6, "number of blocks")
    num_attention_heads: int = _option(4, "query heads per block")
    num_key_value_heads: int | None = _option(None, "key/value heads, fewer = grouped-query attention")
    head_dim: int | None = _option(None, "width of a head (default: hidden_size / heads)")
    intermediate_size: int | None = _option(None, "width of the MLP (default: 8/3 of the width, in 64s)")
    max_position_embeddings: int = _option(256, "context length in tokens")
    rope_theta: float = _option(10_000.0, "base of the rotary position encoding")
    rms_norm_eps: float = _option(1e-5, "added to the mean square before its root")
    initializer_range: float = _option(0.02, "standard deviation of the initial weights")
    tie_word_embeddings: bool = _option(True, "one matrix for reading and writing tokens")
    is_causal: bool = _option(True, "each token sees the past only; off: masked-token training")
    model_type: str = _option("llama", "the family, as transformers names it", choices=tuple(DEFAULTS))
    attention_bias: bool = _option(False, "add a vector to queries, keys, values and output of attention")
    rope_scaling: RopeScaling | None = None

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
        _derive(self, "head_dim", width // heads)
        self._require_positive("head_dim")
        _require(
            self.head_dim % 2 == 0,  # type: ignore[operator]
            f"head_dim={self.head_dim}, by default hidden_size / num_attention_heads, must be even: "
            "rotary encoding turns pairs of numbers",
        )
        _require(
            heads % self.num_key_value_heads == 0,  # type: ignore[operator]
            f"num_attention_heads={heads} is not divisible by num_key_value_heads={self.num_key_value_heads}",
        )
        _require_choices(self)
        _require(
            not self.attention_bias or self.model_type in ("llama", "qwen3"),
            f"attention_bias: a {self.model_type} has fixed biases: leave it off",
        )

    def _require_positive(self, name: str) -> None:
        value = getattr(self, name)
        _require(value > 0, f"{name}={value!r:.60} must be a positive whole number")

    @property
    def qkv_bias(self) -> bool:
        """Whether queries, keys and values have a bias."""
        return self.attention_bias or self.model_type == "qwen2"

    @property
    def normalizes_heads(self) -> bool:
        """Whether each head's queries and keys are normalized."""
        return self.model_type == "qwen3"

    def to_hugging_face(self) -> dict[str, Any]:
        """Return the fields of a `config.json` for these shapes."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "rope_scaling"}
        slowed = {} if self.rope_scaling is None else asdict(self.rope_scaling)
        rope = {"rope_type": "default", **slowed, "rope_theta": self.rope_theta}
        return {
            "hidden_act": "silu",
            "mlp_bias": False,
            "dtype": "float32",
            "rope_parameters": {name: value for name, value in rope.items() if value},
            **({} if self.model_type == "llama" else {"sliding_window": None}),
            **plain,
        }

    @classmethod
    def from_hugging_face(cls, data: dict[str, Any], where: str = "config.json") -> "ModelConfig":
        """Read a `config.json`, with transformers' defaults for what it leaves out.

        Raises `FmkitError` for what this model cannot compute, and for any setting that is not known to leave
        it as it is.
        """
        family = data.get("model_type")
        _require(
            family in tuple(DEFAULTS),
            f"{where}: model_type is {family!r:.60}; fmkit opens {', '.join(DEFAULTS)}",
        )
        scaling = "rope_scaling" if data.get("rope_scaling") else "rope_parameters"
        rope: dict[str, Any] = read_field(data, scaling, dict, where, {})
        _require(
            not data.get("quantization_config"),
            f"{where}: the weights are quantized (quantization_config), fmkit's are not: have transformers "
            "dequantize() the model and save it",
        )
        names = [f.name for f in fields(cls)]
        windows = ("sliding_window", "use_sliding_window", "max_window_layers", "layer_types")
        require_plain(data, (*HARMLESS, *names, "rope_parameters", *windows), PLAIN, where, US)
        given = {name: data[name] for name in names if data.get(name) is not None}
        if data.get("num_key_value_heads", 0) is None:  # as many as there are of queries
            given["num_key_value_heads"] = None
        if rope.get("rope_theta") is not None:
            given["rope_theta"] = rope["rope_theta"]
        try:
            config = cls(**DEFAULTS[str(family)] | given | {"rope_scaling": None})
        except FmkitError as error:
            raise FmkitError(f"{where}: {error}") from None
        config._require_whole_context(data, where)
        context = config.max_position_embeddings
        slowed = RopeScaling.from_hugging_face(rope, context, f"{where}: {scaling}")
        return replace(config, rope_scaling=slowed)

    def _require_whole_context(self, data: dict[str, Any], where: str) -> None:
        """Raise `FmkitError` for attention in a sliding window that is shorter than the context."""
        by_default = 0 if self.model_type == "llama" else WINDOW
        window = read_field({"sliding_window": by_default} | data, "sliding_window", int, where, 0)
        is_on = data.get("use_sliding_window") if self.model_type.startswith("qwen") else window
        context = self.max_position_embeddings
        _require(
            not is_on or window >= context,
            f"{where}: sliding_window={window} is shorter than max_position_embeddings={context}, and {US} "
            f"has none: set max_position_embeddings to {window}, up to which both compute the same",
        )
        for kind in read_field(data, "layer_types", list, where, []):
            _require(kind == "full_attention", f"{where}: layer_types={kind!r:.60} is not supported by {US}")


@explain_names
@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained: the same fields for every objective.

    A step sees `batch_size * gradient_accumulation_steps` sequences of `context_length` tokens.
    Raises `FmkitError` for a value out of range.
    """

    steps: int = _option(600, "optimizer steps")
    batch_size: int = _option(8, "sequences in one forward pass, of all processes together")
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
    gradient_checkpointing: bool = _option(False, "compute blocks again in the backward pass: less memory")
    fsdp: bool = _option(False, "share weights and optimizer among the processes of torchrun (FSDP2)")

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
        _require_choices(self)


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
    """Choose CUDA, else MPS, else CPU, or the one requested. Raises `FmkitError` if it isn't available.

    Of several CUDA devices, each process that torchrun started has its own.
    """
    import torch

    requested = spell(requested)
    available = {
        "cuda": torch.cuda.device_count() * torch.cuda.is_available(),
        "mps": int(torch.backends.mps.is_available()),
        "cpu": 1,
    }
    if requested is None:
        requested = "cpu" if _reproducible else next(name for name, there in available.items() if there)
    if requested == "cuda" and "LOCAL_RANK" in os.environ:
        requested = f"cuda:{os.environ['LOCAL_RANK']}"
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
