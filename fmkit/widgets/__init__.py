"""Interactive widgets: one Python class and one ES module each, live with a kernel, recorded without one.

The classes are loaded when they are first used: building the book needs only the modules of web/.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmkit.widgets.recipe_lab import LiveLoss as LiveLoss
    from fmkit.widgets.recipe_lab import RecipeLab as RecipeLab
    from fmkit.widgets.training_lab import FinetuningLab as FinetuningLab
    from fmkit.widgets.training_lab import TrainingLab as TrainingLab

_HOMES = {
    "FinetuningLab": "fmkit.widgets.training_lab",
    "LiveLoss": "fmkit.widgets.recipe_lab",
    "RecipeLab": "fmkit.widgets.recipe_lab",
    "TrainingLab": "fmkit.widgets.training_lab",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fmkit.widgets' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
