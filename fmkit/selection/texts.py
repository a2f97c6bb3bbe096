"""The texts of a data set, or one line that says what is missing."""

from collections.abc import Iterator
from typing import Any

from datasets import Dataset, IterableDataset

from fmkit.errors import FmkitError


def iterate_texts(dataset: Dataset | IterableDataset) -> Iterator[str]:
    """The column `text`, row by row; a missing value is an empty text.

    Raises `FmkitError` for a corpus of several splits, and where there is no such column.
    """
    if not isinstance(dataset, Dataset | IterableDataset):
        raise FmkitError('selection works on one split; give corpus["train"] instead of the whole corpus')
    names = dataset.column_names  # a stream may not know them before its first row
    if names is not None and "text" not in names:
        raise FmkitError(f"no column 'text'; the data has {', '.join(names) or 'no columns'}")
    if names is None:
        return map(_get_text, dataset)
    batches = dataset.select_columns("text").iter(100)  # row by row would take longer than hashing the words
    return (_as_text(value) for batch in batches for value in batch["text"])


def require_places(dataset: Dataset | IterableDataset) -> None:
    """Raises `FmkitError` for a stream, unread: its rows cannot be chosen by their places."""
    if isinstance(dataset, IterableDataset):
        remedy = "load it without streaming, or gather a part: Dataset.from_list(list(stream.take(10_000)))"
        raise FmkitError(f"a stream has no places to choose from; {remedy}")


def _get_text(row: dict[str, Any]) -> str:
    """The text of a row."""
    if "text" not in row:
        raise FmkitError(f"no column 'text'; the data has {', '.join(row)}")
    return _as_text(row["text"])


def _as_text(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise FmkitError(f"the column 'text' holds {type(value).__name__}, not text")
    return value or ""
