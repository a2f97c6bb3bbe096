"""fmkit: a small, real transformer trainer, the companion package of *Training Foundation Models*.

The names below are loaded when they are first used, so that `fmkit --help` does not wait for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmkit.assets import asset as asset
    from fmkit.config import ModelConfig as ModelConfig
    from fmkit.config import RopeScaling as RopeScaling
    from fmkit.config import TrainConfig as TrainConfig
    from fmkit.config import reproducible as reproducible
    from fmkit.data.chat import add_chat_tokens as add_chat_tokens
    from fmkit.data.corpora import load_corpus as load_corpus
    from fmkit.data.examples import load_examples as load_examples
    from fmkit.data.examples import load_prompts as load_prompts
    from fmkit.data.examples import write_examples as write_examples
    from fmkit.data.tokenizer import load_tokenizer as load_tokenizer
    from fmkit.data.tokenizer import train_tokenizer as train_tokenizer
    from fmkit.errors import FmkitError as FmkitError
    from fmkit.evaluation.evaluate import evaluate as evaluate
    from fmkit.generation import generate as generate
    from fmkit.generation import reply as reply
    from fmkit.generation import stream as stream
    from fmkit.lora import LoraConfig as LoraConfig
    from fmkit.lora import add_lora as add_lora
    from fmkit.lora import load_adapter as load_adapter
    from fmkit.lora import merge_lora as merge_lora
    from fmkit.lora import save_adapter as save_adapter
    from fmkit.model import Classifier as Classifier
    from fmkit.model import Transformer as Transformer
    from fmkit.quantization import quantize as quantize
    from fmkit.recipes.align import align as align
    from fmkit.recipes.continue_pretrain import continue_pretrain as continue_pretrain
    from fmkit.recipes.distill import distill as distill
    from fmkit.recipes.finetune import finetune as finetune
    from fmkit.recipes.grpo import grpo as grpo
    from fmkit.recipes.pretrain import pretrain as pretrain
    from fmkit.recipes.reward import train_reward as train_reward
    from fmkit.recipes.write import write_answers as write_answers
    from fmkit.recipes.write import write_corpus as write_corpus
    from fmkit.run import TrainingRun as TrainingRun
    from fmkit.selection import drop_duplicates as drop_duplicates
    from fmkit.selection import drop_near_duplicates as drop_near_duplicates
    from fmkit.selection import dsir_select as dsir_select
    from fmkit.selection import filter_corpus as filter_corpus
    from fmkit.selection import scrub as scrub

_HOMES = {
    "Classifier": "fmkit.model",
    "FmkitError": "fmkit.errors",
    "LoraConfig": "fmkit.lora",
    "ModelConfig": "fmkit.config",
    "RopeScaling": "fmkit.config",
    "TrainConfig": "fmkit.config",
    "TrainingRun": "fmkit.run",
    "Transformer": "fmkit.model",
    "add_chat_tokens": "fmkit.data.chat",
    "add_lora": "fmkit.lora",
    "align": "fmkit.recipes.align",
    "asset": "fmkit.assets",
    "continue_pretrain": "fmkit.recipes.continue_pretrain",
    "distill": "fmkit.recipes.distill",
    "drop_duplicates": "fmkit.selection",
    "drop_near_duplicates": "fmkit.selection",
    "dsir_select": "fmkit.selection",
    "evaluate": "fmkit.evaluation.evaluate",
    "filter_corpus": "fmkit.selection",
    "finetune": "fmkit.recipes.finetune",
    "generate": "fmkit.generation",
    "grpo": "fmkit.recipes.grpo",
    "load_adapter": "fmkit.lora",
    "load_corpus": "fmkit.data.corpora",
    "load_examples": "fmkit.data.examples",
    "load_prompts": "fmkit.data.examples",
    "load_tokenizer": "fmkit.data.tokenizer",
    "merge_lora": "fmkit.lora",
    "pretrain": "fmkit.recipes.pretrain",
    "quantize": "fmkit.quantization",
    "reply": "fmkit.generation",
    "reproducible": "fmkit.config",
    "save_adapter": "fmkit.lora",
    "scrub": "fmkit.selection",
    "stream": "fmkit.generation",
    "train_reward": "fmkit.recipes.reward",
    "train_tokenizer": "fmkit.data.tokenizer",
    "write_answers": "fmkit.recipes.write",
    "write_corpus": "fmkit.recipes.write",
    "write_examples": "fmkit.data.examples",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fmkit' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
