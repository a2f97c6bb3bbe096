"""Corpora by name, by path or by Hub id: `datasets` objects with the splits train and validation."""

import atexit
import difflib
import errno
import hashlib
import logging
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import datasets
import huggingface_hub
import numpy as np
import pyarrow as pa
from datasets import Dataset, DatasetDict, Features, IterableDataset, IterableDatasetDict, Value

from fmkit.data import python_docs, readers
from fmkit.data.domains import DOMAINS
from fmkit.errors import FmkitError

NAMES = ("stories", "reviews", "python-docs", *DOMAINS)
SPLITS = ("train", "validation")
TENTH = 2**64 // 10  # a document whose digest lies below it is held out

Corpus: TypeAlias = DatasetDict | IterableDatasetDict
Row = dict[str, str]
Part = tuple[tuple[Path, ...], int | None]  # files, and below which digest a document of theirs is held out


def load_corpus(name: str | Path, *, text_column: str = "text", streaming: bool = False) -> Corpus:
    """A corpus with the splits `train` and `validation` and a column `text`.

    `name` is looked up in this order:

    - `"stories"`, the book's story world; `"reviews"`, its labeled dialect (columns `text` and `label`); a
      dialect of `fmkit.data.domains`, `"medical"` or another, with columns that its data card explains; or
      `"python-docs"`, docstrings and comments of installed packages;
    - a .txt, .jsonl, .json, .csv or .parquet file in UTF-8, or a folder of them. A .txt file is one document;
      in the others `text_column` names the column to read (only this one is kept). Where files of a folder,
      or folders in it, are named train and validation (or valid, val, dev, or else test), these are the
      splits, and what has another name is left out. Else a tenth of the documents, chosen by a hash of their
      text, is held out; of a single document, its last tenth;
    - the id of a data set on the Hugging Face Hub, `org/name` or `org/name:configuration`, with splits of
      these names. Where there is only train, a tenth is held out, at most 10,000 documents; streamed, the
      first ones, at most 1,000.

    Documents of white space alone are skipped. With `streaming`, nothing is held in memory or on disk and
    the splits are `IterableDataset`s. Results are cached beside the caches of datasets (`HF_HOME` moves
    them), keyed by content: a changed file is read anew.

    Raises FmkitError, one line with the place and the remedy, for everything that cannot be read.
    """
    try:
        return _load(str(name), text_column, streaming)
    except FmkitError as error:
        raise FmkitError(readers.one_line(str(error))) from error.__cause__
    except OSError as error:
        raise FmkitError(
            readers.one_line(f"{error.filename or name}: cannot be used: {error.strerror}")
        ) from None


def content_hash(corpus: Mapping[str, Iterable[Row]]) -> str:
    """SHA-256 over the texts of all splits, in order: equal exactly if the corpora hold the same documents.

    A streamed corpus is read to its end.
    """
    digest = hashlib.sha256()
    for split in sorted(corpus):
        for row in corpus[split]:
            text = row["text"].encode()
            digest.update(f"{split} {len(text)} ".encode() + text)
    return digest.hexdigest()


def _load(name: str, text_column: str, streaming: bool) -> Corpus:
    if name == "stories":
        from fmkit.data.world import load_stories

        return _streamed(load_stories(), streaming)
    if name == "reviews":
        from fmkit.data.reviews import load_reviews

        return _streamed(load_reviews(), streaming)
    if name in DOMAINS:
        return _streamed(DOMAINS[name].load(), streaming)
    if name == "python-docs":
        return _streamed(_load_python_docs(), streaming)
    path = Path(os.path.expanduser(name))
    is_path = path.suffix.lower() in readers.READERS or name.startswith((".", "/", "~"))
    if name and (is_path or path.exists()):
        return _load_files(path, text_column, streaming)
    close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
    if close or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?(:[\w.-]+)?", name):
        raise FmkitError(_unknown(name) + (f"; did you mean {close[0]!r}?" if close else ""))
    return _load_from_hub(name, text_column, streaming)


def _unknown(name: str) -> str:
    return (
        f"unknown corpus {name!r}: not one of {', '.join(NAMES)}, no file or folder, no data set of the Hub"
    )


def _streamed(corpus: DatasetDict, streaming: bool) -> Corpus:
    if not streaming:
        return corpus
    return IterableDatasetDict({split: corpus[split].to_iterable_dataset() for split in corpus})


# --- python-docs and local files: written once as Arrow, then memory-mapped


def _load_python_docs() -> DatasetDict:
    versions = ", ".join(f"{name} {version}" for name, version in python_docs.package_versions().items())

    def rows() -> Iterator[tuple[str, Row]]:
        for split, text, source in python_docs.extract():
            yield split, {"text": text, "source": source}

    return _cached(f"python-docs {python_docs.VERSION} {versions}", f"python-docs: {versions}", rows)


def _load_files(path: Path, text_column: str, streaming: bool) -> Corpus:
    files = readers.find_files(path)
    parts = _parts(path, files, text_column)
    if streaming:
        features = Features(text=Value("string"))
        return IterableDatasetDict(
            {
                split: IterableDataset.from_generator(
                    _rows_of_split,
                    features=features,
                    gen_kwargs={"part": parts[split], "text_column": text_column, "name": split},
                    split=datasets.NamedSplit(split),
                )
                for split in SPLITS
            }
        )
    different = tuple(dict.fromkeys(parts.values()))
    digests = [" ".join(map(_file_digest, files)) for files, _ in different]
    rows = (row for part in different for row in _rows(part, text_column))
    return _cached(f"files 1 {text_column} {' validation '.join(digests)}", f"text of {path}", lambda: rows)


def _parts(path: Path, files: tuple[Path, ...], text_column: str) -> dict[str, Part]:
    """What to read for each split: the same for both, where names of files do not tell them apart."""
    named = readers.named_splits(path, files)
    if not named:
        threshold = _find_threshold(path, readers.read_documents(files, text_column))
        return dict.fromkeys(SPLITS, (files, threshold))
    for first, *more in named.values():
        if next(readers.read_documents([first, *more], text_column), None) is None:
            raise FmkitError(f"{first}: empty, no text in it")
    return {"train": (named["train"], 0), "validation": (named["validation"], 2**64)}


def _find_threshold(path: Path, documents: Iterable[str]) -> int | None:
    """Digests below it are held out, so that both splits have a document; None: there is only one to cut.

    Of more than a few documents, only the first ones are read.
    """
    lowest, highest = 2**64, -1
    for text in documents:
        lowest, highest = min(lowest, _digest(text)), max(highest, _digest(text))
        if lowest < TENTH <= highest:
            return TENTH
    if highest < 0:
        raise FmkitError(f"{path}: empty, no text in it")
    if lowest == highest:
        return None
    return lowest + 1 if lowest >= TENTH else highest


def _rows(part: Part, text_column: str) -> Iterator[tuple[str, Row]]:
    files, threshold = part
    for text in readers.read_documents(files, text_column):
        if threshold is None:
            yield from zip(SPLITS, ({"text": piece} for piece in _cut(text)), strict=True)
            return
        yield SPLITS[_digest(text) < threshold], {"text": text}


def _rows_of_split(name: str, **arguments: Any) -> Iterator[Row]:
    return (row for split, row in _rows(**arguments) if split == name)


def _cut(text: str) -> tuple[str, str]:
    """The last tenth apart, at a line break or else at a space."""
    text = text.strip()
    if len(text) < 2:
        raise FmkitError("a corpus of one character cannot be split into train and validation")
    low, high = len(text) * 8 // 10, max(1, len(text) * 9 // 10)
    cut = text.rfind("\n", low, high) + 1 or text.rfind(" ", low, high) + 1 or high
    return text[:cut], text[cut:]


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _file_digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return path.suffix.lower() + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FmkitError(f"{path}: cannot be read: {error.strerror}") from None


def _cached(key: str, description: str, rows: Callable[[], Iterator[tuple[str, Row]]]) -> DatasetDict:
    """The corpus from the cache; made anew where it is missing or damaged.

    Each file appears by one rename, and two processes that make it at once write the same bytes.
    """
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    folder = _cache_folder()
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


def _cache_folder() -> Path:
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "fmkit"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:  # a read-only home
        folder = Path(tempfile.mkdtemp(prefix="fmkit-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _is_sound(path: Path) -> bool:
    """The file ends with the SHA-256 of what stands before (Arrow stops reading at its own end mark)."""
    try:
        size = path.stat().st_size - 32
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while size > 0 and (block := file.read(min(size, 2**20))):
                digest.update(block)
                size -= len(block)
            return file.read() == digest.digest()
    except OSError:
        return False


def _write(paths: Mapping[str, Path], rows: Iterable[tuple[str, Row]]) -> None:
    """Rows to one Arrow stream per split; nothing appears under the final names before all is written."""
    with ExitStack() as stack:
        writers = {split: stack.enter_context(_Writer(path)) for split, path in paths.items()}
        for split, row in rows:
            writers[split].add(row)
        for writer in writers.values():
            writer.finish()


class _Writer:
    """One Arrow stream in the making, under a name of its own until `finish`."""

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


# --- the Hugging Face Hub


def _load_from_hub(name: str, text_column: str, streaming: bool) -> Corpus:
    hub_id, _, configuration = name.partition(":")
    with quiet():
        try:
            if not huggingface_hub.constants.HF_HUB_OFFLINE:
                # Asked first because datasets would retry for long, and needs the full name of `imdb`.
                hub_id = huggingface_hub.HfApi().dataset_info(hub_id, timeout=20).id
            loaded = datasets.load_dataset(hub_id, configuration or None, streaming=streaming)
            return _arrange(loaded, text_column, name)
        except FmkitError:
            raise
        except Exception as error:  # the Hub, its client and the loaders of datasets raise many kinds
            raise _explain(name, error) from error


def _explain(name: str, error: Exception) -> FmkitError:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in kinds or "is a gated" in str(error):
        return FmkitError(f"{name}: a gated data set; accept its terms on the Hub, then `hf auth login`")
    if kinds & {"RepositoryNotFoundError", "DatasetNotFoundError", "HFValidationError"}:
        return FmkitError(_unknown(name) + " that is public")
    if kinds & {"ConnectionError", "TransportError", "OfflineModeIsEnabled", "TimeoutError"}:
        return FmkitError(
            f"unknown corpus {name!r}: not one of {', '.join(NAMES)}, no file or folder, and the Hub cannot "
            "be reached; check the network, or set HF_HUB_OFFLINE=1 to use what was downloaded before"
        )
    reason = str(error.__cause__ or error).strip()[:300]
    remedy = f"; choose one: {name}:CONFIGURATION" if "onfig name is missing" in reason else ""
    return FmkitError(f"{name}: the data set cannot be loaded: {reason}{remedy}")


def _arrange(loaded: Any, text_column: str, name: str) -> Corpus:
    """The two splits, each with its texts in the column `text`."""
    if "train" not in loaded:
        raise FmkitError(f"{name}: no split 'train'; it has {', '.join(map(str, loaded))}")
    train = _with_text(loaded["train"], text_column, name)
    given = next((split for split in readers.VALIDATION if split in loaded), None)
    if given:
        validation = _with_text(loaded[given], text_column, name)
    elif isinstance(train, Dataset):
        train, validation = _hold_out(train, name)
    else:
        train, validation = _hold_out_first(train, name)
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


def _hold_out(dataset: Dataset, name: str) -> tuple[Dataset, Dataset]:
    """A tenth, at most 10,000 documents, drawn with a fixed seed; the order stays."""
    count = min(-(-len(dataset) // 10), 10_000)
    _require_two(len(dataset), name)
    held_out = np.zeros(len(dataset), bool)
    held_out[np.random.default_rng(0).choice(len(dataset), count, replace=False)] = True
    return dataset.select(np.flatnonzero(~held_out)), dataset.select(np.flatnonzero(held_out))


def _hold_out_first(dataset: IterableDataset, name: str) -> tuple[IterableDataset, IterableDataset]:
    """The first tenth, at most 1,000 documents."""
    seen = sum(1 for _ in dataset.select_columns("text").take(10_000))
    _require_two(seen, name)
    count = -(-seen // 10)
    return dataset.skip(count), dataset.take(count)


def _require_two(count: int, name: str) -> None:
    if count < 2:
        raise FmkitError(f"{name}: {count} documents cannot be split into train and validation")


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, logs or warnings of datasets and huggingface_hub meanwhile."""
    bars = (datasets.utils, huggingface_hub.utils)
    loggers = (datasets.utils.logging, huggingface_hub.utils.logging)
    shown = [not module.are_progress_bars_disabled() for module in bars]
    levels = [module.get_verbosity() for module in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for module in bars:
                module.disable_progress_bars()
            for module in loggers:
                module.set_verbosity(logging.CRITICAL)
            yield
        finally:
            for module, was_shown in zip(bars, shown, strict=True):
                if was_shown:
                    module.enable_progress_bars()
            for module, level in zip(loggers, levels, strict=True):
                module.set_verbosity(level)
