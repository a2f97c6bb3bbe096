"""Data sets of the Hugging Face Hub as corpora."""

from typing import Any

import datasets
import huggingface_hub

from fmkit.data.quiet import quiet
from fmkit.data.splits import VALIDATION, Corpus, hold_out_texts
from fmkit.errors import FmkitError
from fmkit.hub import explain


def load_from_hub(name: str, text_column: str, streaming: bool, unknown: str) -> Corpus:
    """Load the data set `org/name` or `org/name:configuration`; see `fmkit.data.corpora.load_corpus`.

    Raises FmkitError for what cannot be loaded; if there is no such data set, it begins with `unknown`.
    """
    hub_id, _, configuration = name.partition(":")
    with quiet():
        try:
            if not huggingface_hub.constants.HF_HUB_OFFLINE:
                # Asked first: datasets would retry for a long time, and needs the full name of `imdb`.
                hub_id = huggingface_hub.HfApi().dataset_info(hub_id, timeout=20).id
            loaded = datasets.load_dataset(hub_id, configuration or None, streaming=streaming)
            return _arrange(loaded, text_column, name)
        except FmkitError:
            raise
        except Exception as error:  # the Hub, its client and the loaders of datasets raise many kinds
            raise explain(name, error, "data set", unknown) from error


def _arrange(loaded: Any, text_column: str, name: str) -> Corpus:
    """Make the two splits, each with its texts in the column `text`."""
    if "train" not in loaded:
        raise FmkitError(f"{name}: no split 'train'; it has {', '.join(map(str, loaded))}")
    train = _with_text(loaded["train"], text_column, name)
    given = next((split for split in VALIDATION if split in loaded), None)
    if given:
        validation = _with_text(loaded[given], text_column, name)
    else:
        train, validation = hold_out_texts(train, name)
    return type(loaded)({"train": train, "validation": validation})


def _with_text(dataset: Any, text_column: str, name: str) -> Any:
    if dataset.features is None:
        dataset = dataset._resolve_features()  # a stream learns them from its first rows
    features = dataset.features
    if text_column not in features:
        raise FmkitError(
            f"{name}: no column {text_column!r}; it has {', '.join(map(repr, features))}: give text_column=…"
        )
    if getattr(features[text_column], "dtype", None) not in ("string", "large_string"):
        raise FmkitError(f"{name}: the column {text_column!r} holds no text; choose another: text_column=…")
    if text_column != "text":
        if "text" in features:
            dataset = dataset.remove_columns("text")
        dataset = dataset.rename_column(text_column, "text")
    return dataset.filter(_has_text, input_columns="text", batched=True)


def _has_text(texts: list[str | None]) -> list[bool]:
    return [bool(text and text.strip()) for text in texts]
