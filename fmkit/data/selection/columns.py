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
    return map(get_text, dataset.select_columns("text") if names else dataset)


def get_text(row: dict[str, Any]) -> str:
    """The text of a row."""
    if "text" not in row:
        raise FmkitError(f"no column 'text'; the data has {', '.join(row)}")
    if row["text"] is not None and not isinstance(row["text"], str):
        raise FmkitError(f"the column 'text' holds {type(row['text']).__name__}, not text")
    return row["text"] or ""
