"""Corpora by name, by path or by Hub id: `datasets` objects with the splits train and validation."""

import difflib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import datasets
from datasets import Dataset, DatasetDict, Features, IterableDataset, IterableDatasetDict, Value

from fmkit.data import python_docs
from fmkit.data.cache import Row, cached, remembered
from fmkit.data.files import (
    KINDS,
    Problem,
    explain_read_errors,
    fail,
    find_files,
    kind_of,
    kind_of_file,
    read_text,
    short,
    text_of,
)
from fmkit.data.hub import load_from_hub
from fmkit.data.readers import read_records
from fmkit.data.splits import SPLITS, Corpus, digest, find_threshold, named_splits
from fmkit.errors import FmkitError
from fmkit.settings import as_path
from fmkit.world import DOMAINS

NAMES = (*DOMAINS, "python-docs")

# Between the documents of a .txt, where a line begins or ends with it. Within a line, it is only mentioned.
_END = r"<\|(?:endoftext|end_of_text|eos)\|>"
END = re.compile(rf"^[ \t]*{_END}|{_END}[ \t]*$", re.M)

Part = tuple[tuple[Path, ...], int | None]  # files, and the digest below which their documents are held out


def load_corpus(name: str | Path, *, text_column: str = "text", streaming: bool = False) -> Corpus:
    """Load a corpus with the splits `train` and `validation` and a column `text`.

    `name` is looked up in this order:

    - `"stories"`, the book's story world, `"reviews"`, `"medical"` or another domain of
      `fmkit.world`, with columns that its data card explains; `"stories:3"` is the world of seed 3, with
      other names, facts and answers. Or `"python-docs"`, docstrings and comments of installed packages;
    - a .txt, .jsonl, .json, .csv or .parquet file in UTF-8, or a folder of them; all but .parquet may be
      compressed, as .txt.gz, .bz2, .xz or .zst. A .txt file is one document, or several with `<|endoftext|>`
      (`<|end_of_text|>`, `<|eos|>`) at the end of a line between them; of the other kinds, `text_column`
      names the column to read (only this one is kept). If files of the folder, or folders in it, are named
      train and validation (or valid, val, dev, or else test or eval), these are the splits, and files with
      other names are left out. Otherwise a tenth of the documents, chosen by a hash of their text, is held
      out; of a single document, its last tenth;
    - the id of a data set on the Hugging Face Hub, `org/name` or `org/name:configuration`, with splits of
      these names. If there is only train, a tenth is held out in the same way; of a large data set that
      isn't streamed, about 10,000 documents.

    Where a folder has the name of one of the book's corpora, write `"./stories"` for the folder and
    `"stories:0"` for the corpus.

    Blank documents are skipped. With `streaming`, nothing is held in memory or on disk and the splits are
    `IterableDataset`s. Results are cached next to the caches of datasets (`HF_HOME` moves them), keyed by
    content: a changed file is read again, and one that is as it was (see `fmkit.data.cache.remembered`) is
    not even hashed.

    Raises FmkitError, one line with the place and the remedy, for anything that cannot be read.
    """
    try:
        as_path(name)
        return _load(str(name), text_column, streaming)
    except OSError as error:
        raise FmkitError(f"{error.filename or name}: cannot be used: {error.strerror}") from None


def content_hash(corpus: Mapping[str, Iterable[Row]]) -> str:
    """Hash the texts of all splits, in order (SHA-256): equal only for the same documents.

    A streamed corpus is read to its end.
    """
    digest = hashlib.sha256()
    for split in sorted(corpus):
        for text in map(str.encode, _texts_of(corpus[split])):
            digest.update(b"%s %d %s" % (split.encode(), len(text), text))
    return digest.hexdigest()


def _texts_of(rows: Iterable[Row]) -> Iterator[str]:
    if not isinstance(rows, Dataset):
        return (row["text"] for row in rows)
    # By columns: row after row takes ten times as long.
    batches = rows.select_columns("text").with_format("arrow").iter(1000)
    return chain.from_iterable(batch["text"].to_pylist() for batch in batches)


def _load(name: str, text_column: str, streaming: bool) -> Corpus:
    if own := find_own(name):
        domain, world = own
        made = _load_python_docs() if domain == "python-docs" else DOMAINS[domain].load(world=world)
        return _streamed(made, streaming)
    path = Path(os.path.expanduser(name))
    is_path = kind_of_file(path) in KINDS or name.startswith((".", "/", "~"))
    if name and (is_path or path.exists()):
        return _load_files(path, text_column, streaming)
    close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
    if close or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?(:[\w.-]+)?", name):
        raise FmkitError(_unknown(name) + (f"; did you mean {close[0]!r}?" if close else ""))
    return load_from_hub(name, text_column, streaming, _unknown(name))


def find_own(name: str) -> tuple[str, int] | None:
    """Split `medical:3` into the name of one of the book's corpora and its world (0 if not given).

    None for any other name. Raises FmkitError for a world that isn't a number, and for a name that is a
    folder's, too.
    """
    own, colon, world = name.partition(":")
    if own not in NAMES:
        return None
    if colon and not re.fullmatch("[0-9]{1,9}" if own in DOMAINS else "0", world):
        raise FmkitError(f"{name}: another world has a number, as in medical:3 (python-docs has none)")
    if Path(name).is_dir():
        raise FmkitError(
            f"{name}: a folder here and a corpus of the book: write ./{name} for the folder, {name}:0 for "
            "the corpus"
        )
    return own, int(world or 0)


def _unknown(name: str) -> str:
    return (
        f"unknown corpus {name!r}: not one of {', '.join(NAMES)}, no file or folder, no data set on the Hub"
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

    return cached(f"python-docs {python_docs.VERSION} {versions}", f"python-docs: {versions}", rows)


def _load_files(path: Path, text_column: str, streaming: bool) -> Corpus:
    files = find_files(path)
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
    return cached(f"files 2 {text_column} {' validation '.join(digests)}", f"text of {path}", lambda: rows)


def _parts(path: Path, files: tuple[Path, ...], text_column: str) -> dict[str, Part]:
    """What to read for each split: the same for both unless the files' names tell them apart."""
    named = named_splits(path, files)
    if not named:
        digests = map(digest, _documents(files, text_column))
        some = next(digests, None)
        if some is None:
            raise FmkitError(f"{path}: empty, no text in it")
        return dict.fromkeys(SPLITS, (files, find_threshold(chain([some], digests))))
    for first, *more in named.values():
        if next(_documents([first, *more], text_column), None) is None:
            raise FmkitError(f"{first}: empty, no text in it")
    return {"train": (named["train"], 0), "validation": (named["validation"], 2**64)}


def _rows(part: Part, text_column: str) -> Iterator[tuple[str, Row]]:
    files, threshold = part
    for text in _documents(files, text_column):
        if threshold is None:
            yield from zip(SPLITS, ({"text": piece} for piece in _cut(text, files[0])), strict=True)
            return
        yield SPLITS[digest(text) < threshold], {"text": text}


def _rows_of_split(name: str, **arguments: Any) -> Iterator[Row]:
    return (row for split, row in _rows(**arguments) if split == name)


def _cut(text: str, path: Path) -> tuple[str, str]:
    """Cut off the last tenth, at a line break or else at a space."""
    text = text.strip()
    if len(text) < 2:
        raise FmkitError(f"{path}: a corpus of one character cannot be split into train and validation")
    low, high = len(text) * 8 // 10, max(1, len(text) * 9 // 10)
    cut = text.rfind("\n", low, high) + 1 or text.rfind(" ", low, high) + 1 or high
    return text[:cut], text[cut:]


def _file_digest(path: Path) -> str:
    def read() -> str:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    with explain_read_errors(path):
        return kind_of_file(path) + remembered("SHA-256", [path], read)


def _documents(files: Sequence[Path], text_column: str) -> Iterator[str]:
    """Yield every document of the files that isn't blank, in order.

    Raises FmkitError, naming file and line, for what cannot be read.
    """
    for path in files:
        for text in _texts(path, text_column):
            if len(text) > 2**29 and len(text.encode()) >= 2**31:
                raise FmkitError(f"{path}: one document is larger than 2 GiB; split it")
            if text.strip():
                yield text


def _texts(path: Path, text_column: str) -> Iterator[str]:
    if kind_of_file(path) == ".txt":
        text = read_text(path)
        yield from [part.strip("\n") for part in END.split(text)] if END.search(text) else [text]
        return

    def choose(names: Sequence[str]) -> list[str]:
        if text_column not in names:
            found = ", ".join(map(short, names[:8])) + (", …" if len(names) > 8 else "")
            raise Problem(
                "", f"no column {short(text_column)}; it has {found or 'none'}", "give text_column=…"
            )
        return [text_column]

    for place, record in read_records(path, choose):
        try:
            if not isinstance(record, dict):
                raise Problem("", f"{kind_of(record)}, not an object", f'write {{"{text_column}": "…"}}')
            choose(list(record))
            text = text_of(record[text_column], text_column) if record[text_column] is not None else ""
        except Problem as problem:
            fail(path, place, problem)
        yield text
