"""Files and folders: which of them are read, and how one is written whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fmkit.errors import FmkitError

KINDS = (".txt", ".jsonl", ".json", ".csv", ".parquet")  # endings of files that are read


def find_files(path: Path) -> tuple[Path, ...]:
    """The file itself, or every readable file in the folder and below, in an order equal on all systems.

    Raises FmkitError for a path that is missing, no regular file, of an unknown kind, or a folder without
    readable files. Hidden files and files of other kinds in a folder are passed over.
    """
    with explain_read_errors(path):
        return _find_files(path)


def _find_files(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        found = [Path(root, name) for root, _, names in os.walk(path, onerror=_refuse) for name in names]
        files = [file for file in found if _is_ours(file.relative_to(path)) and file.is_file()]
        if not files:
            raise FmkitError(f"{path}: the folder holds no file of a known kind ({', '.join(KINDS)})")
        return tuple(sorted(files, key=lambda file: file.relative_to(path).as_posix()))
    if not path.exists():
        raise FmkitError(f"{path}: no such file or folder")
    if not path.is_file():
        raise FmkitError(f"{path}: not a regular file")
    if path.suffix.lower() not in KINDS:
        raise FmkitError(f"{path}: unknown kind of file; save the text as one of {', '.join(KINDS)}")
    return (path,)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is whole. Raises FmkitError."""
    part = path.with_name(f".making-{os.getpid()}-{path.name}")
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
    """Turn what the system says of a file into FmkitError."""
    try:
        yield
    except OSError as error:
        raise FmkitError(f"{path}: cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise FmkitError(f"{path}: does not fit into memory; use JSON Lines or Parquet") from None


def _is_ours(path: Path) -> bool:
    return path.suffix.lower() in KINDS and not any(part.startswith(".") for part in path.parts)


def _refuse(error: OSError) -> None:
    raise FmkitError(f"{error.filename}: cannot be read: {error.strerror}")
