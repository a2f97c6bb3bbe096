"""Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685, section 4.1), in the names and files of peft.

A frozen matrix W computes W + (α / r) B A, of which only A (r, in) and B (out, r) learn. B begins as zeros,
so nothing changes at first. The model's `state_dict`, and with it everything that is saved, has the sum: any
reader of Hugging Face checkpoints opens it. The adapter alone is saved by `save_adapter`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fmkit import checkpoint
from fmkit.errors import FmkitError
from fmkit.model import Classifier, Linear, Model, Transformer

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # before every name in peft's file
NEUTRAL = {  # settings of peft that change what an adapter computes, at the values that do not
    "bias": "none",
    "fan_in_fan_out": False,
    "use_rslora": False,
    "use_dora": False,
    "rank_pattern": {},
    "alpha_pattern": {},
    "layers_to_transform": None,
    "layers_pattern": None,
    "exclude_modules": None,
    "target_parameters": None,
    "trainable_token_indices": None,
    "layer_replication": None,
    "lora_bias": False,
}


ALL_MATRICES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # of a block


@dataclass(frozen=True)
class LoraConfig:
    """Which matrices are adapted, and by how much; peft's names.

    `r` is the rank, `lora_alpha` / r the factor of the update, `target_modules` the names of adapted
    matrices, `modules_to_save` those that are trained in full: name `embed_tokens` where new tokens are to be
    learned. A classifier's head is always trained. Raises `FmkitError` for a value out of range.
    """

    r: int = 8
    lora_alpha: float = 16
    target_modules: tuple[str, ...] = ALL_MATRICES
    modules_to_save: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("target_modules", "modules_to_save"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.r < 1 or not 0 < self.lora_alpha < math.inf:
            raise FmkitError(f"r={self.r} must be at least 1 and lora_alpha={self.lora_alpha} positive")


class LoraLinear(Linear):
    """A frozen matrix with an update of rank r beside it."""

    def __init__(self, base: Linear, config: LoraConfig, generator: torch.Generator) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = base.in_features, base.out_features
        self.register_parameter("bias", None)
        self.weight, self.config, self.scaling = base.weight, config, config.lora_alpha / config.r
        a = torch.empty(config.r, self.in_features)
        nn.init.kaiming_uniform_(a, a=math.sqrt(5), generator=generator)
        self.lora_A = nn.Parameter(a.to(base.weight.device))
        self.lora_B = nn.Parameter(torch.zeros(self.out_features, config.r, device=base.weight.device))

    def forward(self, x: Tensor) -> Tensor:
        update = F.linear(F.linear(x, self.lora_A.to(x.dtype)), self.lora_B.to(x.dtype))
        return super().forward(x) + self.scaling * update

    def merged(self) -> Tensor:
        """The one matrix that does the same."""
        return (self.weight + self.scaling * self.lora_B @ self.lora_A).detach()

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        destination[prefix + "weight"] = self.merged()


def add_lora(model: Model, config: LoraConfig, seed: int = 0) -> None:
    """Freeze the model but for new adapters on its `target_modules`, and for its `modules_to_save`.

    Raises `FmkitError` where the model has no module of such a name, or has adapters already.
    """
    if find_lora(model):
        raise FmkitError("the model has an adapter already: merge_lora(model) first")
    modules = dict(model.named_modules())
    targets = [name for name, m in modules.items() if _last(name) in config.target_modules]
    saved = [name for name in modules if _last(name) in _trained_in_full(model, config)]
    for wanted in (*config.target_modules, *config.modules_to_save):
        found = [name for name in (*targets, *saved) if _last(name) == wanted]
        if not found or (wanted in config.target_modules and type(modules[found[0]]) is not Linear):
            raise FmkitError(
                f"the model has no matrix {wanted!r} to adapt: choose from {', '.join(ALL_MATRICES)}"
            )
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name in targets:
        _replace(model, name, LoraLinear(modules[name], config, generator))
    for name in saved:
        modules[name].requires_grad_(True)


def merge_lora(model: Model) -> None:
    """Add the adapters into their matrices: the same function in one product, all of it trainable again."""
    for name, module in list(adapted(model)):
        plain = Linear(module.in_features, module.out_features).to(module.weight.device)
        plain.weight = nn.Parameter(module.merged())
        _replace(model, name, plain)
    model.requires_grad_(True)


def find_lora(model: Model) -> LoraConfig | None:
    """The configuration of the model's adapters, or None."""
    return next((module.config for _, module in adapted(model)), None)


def adapted(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """The adapted matrices and their names."""
    return ((name, module) for name, module in model.named_modules() if isinstance(module, LoraLinear))


def save_adapter(model: Model, directory: str | Path, base: str | Path = "") -> None:
    """Write the adapter alone, in the files of peft: `peft.PeftModel.from_pretrained(base, directory)`.

    `base` is noted as the model that it belongs to. Raises `FmkitError` for a model without adapters, and
    where the disk is full.
    """
    config = find_lora(model)
    if config is None:
        raise FmkitError("the model has no adapter to save: add_lora(model, LoraConfig()) makes one")
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
        **NEUTRAL,
    }
    with checkpoint.filling(directory) as scratch:
        checkpoint.write_tensors(scratch / WEIGHTS, tensors)
        checkpoint.write_json(scratch / CONFIG, settings)


def load_adapter(model: Model, directory: str | Path) -> None:
    """Put an adapter that `save_adapter` or peft wrote onto its base model.

    Raises `FmkitError` where files are missing or damaged, for an adapter that computes something else than
    plain LoRA, and where it does not fit the model, which then stays as it was.
    """
    directory = Path(directory)
    if not (directory / CONFIG).is_file():
        raise FmkitError(f"{directory}: no adapter here ({CONFIG} is missing)")
    config = _read_config(directory / CONFIG)
    tensors = checkpoint.read_tensors(directory / WEIGHTS)
    add_lora(model, config)
    try:
        checkpoint.assign_weights(_adapter(model, config), tensors, str(directory / WEIGHTS))
    except FmkitError:
        merge_lora(model)  # of adapters that are still zero: the model as it was
        raise


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
        tensors[f"{PREFIX}lm_head.weight"] = model.model.embed_tokens.weight
    return tensors


def _ties_embeddings(model: Model, config: LoraConfig) -> bool:
    """Whether the embeddings are trained and the head is the same matrix."""
    tied = isinstance(model, Transformer) and model.config.tie_word_embeddings
    return tied and "embed_tokens" in config.modules_to_save


def _trained_in_full(model: Model, config: LoraConfig) -> set[str]:
    head = {"score"} if isinstance(model, Classifier) else set()
    return {*config.modules_to_save, *head}


def _read_config(file: Path) -> LoraConfig:
    data = checkpoint.read_json(file)
    if data.get("peft_type") != "LORA":
        raise FmkitError(f"{file}: peft_type is {data.get('peft_type')!r}; fmkit opens 'LORA' adapters")
    for name, neutral in NEUTRAL.items():
        if data.get(name) and data[name] != neutral:
            raise FmkitError(f"{file}: {name}={data[name]!r} is not supported by fmkit's LoRA")
    targets, saved = data.get("target_modules"), data.get("modules_to_save") or []
    r, alpha = data.get("r"), data.get("lora_alpha")
    if not (_are_names(targets) and _are_names(saved)):
        raise FmkitError(f"{file}: target_modules and modules_to_save must be lists of names")
    if not isinstance(r, int) or not isinstance(alpha, int | float):
        raise FmkitError(f"{file}: r must be a whole number and lora_alpha a number")
    # peft names a module by its path too, and both heads that a classifier may have; ours is always trained.
    full = {_last(name) for name in saved} - {"classifier", "score"}
    return LoraConfig(r, alpha, tuple(targets), tuple(sorted(full)))


def _are_names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
