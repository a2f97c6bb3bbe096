"""Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685, section 4.1), in the names and files of peft.

A frozen matrix W computes W + (α / r) B A, of which only A (r, in) and B (out, r) learn. B begins as zeros,
so nothing changes at first. The model's `state_dict`, and so everything that is saved, has the sum: any
reader of Hugging Face checkpoints opens it. `save_adapter` saves the adapter alone.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fmkit import checkpoint
from fmkit.config import read_field
from fmkit.data.tokenizer import adopt, conventions, load_tokenizer, require_tokens, save_tokenizer
from fmkit.errors import FmkitError
from fmkit.foreign import require_plain
from fmkit.hub import find_model
from fmkit.model import Classifier, Linear, Model, Transformer, require_kind
from fmkit.parallel import rank
from fmkit.settings import as_path, explain_names, settle

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # before every name in peft's file
EMBEDDINGS, HEAD = f"{PREFIX}model.embed_tokens.weight", f"{PREFIX}lm_head.weight"
ALL_MATRICES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # of a block
WHOLE = ("embed_tokens", "lm_head", "score")  # what can be trained in full along with adapters

# Settings of peft that leave what an adapter computes as it is. Any other that is set is refused: PiSSA
# and others change the base model, and peft will add more.
HARMLESS = (
    *("r", "lora_alpha", "target_modules", "modules_to_save", "ensure_weight_tying"),  # also computed here
    *("peft_type", "peft_version", "task_type", "base_model_name_or_path", "revision", "auto_mapping"),
    *("inference_mode", "lora_dropout", "eva_config", "megatron_core", "qalora_group_size"),
)
PLAIN = {"bias": ("none",), "init_lora_weights": (True, "gaussian", "eva", "orthogonal")}  # harmless values


@explain_names
@dataclass(frozen=True)
class LoraConfig:
    """Which matrices are adapted, and by how much; peft's names.

    `r` is the rank, `lora_alpha` / r the factor of the update, `target_modules` the names of adapted
    matrices (`"all-linear"`: all), `modules_to_save` those that are trained in full: name `token_modules`
    where new tokens are to be learned. A text is one name. A classifier's head is always trained. Raises
    `FmkitError` for a value out of range.
    """

    r: int = 8
    lora_alpha: float = 16
    target_modules: tuple[str, ...] = ALL_MATRICES
    modules_to_save: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        settle(self)
        if self.target_modules == ("all-linear",):
            object.__setattr__(self, "target_modules", ALL_MATRICES)
        if self.r < 1 or not 0 < self.lora_alpha < 1e38:
            raise FmkitError(
                f"r={self.r} must be a whole number, at least 1, and lora_alpha={self.lora_alpha} positive"
            )
        if not self.target_modules:
            raise FmkitError(f"no matrix to adapt: choose from {', '.join(ALL_MATRICES)}")
        for name in self.target_modules:
            if name not in ALL_MATRICES:
                raise FmkitError(
                    f"the model has no matrix {name!r} to adapt: choose from {', '.join(ALL_MATRICES)}"
                )
        for name in self.modules_to_save:
            if name not in WHOLE:
                raise FmkitError(f"{name!r} is never trained in full: choose from {', '.join(WHOLE)}")


class LoraLinear(Linear):
    """A frozen matrix with an update of rank r."""

    def __init__(self, base: Linear, config: LoraConfig, generator: torch.Generator) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = base.in_features, base.out_features
        self.weight, self.bias = base.weight, base.bias
        self.config, self.scaling = config, config.lora_alpha / config.r
        a = torch.empty(config.r, self.in_features)
        nn.init.kaiming_uniform_(a, a=math.sqrt(5), generator=generator)
        self.lora_A = nn.Parameter(a.to(base.weight.device))
        self.lora_B = nn.Parameter(torch.zeros(self.out_features, config.r, device=base.weight.device))

    def forward(self, x: Tensor) -> Tensor:
        update = F.linear(F.linear(x, self.lora_A.to(x.dtype)), self.lora_B.to(x.dtype))
        return super().forward(x) + self.scaling * update

    def merged(self) -> Tensor:
        """Return the one matrix that computes the same."""
        return (self.weight + self.scaling * self.lora_B @ self.lora_A).detach()

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        destination[prefix + "weight"] = self.merged()
        if self.bias is not None:
            destination[prefix + "bias"] = self.bias.detach()


def add_lora(model: Model, config: LoraConfig, seed: int = 0) -> None:
    """Freeze the model except for new adapters on its `target_modules`, and for its `modules_to_save`.

    Raises `FmkitError` if the model has no module of such a name, or has adapters already.
    """
    require_kind(model, Transformer, Classifier)
    if not isinstance(config, LoraConfig):
        raise FmkitError(
            f"config is a {type(config).__module__}.{type(config).__name__}: give a fmkit.LoraConfig"
        )
    if find_lora(model):
        raise FmkitError("the model has an adapter already: merge_lora(model) first")
    _require_modules(model, config)
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, module in list(model.named_modules()):
        if _last(name) in config.target_modules:
            _replace(model, name, LoraLinear(module, config, generator))
        elif _last(name) in _trained_in_full(model, config):
            module.requires_grad_(True)


def token_modules(model: Transformer) -> tuple[str, ...]:
    """Return the `modules_to_save` that learn new tokens: all modules with a vector for each token."""
    return ("embed_tokens",) if model.config.tie_word_embeddings else ("embed_tokens", "lm_head")


def merge_lora(model: Model) -> None:
    """Add the adapters into their matrices: the same function in one product, all of it trainable again."""
    require_kind(model, Transformer, Classifier)
    for name, module in list(adapted(model)):
        plain = Linear(module.in_features, module.out_features).to(module.weight.device)
        plain.weight, plain.bias = nn.Parameter(module.merged()), module.bias
        _replace(model, name, plain)
    model.requires_grad_(True)


def find_lora(model: Model) -> LoraConfig | None:
    """Return the configuration of the model's adapters, or None."""
    return next((module.config for _, module in adapted(model)), None)


def adapted(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """Yield the adapted matrices and their names."""
    return ((name, module) for name, module in model.named_modules() if isinstance(module, LoraLinear))


def save_adapter(model: Model, directory: str | Path, base: str | Path = "") -> None:
    """Write the adapter alone, in the files of peft, with the tokenizer if the model has one.

    `base`, the directory of the model that it belongs to, is recorded there:
    `peft.AutoPeftModelForCausalLM.from_pretrained(directory)` opens both and makes room for new tokens.
    Raises `FmkitError` for a model without adapters, for a directory that holds a model, and if the disk is
    full.
    """
    require_kind(model, Transformer, Classifier)
    config, directory = find_lora(model), as_path(directory)
    if config is None:
        raise FmkitError("the model has no adapter to save: add_lora(model, LoraConfig()) makes one")
    if (directory / "config.json").exists():
        raise FmkitError(f"{directory}: holds a model: save the adapter in a directory of its own")
    tensors = {name: tensor.clone() for name, tensor in _adapter(model, config).items()}
    settings = {
        "peft_type": "LORA",
        "task_type": "SEQ_CLS" if isinstance(model, Classifier) else "CAUSAL_LM",
        "base_model_name_or_path": str(base),
        "r": config.r,
        "lora_alpha": config.lora_alpha,
        "target_modules": sorted(config.target_modules),
        "modules_to_save": sorted(_trained_in_full(model, config)) or None,
        "ensure_weight_tying": _ties_embeddings(model, config),
        "inference_mode": True,
    }
    if rank() > 0:  # of several processes, the first one writes
        return
    with checkpoint.filling(directory) as scratch:
        if model.tokenizer is not None:
            save_tokenizer(model.tokenizer, scratch, model.config.max_position_embeddings)
        checkpoint.write_tensors(scratch / WEIGHTS, tensors)
        checkpoint.write_json(scratch / CONFIG, settings)


def load_adapter(model: Model, directory: str | Path) -> None:
    """Put an adapter that `save_adapter` or peft wrote onto its base model, with the tokens that it adds.

    Raises `FmkitError` if files are missing or damaged, for an adapter that computes anything but plain LoRA,
    and if it does not fit the model, which then stays as it was.
    """
    require_kind(model, Transformer, Classifier)
    directory = find_model(directory)
    if not (directory / CONFIG).is_file():
        raise FmkitError(f"{directory}: no adapter here ({CONFIG} is missing)")
    with checkpoint.reading(directory):
        config = _read_config(directory / CONFIG)
        tensors = checkpoint.read_tensors(directory / WEIGHTS)
        tokenizer = None
        if (directory / "tokenizer.json").is_file():
            tokenizer = load_tokenizer(directory, classifies=isinstance(model, Classifier))
    if tokenizer is not None:
        rows = model.config.vocab_size + _new_tokens(model, tensors)
        require_tokens(tokenizer, rows, str(directory / "tokenizer.json"))
    if any(t.shape[:1] != (config.r,) for name, t in tensors.items() if name.endswith("lora_A.weight")):
        raise FmkitError(f"{directory / WEIGHTS}: its matrices are not of the rank r={config.r}")
    add_lora(model, config)
    try:
        _assign(model, config, tensors, str(directory / WEIGHTS))
    except FmkitError:
        merge_lora(model)  # of adapters that are still zero: the model as it was
        raise
    if tokenizer is not None:
        if model.tokenizer is not None:  # whose directory says what ends a text; an adapter's doesn't
            ends = conventions(model.tokenizer).ends
            adopt(tokenizer, replace(conventions(tokenizer), ends=ends))
        model.tokenizer = tokenizer


def _assign(model: Model, config: LoraConfig, tensors: dict[str, Tensor], where: str) -> None:
    """Copy an adapter's tensors into the model, after making room for its new tokens."""
    targets, new = _adapter(model, config), _new_tokens(model, tensors)
    if new and HEAD not in tensors:
        raise FmkitError(f"{where}: it brings {new} new tokens without the rows of lm_head that write them")
    growing = {name for name in (EMBEDDINGS, HEAD) if new and tensors[name].dim() == 2}
    known = {name: t[:-new] if name in growing else t for name, t in tensors.items()}
    checkpoint.assign_weights(targets, known, where)
    if new and isinstance(model, Transformer):  # all else fits
        model.resize_vocab(model.config.vocab_size + new)
        checkpoint.assign_weights(_adapter(model, config), tensors, where)


def _new_tokens(model: Model, tensors: dict[str, Tensor]) -> int:
    """How many more tokens an adapter's embeddings have than the model's."""
    embeddings = tensors.get(EMBEDDINGS)
    if embeddings is None or embeddings.dim() != 2 or isinstance(model, Classifier):
        return 0
    return max(0, len(embeddings) - model.config.vocab_size)


def _adapter(model: Model, config: LoraConfig) -> dict[str, Tensor]:
    """All that is trained, by the names in peft's file."""
    tensors: dict[str, Tensor] = {}
    for name, module in adapted(model):
        tensors[f"{PREFIX}{name}.lora_A.weight"] = module.lora_A
        tensors[f"{PREFIX}{name}.lora_B.weight"] = module.lora_B
    full = _trained_in_full(model, config)
    for name, module in model.named_modules():
        if _last(name) in full:
            tensors[f"{PREFIX}{name}.weight"] = module.weight
    if _ties_embeddings(model, config):  # peft has the one matrix under both names
        tensors[HEAD] = model.model.embed_tokens.weight
    return tensors


def _ties_embeddings(model: Model, config: LoraConfig) -> bool:
    """Whether the embeddings are trained and the head is the same matrix."""
    tied = isinstance(model, Transformer) and model.config.tie_word_embeddings
    return tied and "embed_tokens" in config.modules_to_save


def _trained_in_full(model: Model, config: LoraConfig) -> set[str]:
    head = {"score"} if isinstance(model, Classifier) else set()
    return {*config.modules_to_save, *head}


def _require_modules(model: Model, config: LoraConfig) -> None:
    """Raise `FmkitError` where the model cannot train one of the `modules_to_save` on its own."""
    there = {_last(name) for name, _ in model.named_modules()}
    for name in config.modules_to_save:
        if name not in there:
            choice = ", ".join(sorted(there & {*WHOLE}))
            raise FmkitError(f"this model has no {name} to train in full: choose from {choice}")
    tied = isinstance(model, Transformer) and model.config.tie_word_embeddings
    if tied and "lm_head" in config.modules_to_save and "embed_tokens" not in config.modules_to_save:
        raise FmkitError("lm_head and embed_tokens are one matrix here: name embed_tokens to train it")


def _read_config(file: Path) -> LoraConfig:
    data = checkpoint.read_json(file)
    if data.get("peft_type") != "LORA":
        raise FmkitError(f"{file}: peft_type is {data.get('peft_type')!r}; fmkit opens 'LORA' adapters")
    require_plain(data, HARMLESS, PLAIN, str(file), "fmkit's LoRA")
    targets = read_field(data, "target_modules", list, str(file), [])
    saved = read_field(data, "modules_to_save", list, str(file), [])
    if not all(isinstance(name, str) for name in (*targets, *saved)):
        raise FmkitError(f"{file}: target_modules and modules_to_save must be lists of names")
    # peft names a module by its path too, and both heads that a classifier may have; ours is always trained.
    full = {_last(name) for name in saved} - {"classifier", "score"}
    r, alpha = read_field(data, "r", int, str(file), 0), read_field(data, "lora_alpha", float, str(file), 0.0)
    try:
        return LoraConfig(r, alpha, tuple(targets), tuple(sorted(full)))
    except FmkitError as error:
        raise FmkitError(f"{file}: {error}") from None


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
