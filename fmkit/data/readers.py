"""Readers of records: JSON Lines, JSON, CSV and Parquet.

A reader yields each record with its place; a faulty record is its `Problem`.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import pyarrow.parquet as pq
from datasets import ClassLabel, Features

from fmkit.data.files import (
    Place,
    Problem,
    decode,
    explain_read_errors,
    fail,
    kind_of_file,
    lines_of,
    read_whole,
    short,
)
from fmkit.errors import FmkitError

Located = Iterator[tuple[Place, Any]]  # records: objects, if all is well
Choose = Callable[[Sequence[str]], Sequence[str]]  # which of a table's columns to read; may raise Problem


def each_record(path: Path, choose: Choose) -> Located:
    """Read a file by its ending: its records with their places; for a faulty record, its `Problem`.

    Of a Parquet file only the columns that `choose` names are read. Raises FmkitError, one line with file and
    place, for errors after which nothing more can be read.
    """
    readers: dict[str, Callable[[Path], Located]] = {
        ".jsonl": _read_json_lines,
        ".json": _read_json,
        ".csv": _read_csv,
        ".parquet": partial(_read_parquet, choose=choose),
    }
    with explain_read_errors(path):
        yield from readers[kind_of_file(path)](path)


def read_records(path: Path, choose: Choose) -> Located:
    """Read records as `each_record`, but raise FmkitError at the first faulty one."""
    for place, record in each_record(path, choose):
        if isinstance(record, Problem):
            fail(path, place, record)
        yield place, record


def _or_problem(read: Callable[..., Any], *arguments: Any) -> Any:
    """Return what is read, or the problem that it raises."""
    try:
        return read(*arguments)
    except Problem as problem:
        return problem


# --- JSON -------------------------------------------------------------------------------------------------


def parse_json(data: bytes) -> Any:
    """Parse a JSON value. Raises Problem for bad UTF-8, repeated keys, NaN, and other errors."""
    text = decode(data)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text.rstrip("\n") else ""
        what = f"not JSON ({line}column {error.colno}: {error.msg})"
        raise Problem("", what, "fix it, or have a library write it") from None
    except RecursionError:
        raise Problem("", "nested too deeply to read", "remove the nesting") from None
    except ValueError:  # a number of more than 4,300 digits
        raise Problem("", "a number too long to be read", "shorten it, or write it as text") from None


def to_json_lines(records: Iterable[Any]) -> bytes:
    """Write one object a line, in UTF-8."""
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem("", f"the key {short(twice)} is repeated", "keep one of them")
    return record


def _no_number(name: str) -> NoReturn:
    raise Problem("", f"{name} is not JSON", "write a number, or null")


def _read_json_lines(path: Path) -> Located:
    for number, raw in lines_of(path):
        if raw.strip():
            yield ("line", number), _or_problem(parse_json, raw.rstrip())


def _read_json(path: Path) -> Located:
    """Read an array, an array under the key `data`, or JSON Lines with the wrong ending."""
    first_two = list(islice((raw.strip() for _, raw in lines_of(path) if raw.strip()), 2))
    if len(first_two) == 2 and first_two[0].startswith(b"{") and first_two[0].endswith(b"}"):
        yield from _read_json_lines(path)
        return
    try:
        whole = parse_json(read_whole(path))
    except Problem as problem:
        fail(path, ("element", None), problem)
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        whole = whole["data"]
    for number, record in enumerate(whole if isinstance(whole, list) else [whole], 1):
        yield ("element", number), record


# --- CSV --------------------------------------------------------------------------------------------------


def _read_csv(path: Path) -> Located:
    """Read comma-separated values; the first line names the columns, and may have spaces after commas."""
    lines = _decoded_lines(path)
    line = 1
    try:
        head = csv.reader(lines, strict=True)
        header, spaced = _header(next((row for row in head if row), []))
        rows = csv.reader(lines, strict=True, skipinitialspace=spaced)
        line = head.line_num + 1
        for row in rows:
            if row:
                yield ("line", line), _or_problem(_named, row, header)
            line = head.line_num + rows.line_num + 1
    except GeneratorExit:  # when the process ends, the names below are gone
        raise
    except Problem as problem:
        fail(path, ("line", line), problem)
    except csv.Error as error:
        remedy = 'close open quotes, write a quote inside text as "", or use .jsonl'
        fail(path, ("line", line), Problem("", f"broken CSV ({error})", remedy))


def _header(row: list[str]) -> tuple[list[str], bool]:
    """Return the names of the columns, and whether a space follows each comma."""
    names = [name.strip() for name in row]
    if len(names) == 1 and re.search("[;\t]", names[0]):
        raise Problem("", f"one column, {short(names[0])}", "separate columns by commas")
    _unique([(name, None) for name in names])
    return names, len(row) > 1 and all(name.startswith(" ") for name in row[1:])


def _named(row: list[str], header: list[str]) -> dict[str, str]:
    if len(row) != len(header):
        what = f"{len(row)} fields where the header names {len(header)}"
        raise Problem("", what, 'put text with commas into double quotes, a quote inside it as ""')
    for name, field in zip(header, row, strict=True):
        if re.fullmatch(r' +".*"', field, re.DOTALL):
            raise Problem(name, "a space before the quotes", "remove the space after the comma")
    return dict(zip(header, row, strict=True))


def _decoded_lines(path: Path) -> Iterator[str]:
    for number, raw in lines_of(path):
        try:
            text = decode(raw)
        except Problem as problem:
            fail(path, ("line", number), problem)
        yield from filter(None, re.split(r"(?<=\r)(?!\n)", text))  # some programs end lines by \r alone


# --- Parquet ----------------------------------------------------------------------------------------------


def _read_parquet(path: Path, choose: Choose) -> Located:
    """Read some rows at a time; labels that datasets stores as numbers become names."""
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            columns = list(choose(schema.names))
            is_labeled = "label" in columns and b"huggingface" in (schema.metadata or {})
            label = Features.from_arrow_schema(schema)["label"] if is_labeled else None
            rows = (row for batch in file.iter_batches(1000, columns=columns) for row in batch.to_pylist())
            for number, record in enumerate(rows, 1):
                yield ("row", number), _or_problem(_with_label_name, record, label)
    except (GeneratorExit, PermissionError, MemoryError, FmkitError):
        raise
    except Problem as problem:
        fail(path, ("row", None), problem)
    except Exception as error:  # pyarrow and datasets raise many kinds
        what = f"damaged, or no Parquet file ({short(str(error))})"
        fail(path, ("row", None), Problem("", what, "write it anew"))


def _with_label_name(record: dict[str, Any], label: Any) -> dict[str, Any]:
    if isinstance(label, ClassLabel) and isinstance(record.get("label"), int):
        return {**record, "label": label_name(label, record["label"])}
    return record


def label_name(label: ClassLabel, number: int) -> str:
    """Return the name of a label that is stored as a number. Raises Problem."""
    if not 0 <= number < len(label.names):
        raise Problem("label", f"{number} is the number of no label", "leave out what has no label")
    return label.names[number]
