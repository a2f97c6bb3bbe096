"""Read the texts of a data set, or say in one line what is missing."""

from collections.abc import Iterator
from typing import Any

from datasets import Dataset, IterableDataset

from fmkit.data.tables import Data, as_table
from fmkit.errors import FmkitError


def iterate_texts(dataset: Data) -> Iterator[str]:
    """Read the column `text` of one split, row by row; a missing value is an empty text.

    Raises `FmkitError` as `as_table` does, and if there is no such column.
    """
    rows = dataset if isinstance(dataset, IterableDataset) else as_table(dataset)  # a stream is not begun
    names = rows.column_names  # None for a stream that doesn't know them yet
    if names is not None and "text" not in names:
        raise FmkitError(f"no column 'text'; the data has {', '.join(names) or 'no columns'}")
    if names is None:
        return map(_get_text, rows)
    batches = rows.select_columns("text").iter(100)  # faster than row by row
    return (_as_text(value) for batch in batches for value in batch["text"])


def with_places(dataset: Data) -> Dataset:
    """Make a table whose rows can be chosen by position. Raises `FmkitError` for a stream, unread."""
    if isinstance(dataset, IterableDataset):
        remedy = "load it without streaming, or gather a part: Dataset.from_list(list(stream.take(10_000)))"
        raise FmkitError(f"a stream has no places to choose from; {remedy}")
    table: Dataset = as_table(dataset)
    return table


def _get_text(row: dict[str, Any]) -> str:
    """Return the text of a row. Raises `FmkitError` if it has none."""
    if "text" not in row:
        raise FmkitError(f"no column 'text'; the data has {', '.join(row)}")
    return _as_text(row["text"])


def _as_text(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise FmkitError(f"the column 'text' holds {type(value).__name__}, not text")
    return value or ""
