"""Files: found, opened, compressed or not, read as text, and written; what is wrong with them.

What is wrong with a record is a `Problem`; with the place it is a `Fault`, one line for a person.
`fmkit.data.readers` reads records.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pyarrow as pa

from fmkit.errors import FmkitError, one_line

KINDS = (".txt", ".jsonl", ".json", ".csv", ".parquet")  # file name endings that are read
BOM = b"\xef\xbb\xbf"
AS_UTF_8 = "save the file as UTF-8"
FOREIGN = {  # beginnings of files that are not read: what they are, and the remedy
    re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff"): ("encoded as UTF-32", AS_UTF_8),
    re.compile(rb"\xff\xfe|\xfe\xff|[^\0]\0[^\0]\0|\0[^\0]\0[^\0]"): ("encoded as UTF-16", AS_UTF_8),
    re.compile(rb"\x1f\x8b"): ("compressed", "end its name in .gz"),
    re.compile(rb"PK\x03\x04"): ("a zip archive or an Excel file", "unpack it, or save it as CSV in UTF-8"),
}

Place = tuple[str, int | None]  # the unit that is counted, and the number from 1; None: the whole file


def find_files(path: Path, kinds: Sequence[str] = KINDS) -> tuple[Path, ...]:
    """Find the file itself, or every file of `kinds` in the folder and below, in the same order everywhere.

    Raises FmkitError for a path that is missing, not a regular file, of another kind, or a folder without
    such files. Hidden files of a folder are skipped, and files of other kinds, which standard error names.
    """
    with explain_read_errors(path):
        return _find_files(path, kinds)


def _find_files(path: Path, kinds: Sequence[str]) -> tuple[Path, ...]:
    known = ", ".join(kinds)
    if path.is_dir():
        found = sorted(_walk(path), key=lambda file: file.relative_to(path).as_posix())
        files = tuple(file for file in found if kind_of_file(file) in kinds)
        if not files:
            raise FmkitError(f"{path}: the folder holds no file of a known kind ({known})")
        others = [file for file in found if kind_of_file(file) not in kinds]
        tell(path, others, f"not read: of no known kind ({known})")
        return files
    if not path.exists():
        raise FmkitError(f"{path}: no such file or folder")
    if not path.is_file():
        raise FmkitError(f"{path}: not a regular file")
    if kind_of_file(path) not in kinds:
        raise FmkitError(
            f"{path}: unknown kind of file; save the text as one of {known}, "
            "compressed or not (.jsonl.gz, .bz2, .xz, .zst)"
        )
    return (path,)


def _walk(path: Path) -> Iterator[Path]:
    """Find the regular files of a folder that are not hidden; a linked folder is read, but none twice."""
    seen = set()
    for root, folders, names in os.walk(path, onerror=_refuse, followlinks=True):
        is_new = (real := os.path.realpath(root)) not in seen
        seen.add(real)
        folders[:] = sorted(name for name in folders if is_new and not name.startswith("."))
        files = (Path(root, name) for name in names if is_new and not name.startswith("."))
        yield from filter(Path.is_file, files)


def kind_of_file(path: Path) -> str:
    """Return the ending that says how a file is read: `.jsonl` of a.jsonl, A.JSONL and a.jsonl.gz."""
    ending, inner = path.suffix.lower(), Path(path.stem).suffix.lower()
    return inner if ending in COMPRESSED and inner in KINDS and inner != ".parquet" else ending


def tell(path: Path, files: Sequence[Path], what: str) -> None:
    """Say on standard error what became of some files of the folder `path`; nothing if there are none."""
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        _say_once(f"fmkit: {files[0].relative_to(path)}{more} in {path}: {what}")


@cache
def _say_once(line: str) -> None:  # a command may look for the files of a folder several times
    print(line, file=sys.stderr)


def _refuse(error: OSError) -> None:
    raise FmkitError(f"{error.filename}: cannot be read: {error.strerror}")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is complete. Raises FmkitError."""
    part = path.with_name(f".making-{uuid.uuid4().hex[:12]}-{path.name}")
    try:
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise FmkitError(f"{path}: cannot be written: {error.strerror}") from None


@contextmanager
def explain_read_errors(path: Path) -> Iterator[None]:
    """Turn the errors of the system and of decompression about a file into FmkitError."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise FmkitError(f"{path}: damaged, or not compressed as its name says: {error}") from None
    except OSError as error:
        raise FmkitError(f"{path}: cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise FmkitError(f"{path}: does not fit into memory; use JSON Lines or Parquet") from None


# --- What is wrong ------------------------------------------------------------------------------------------


class Problem(Exception):
    """What is wrong with one record, before its place is known."""

    def __init__(self, field: str, what: str, remedy: str) -> None:
        super().__init__(field, what, remedy)
        self.field, self.what, self.remedy = field, what, remedy


@dataclass(frozen=True)
class Fault:
    """One fault of a file: where, what, and what to do. `str()` is the one line for a person."""

    file: str
    line: int | None  # from 1; None: the file as a whole
    field: str  # such as messages[2].content; empty: the record as a whole
    what: str
    remedy: str
    unit: str = "line"  # what is counted: a line, a row or an element

    def __str__(self) -> str:
        place = [self.file, f"{self.unit} {self.line}" if self.line else "", self.field]
        return one_line(f"{', '.join(filter(None, place))}: {self.what}; {self.remedy}")


def fail(file: str | Path, place: Place, problem: Problem) -> NoReturn:
    """Raise FmkitError: the problem and its place."""
    unit, number = place
    fault = Fault(str(file), number, problem.field, problem.what, problem.remedy, unit)
    raise FmkitError(str(fault)) from None


def text_of(value: Any, field: str) -> str:
    """Return the value, which must be a text. Raises Problem."""
    if value is None:
        raise Problem(field, "missing or null", "write a text")
    if not isinstance(value, str):
        raise Problem(field, f"{kind_of(value)}, not text", "write a text in double quotes")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(value[error.start]):04x} is half a character"
        raise Problem(field, half, "remove it, or write both halves") from None
    return value


def kind_of(value: Any) -> str:
    """Name the kind of a value as JSON does."""
    kinds = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    kinds |= {dict: "an object", type(None): "null"}
    return kinds.get(type(value), f"a value of type {type(value).__name__}")


def short(value: Any) -> str:
    """Show a value on one line with at most 60 characters, for a message."""
    text = repr(value) if isinstance(value, str) else kind_of(value)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= 60 else text[:57] + "…'"


# --- Text in UTF-8 ----------------------------------------------------------------------------------------


def open_plain(path: Path) -> BinaryIO:
    """Open a file to read its bytes, decompressed as the ending says."""
    file: BinaryIO = COMPRESSED.get(path.suffix.lower(), open)(path, "rb")
    return file


def _open_zstandard(path: Path, _mode: str) -> io.BufferedReader:
    return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))


COMPRESSED: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": _open_zstandard,
}


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read each line with its number and its line end, without a byte order mark.

    Raises FmkitError for a file in another encoding, as a whole.
    """
    with open_plain(path) as file:
        for number, raw in enumerate(file, 1):
            yield number, _beginning(path, raw) if number == 1 else raw


def read_whole(path: Path) -> bytes:
    """Read all bytes of a file of text, without a byte order mark. Raises FmkitError as `lines_of` does."""
    with open_plain(path) as file:
        return _beginning(path, file.read())


def read_text(path: Path) -> str:
    """Read the whole file, line ends made newlines. Raises FmkitError, naming the place."""
    with explain_read_errors(path):
        try:
            data = read_whole(path)
            text = decode(data)
            if "\0" in text:
                raise Problem("", f"a zero byte at {data.index(0)}: binary, not text", "take a file of text")
        except Problem as problem:
            fail(path, ("line", None), problem)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _beginning(path: Path, data: bytes) -> bytes:
    """The data that a file begins with, without a byte order mark. Raises FmkitError if it is not UTF-8."""
    for start, (what, remedy) in FOREIGN.items():
        if start.match(data):
            fail(path, ("line", None), Problem("", what, remedy))
    return data.removeprefix(BOM)


def decode(data: bytes) -> str:
    """Decode UTF-8. Raises Problem for other encodings."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{data[error.start]:02x}{f' in line {line}' if line > 1 else ''} is not UTF-8"
        raise Problem("", what, AS_UTF_8) from None
