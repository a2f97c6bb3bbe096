"""fmkit: a small, real transformer trainer, the companion package of *Training Foundation Models*.

The names below are loaded when they are first used, so that `fmkit --help` does not wait for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmkit.config import ModelConfig as ModelConfig
    from fmkit.config import TrainConfig as TrainConfig
    from fmkit.config import reproducible as reproducible
    from fmkit.data.corpora import load_corpus as load_corpus
    from fmkit.data.tokenizer import load_tokenizer as load_tokenizer
    from fmkit.data.tokenizer import train_tokenizer as train_tokenizer
    from fmkit.errors import FmkitError as FmkitError
    from fmkit.generation import generate as generate
    from fmkit.model import Classifier as Classifier
    from fmkit.model import Transformer as Transformer
    from fmkit.recipes import finetune as finetune
    from fmkit.recipes import pretrain as pretrain
    from fmkit.run import TrainingRun as TrainingRun

_HOMES = {
    "Classifier": "fmkit.model",
    "FmkitError": "fmkit.errors",
    "ModelConfig": "fmkit.config",
    "TrainConfig": "fmkit.config",
    "TrainingRun": "fmkit.run",
    "Transformer": "fmkit.model",
    "finetune": "fmkit.recipes",
    "generate": "fmkit.generation",
    "load_corpus": "fmkit.data.corpora",
    "load_tokenizer": "fmkit.data.tokenizer",
    "pretrain": "fmkit.recipes",
    "reproducible": "fmkit.config",
    "train_tokenizer": "fmkit.data.tokenizer",
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
