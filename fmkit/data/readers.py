"""Readers of local files: each yields the documents of one file and names the line where it is broken."""

import csv
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fmkit.errors import FmkitError

Reader = Callable[[Path, str], Iterator[str]]

VALIDATION = ("validation", "valid", "val", "dev", "test")  # names of what is held out, the best first
_SPLIT_NAME = re.compile(rf"(?:.*[-_. ])?(train|{'|'.join(VALIDATION)})(?:[-_.]?\d+(?:-of-\d+)?)?", re.I)


def find_files(path: Path) -> tuple[Path, ...]:
    """The file itself, or every readable file in the folder and below, in an order equal on all systems.

    Raises FmkitError for a path that is missing, no regular file, of an unknown kind, or a folder without
    readable files. Hidden files and files of other kinds in a folder are passed over.
    """
    if path.is_dir():
        found = [Path(root, name) for root, _, names in os.walk(path, onerror=_refuse) for name in names]
        files = [file for file in found if _is_ours(file.relative_to(path)) and file.is_file()]
        if not files:
            raise FmkitError(f"{path}: the folder holds no file of a known kind ({_known_kinds()})")
        return tuple(sorted(files, key=lambda file: file.relative_to(path).as_posix()))
    if not path.exists():
        raise FmkitError(f"{path}: no such file or folder")
    if not path.is_file():
        raise FmkitError(f"{path}: not a regular file")
    if path.suffix.lower() not in READERS:
        raise FmkitError(f"{path}: unknown kind of file; save the text as one of {_known_kinds()}")
    return (path,)


def named_splits(path: Path, files: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
    """The files of `train` and of `validation` in the folder `path`, where their names say so, else none.

    The name of a split stands alone or ends a longer one, as in train.jsonl, stories-valid.txt and
    test-00000-of-00002.parquet, or names the folder that a file is in. Of several names for what is held out,
    the first of `VALIDATION` counts. Where a split has no file, the names mean nothing.
    """
    found: dict[str, list[Path]] = {}
    for file in files:
        parts = (*file.relative_to(path).parent.parts, file.stem)
        names = [match[1].lower() for part in parts if (match := _SPLIT_NAME.fullmatch(part))]
        for name in names[-1:]:  # the file's own comes before its folder's
            found.setdefault(name, []).append(file)
    held_out = next((found[name] for name in VALIDATION if name in found), [])
    if "train" not in found or not held_out:
        return {}
    return {"train": tuple(found["train"]), "validation": tuple(held_out)}


def read_documents(files: Sequence[Path], text_column: str) -> Iterator[str]:
    """Every document of the files that is more than white space, in order.

    Raises FmkitError, naming file and line, at what cannot be read.
    """
    for path in files:
        try:
            for text in READERS[path.suffix.lower()](path, text_column):
                if len(text) > 2**29 and len(text.encode()) >= 2**31:
                    raise FmkitError(f"{path}: one document is larger than 2 GiB; split it")
                if text.strip():
                    yield text
        except GeneratorExit:  # at the end of the process, when the names below are gone
            raise
        except FmkitError as error:
            raise FmkitError(one_line(str(error))) from None
        except OSError as error:
            raise FmkitError(one_line(f"{path}: cannot be read: {error.strerror or error}")) from None
        except MemoryError:
            raise FmkitError(f"{path}: does not fit into memory; use JSON Lines or Parquet") from None


def one_line(message: str) -> str:
    """The message without line breaks, which a path or a foreign error may hold."""
    return " ".join(message.split())


def _is_ours(path: Path) -> bool:
    return path.suffix.lower() in READERS and not any(part.startswith(".") for part in path.parts)


def _known_kinds() -> str:
    return ", ".join(READERS)


def _refuse(error: OSError) -> None:
    raise FmkitError(f"{error.filename}: cannot be read: {error.strerror}")


def read_text(path: Path, _column: str) -> Iterator[str]:
    """The whole file as one document; line ends become newlines."""
    yield _whole(path).replace("\r\n", "\n").replace("\r", "\n")


def read_json_lines(path: Path, column: str) -> Iterator[str]:
    """One object a line."""
    for number, line in _lines(path):
        if line.strip():
            place = f"{path}, line {number}"
            yield _text_of(_parse_json(line.rstrip(), place), column, place)


def read_json(path: Path, column: str) -> Iterator[str]:
    """An array of objects, or JSON Lines under the other suffix."""
    with open(path, "rb") as file:
        is_array = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
    if not is_array:
        yield from read_json_lines(path, column)
        return
    for number, record in enumerate(_parse_json(_whole(path), str(path)), 1):
        yield _text_of(record, column, f"{path}, element {number}")


def read_csv(path: Path, column: str) -> Iterator[str]:
    """Comma-separated, the first line naming the columns."""
    rows = csv.reader((line for _, line in _lines(path)), strict=True)
    header: list[str] = []
    first_line = 1
    try:
        for row in rows:
            place = f"{path}, line {first_line}"
            if not header:
                header = row
                _require_column(header, column, str(path)) if header else None
            elif row:
                if len(row) != len(header):
                    raise FmkitError(
                        f"{place}: {len(row)} fields where the header names {len(header)}; "
                        'put text with commas into double quotes, a quote inside it as ""'
                    )
                yield row[header.index(column)]
            first_line = rows.line_num + 1
    except GeneratorExit:
        raise
    except csv.Error as error:
        if "field larger" in str(error):
            reason = (
                f"a field of more than {csv.field_size_limit():,} characters: an open quote, or use .jsonl"
            )
        else:
            reason = f'broken CSV ({error}); put text with commas or quotes into double quotes, a quote as ""'
        raise FmkitError(f"{path}, line {first_line}: {reason}") from None


def read_parquet(path: Path, column: str) -> Iterator[str]:
    """One text column, a batch of rows at a time."""
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            _require_column(schema.names, column, str(path))
            kind = schema.types[schema.names.index(column)]
            value_kind = kind.value_type if pa.types.is_dictionary(kind) else kind
            is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
            if not any(test(value_kind) for test in is_text):
                raise FmkitError(f"{path}: the column {_short(column)} holds {_short(str(kind))}, not text")
            for batch in file.iter_batches(batch_size=1000, columns=[column]):
                for text in batch.column(0).to_pylist():
                    yield text or ""
    except GeneratorExit:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if isinstance(error, PermissionError):
            raise
        raise FmkitError(f"{path}: damaged, or no Parquet file ({_short(str(error))})") from None


READERS: dict[str, Reader] = {
    ".txt": read_text,
    ".jsonl": read_json_lines,
    ".json": read_json,
    ".csv": read_csv,
    ".parquet": read_parquet,
}


def _whole(path: Path) -> str:
    data = path.read_bytes()
    _require_text(data[:8192], path)
    return _decode(data, path, 1, 0).removeprefix("\ufeff")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number from 1 and the line with its end."""
    with open(path, "rb") as file:
        _require_text(file.read(8192), path)
        file.seek(0)
        offset = 0
        for number, raw in enumerate(file, 1):
            line = _decode(raw, path, number, offset)
            yield number, line.removeprefix("\ufeff") if number == 1 else line
            offset += len(raw)


def _require_text(start: bytes, path: Path) -> None:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FmkitError(f"{path}: encoded as UTF-16; save it as UTF-8")
    if b"\0" in start:
        raise FmkitError(f"{path}: a binary file (a zero byte at {start.index(0)}), not text")


def _decode(data: bytes, path: Path, line: int, offset: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        raise FmkitError(
            f"{path}, line {line}: byte {offset + error.start} (0x{data[error.start]:02x}) is not UTF-8; "
            "save the file as UTF-8"
        ) from None


def _parse_json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text.rstrip("\n") else ""
        raise FmkitError(f"{place}: not JSON ({line}column {error.colno}: {error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise FmkitError(f"{place}: not JSON that can be read ({_short(str(error))})") from None


def _text_of(record: Any, column: str, place: str) -> str:
    if not isinstance(record, dict):
        raise FmkitError(f'{place}: a {type(record).__name__}, not an object such as {{"{column}": "…"}}')
    _require_column(list(record), column, place)
    text = record[column]
    if text is None:
        return ""
    if not isinstance(text, str):
        raise FmkitError(f"{place}: {_short(column)} holds a {type(text).__name__}, not text")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FmkitError(f"{place}: \\u{ord(text[error.start]):04x} is half a character, not text") from None
    return text


def _require_column(names: Sequence[str], column: str, place: str) -> None:
    if column not in names:
        found = ", ".join(map(_short, names[:8])) + (", …" if len(names) > 8 else "")
        raise FmkitError(f"{place}: no column {_short(column)}; it has {found or 'none'}: give text_column=…")


def _short(text: str) -> str:
    """On one line and at most 60 characters, for a message."""
    text = repr(text)
    return text if len(text) <= 60 else text[:57] + "…'"
