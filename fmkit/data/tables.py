"""What people have in Python as a table of rows and columns: a data set of `datasets`."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict

from fmkit.data.files import kind_of
from fmkit.data.splits import VALIDATION
from fmkit.errors import FmkitError
from fmkit.settings import as_several

# Texts, rows, columns, a table of pandas (an iterable of names), a generator; data sets, with splits or not.
Data: TypeAlias = Iterable[Any] | Mapping[str, Any]

NOTHING = "no texts, no rows: give one or more"


def as_table(data: Any, column: str = "text") -> Any:
    """Make one data set of rows; a data set stays as it is, and a stream learns its columns.

    Taken are texts, which become the column `column`, rows (dictionaries), conversations (lists of messages),
    columns (a dictionary of lists), a table of pandas, and generators. Raises `FmkitError` for one text or a
    path, for several splits, for no rows, and for anything else.
    """
    if isinstance(data, Dataset):
        return data.with_format(None) if data.format["type"] else data
    if isinstance(data, IterableDataset):
        return _typed(data.with_format(None) if data._formatting else data)
    if isinstance(data, str | bytes | os.PathLike):
        raise FmkitError(
            f"{str(data)!r:.60} is one text or a path: give a list of texts, or what load_corpus or "
            "load_examples makes of the path"
        )
    if names := names_of_splits(data):
        raise FmkitError(f"the data has the splits {', '.join(names)}: give one, as data[{names[-1]!r}]")
    try:
        if isinstance(data, pd.DataFrame):
            return Dataset.from_pandas(data, preserve_index=False)
        if isinstance(data, Mapping):
            return Dataset.from_dict({name: as_several(values) for name, values in data.items()})
        if isinstance(data, Iterable):
            columns = _columns_of(list(data), column)
            return Dataset.from_dict(columns, on_mixed_types="use_json")  # rows need not be alike
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise FmkitError(f"the data is not a table of rows and columns: {error}") from None
    raise FmkitError(
        f"the data is of type {type(data).__name__}: give a Dataset, a DatasetDict with train and "
        "validation, or a list of texts or of dictionaries"
    )


def _typed(stream: IterableDataset) -> IterableDataset:
    """Learn the columns of a stream from its first rows, if it does not know them."""
    try:
        return stream if stream.features else stream._resolve_features()
    except StopIteration:
        raise FmkitError(NOTHING) from None


def names_of_splits(data: Any) -> list[Any]:
    """Name the splits of data that has any."""
    if isinstance(data, DatasetDict | IterableDatasetDict):
        return list(data)
    return list(data) if isinstance(data, Mapping) and {*data} & {"train", *VALIDATION} else []


def _columns_of(rows: list[Any], column: str) -> dict[str, list[Any]]:
    """Turn texts, dictionaries or conversations into columns."""
    if not rows:
        raise FmkitError(NOTHING)
    if all(isinstance(row, str) for row in rows):
        return {column: rows}
    if all(isinstance(row, Mapping) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name) for row in rows] for name in names}
    if all(isinstance(row, list | tuple) and row and isinstance(row[0], Mapping) for row in rows):
        return {"messages": rows}
    number, odd = next((i, row) for i, row in enumerate(rows, 1) if not isinstance(row, str))
    raise FmkitError(f"the data, row {number}: {kind_of(odd)}: make all rows texts, or all dictionaries")
