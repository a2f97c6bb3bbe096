"""A cache of corpora: written once as Arrow, memory-mapped from then on, and checked for damage."""

import atexit
import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import datasets
import pyarrow as pa
from datasets import Dataset, DatasetDict

from fmkit.data.splits import SPLITS
from fmkit.errors import FmkitError

Row = dict[str, str]

SETTLED = 2.0  # seconds after a change from which on the next one has another time in every file system


def cached(key: str, description: str, rows: Callable[[], Iterator[tuple[str, Row]]]) -> DatasetDict:
    """Open the corpus of this key from the cache, or write it first if it is missing or damaged.

    Each file appears by one rename, and two processes that write it at the same time write the same bytes.
    """
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    folder = cache_folder()
    paths = {split: folder / f"{name}-{split}.arrow" for split in SPLITS}
    if not all(map(_is_sound, paths.values())):
        try:
            _write(paths, rows())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise FmkitError(
                    f"{folder}: no space left; free some, or set HF_HOME to another disk"
                ) from None
            raise
    corpus = DatasetDict(
        {
            split: Dataset.from_file(str(path), split=datasets.NamedSplit(split))
            for split, path in paths.items()
        }
    )
    for dataset in corpus.values():
        dataset.info.description = description
    return corpus


def cache_folder() -> Path:
    """The folder of fmkit beside the caches of datasets; a temporary one where that cannot be written."""
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "fmkit"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:  # a read-only home
        folder = Path(tempfile.mkdtemp(prefix="fmkit-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def remembered(what: str, files: Iterable[Path], find: Callable[[], str]) -> str:
    """Return what `find` says of files, or said when they were last read, if none has changed since.

    They are the same by path, inode, size and times of change, also that of the inode, which no program can
    set back; what alters none of these, as damage to a disk, is not seen. A file changed within the last
    `SETTLED` seconds is read again, since the next change may get the same time.
    """
    states = [(str(file.resolve()), file.stat()) for file in files]
    settled = all(time.time() - max(s.st_ctime, s.st_mtime) > SETTLED for _, s in states)
    same = [(name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in states]
    key = hashlib.sha256(repr((what, same)).encode()).hexdigest()[:32]
    note = Path(datasets.config.HF_DATASETS_CACHE) / "fmkit" / "known" / key
    with suppress(OSError):
        return note.read_text(encoding="utf-8")
    found = find()
    if settled:
        with suppress(OSError):  # a read-only home, a full disk: found again at the next start
            note.parent.mkdir(parents=True, exist_ok=True)
            scratch = note.with_suffix(f".{os.getpid()}")
            scratch.write_text(found, encoding="utf-8")
            scratch.replace(note)
    return found


def _is_sound(path: Path) -> bool:
    """Whether the file is as it was written; it is read again only when it has changed."""
    try:
        return remembered("sound", [path], partial(_check, path)) == "yes"
    except OSError:
        return False


def _check(path: Path) -> str:
    """Say "yes" if the file ends with the SHA-256 of all before (Arrow stops reading at its own end mark)."""
    size = path.stat().st_size - 32
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while size > 0 and (block := file.read(min(size, 2**20))):
            digest.update(block)
            size -= len(block)
        return "yes" if file.read() == digest.digest() else "no"


def _write(paths: Mapping[str, Path], rows: Iterable[tuple[str, Row]]) -> None:
    """Write rows to one Arrow stream per split; final names appear only when everything is written."""
    with ExitStack() as stack:
        writers = {split: stack.enter_context(_Writer(path)) for split, path in paths.items()}
        for split, row in rows:
            writers[split].add(row)
        for writer in writers.values():
            writer.finish()


class _Writer:
    """An Arrow stream that is being written, under a temporary name until `finish`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = tempfile.NamedTemporaryFile(dir=path.parent, prefix="making-", delete=False)  # noqa: SIM115
        self.stream: pa.RecordBatchStreamWriter | None = None
        self.rows: list[Row] = []
        self.size = 0

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        Path(self.file.name).unlink(missing_ok=True)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.size += len(row["text"])
        if len(self.rows) == 1000 or self.size > 2**24:
            self._flush()

    def _flush(self) -> None:
        if self.rows:
            batch = pa.RecordBatch.from_pylist(self.rows)
            if self.stream is None:
                self.stream = pa.ipc.new_stream(self.file, batch.schema)
            self.stream.write_batch(batch)
        self.rows, self.size = [], 0

    def finish(self) -> None:
        self._flush()
        assert self.stream is not None, "every split has a document"
        self.stream.close()
        self.file.seek(0)
        self.file.write(hashlib.file_digest(self.file, "sha256").digest())
        self.file.flush()
        os.replace(self.file.name, self.path)
