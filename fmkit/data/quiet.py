"""Silence for the progress bars and logs of other libraries."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import datasets
import huggingface_hub


@contextmanager
def quiet() -> Iterator[None]:
    """Hide progress bars, logs and warnings of datasets and huggingface_hub inside the block."""
    bars = (datasets.utils, huggingface_hub.utils)
    loggers = (datasets.utils.logging, huggingface_hub.utils.logging)
    shown = [not module.are_progress_bars_disabled() for module in bars]
    levels = [module.get_verbosity() for module in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for module in bars:
                module.disable_progress_bars()
            for module in loggers:
                module.set_verbosity(logging.CRITICAL)
            yield
        finally:
            for module, was_shown in zip(bars, shown, strict=True):
                if was_shown:
                    module.enable_progress_bars()
            for module, level in zip(loggers, levels, strict=True):
                module.set_verbosity(level)
