"""Read, normalize and write files of examples for fine-tuning.

The columns of a record decide what it is; `fmkit.data.shapes` has the table.
"""

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, NamedSplit, Value

from fmkit.data.files import KINDS, Fault, Place, Problem, fail, find_files, short, write_whole
from fmkit.data.pairs import Placed, advise_labels, advise_pairs, list_places
from fmkit.data.readers import each_record, label_name, to_json_lines
from fmkit.data.shapes import Row, known_columns, notes_of, to_answered, to_example, to_prompt
from fmkit.data.splits import SPLITS, digest, find_threshold, named_splits, stratify
from fmkit.data.tables import Data, as_table
from fmkit.errors import FmkitError
from fmkit.settings import as_path

MESSAGES = List({"role": Value("string"), "content": Value("string")})
WEIGHTED = List({**MESSAGES.feature, "weight": Value("int64")})  # 0: not learned; null: as without
ENDINGS = KINDS[1:]  # all but plain text


def load_examples(path: str | Path) -> DatasetDict:
    """Load the examples of a .jsonl, .json, .csv or .parquet file or of a folder as train and validation.

    All but .parquet may be compressed, as .jsonl.gz, .bz2, .xz or .zst. All records are of one kind (see
    `fmkit.data.shapes`); other columns are left out, or refused where they change the meaning. Labels are
    numbered in the order of their names, whole numbers in their own order.

    If files of a folder, or folders in it, are named train and validation (or valid, val, dev, or else test),
    these are the splits, as in `load_corpus`, and files with other names are left out. Otherwise about a
    tenth of the records is held out, chosen by a hash of the record, so it is always the same tenth; of
    labeled ones, each label has records in both splits where there are two, and standard error says where
    one has none.

    Raises FmkitError, one line with file, line, field and remedy, for the first record that is broken or has
    nothing to learn, for records of different kinds, for an empty split, and for fewer than two different
    records if they must be split.
    """
    return _load_splits(path, to_answered)


def load_to_measure(path: str | Path, split: str) -> DatasetDict:
    """Load examples as `load_examples` does, or with all of them in one split: for "all", or a single record.

    Raises FmkitError as `load_examples` does.
    """
    path = as_path(path)
    files = find_files(path, ENDINGS)
    rows = [row for _, row in _read_rows(files, to_answered)]
    if not rows:
        raise FmkitError(f"{path}: no record; write one a line")
    if split != "all" and len(rows) > 1:
        return _split(path, files, to_answered)
    return DatasetDict(all=_to_dataset(rows, _features_of(rows)))


def load_prompt_splits(path: str | Path) -> DatasetDict:
    """Load prompts as `load_prompts` does, as train and validation: split as `load_examples` does."""
    return _load_splits(path, to_prompt)


def load_prompts(path: str | Path) -> Dataset:
    """Load the prompts in a file or folder of examples, with or without answers.

    The result has the column `prompt` of texts, or `messages`: a conversation up to the message that the
    assistant answers. The shapes of `load_examples` are read, without their last answer, and records with
    only a `prompt` or `text`. Raises FmkitError as `load_examples` does.
    """
    path = as_path(path)
    rows = [row for _, row in _read_rows(find_files(path, ENDINGS), to_prompt)]
    if not rows:
        raise FmkitError(f"{path}: no record; write one a line")
    return Dataset.from_list(rows, features=_features_of(rows))


def prompts_of(examples: Dataset) -> Dataset:
    """Take the prompts of examples, as `load_prompts`. Raises FmkitError for examples without prompts."""
    if "messages" in examples.column_names:
        turns = [to_prompt({"messages": messages}) for messages in examples["messages"]]
        return Dataset.from_list(turns, features=_features_of(turns))
    if "prompt" in examples.column_names:
        return examples.select_columns("prompt")
    raise FmkitError(f"no prompts: the data has {', '.join(examples.column_names)}")


def check_examples(path: str | Path, limit: int = 100) -> list[Fault]:
    """Find the first `limit` faults of a file or folder of examples; without any, `load_examples` opens it.

    Raises FmkitError for errors after which nothing more can be read, and for faults of the whole, such as
    having only one record.
    """
    path = as_path(path)
    files = find_files(path, ENDINGS)
    faults = [
        Fault(str(file), place[1], row.field, row.what, row.remedy, unit=place[0])
        for file, place, row in _each_row(files, to_answered)
        if isinstance(row, Problem)
    ]
    if not faults:
        _split(path, files, to_answered)
    return faults[:limit]


def advise_examples(path: str | Path) -> list[str]:
    """Say in lines of text what `load_examples` makes of fields that mean something, and what it leaves out.

    Also which examples teach nothing. Faulty records are skipped. Raises FmkitError as `check_examples` does.
    """
    path = as_path(path)
    notes: dict[str, list[str]] = {}
    pairs: list[Placed] = []
    labeled: list[Placed] = []
    for file in find_files(path, ENDINGS):
        name = "" if file == path else f"{file.relative_to(path)}, "
        for (unit, number), record in each_record(file, list):
            try:
                row = to_answered(record)
            except Problem:
                continue
            place = f"{name}{unit} {number}"
            for what, where in notes_of(record, row):
                notes.setdefault(what, []).append(f"{place}, {where}" if where else place)
            if "rejected" in row:
                pairs.append((place, row))
            elif "label" in row:
                labeled.append((place, row))
    found = [f"{what} ({list_places(places)})" for what, places in notes.items()]
    return [*found, *advise_pairs(pairs), *advise_labels(labeled)]


def normalize(dataset: Dataset, convert: Callable[[Any], Row]) -> Dataset:
    """Make examples or prompts of records of any known shape. Raises FmkitError for a faulty row."""
    rows = _convert_rows(with_label_names(dataset), convert)
    return Dataset.from_list(rows, features=_features_of(rows))


def write_examples(dataset: Data, path: str | Path) -> None:
    """Write one split as .jsonl, .json, .csv or .parquet, by the ending; labels are written as names.

    `dataset` may also be rows or a table (see `fmkit.data.tables`). Raises FmkitError for rows that
    `load_examples` couldn't read back, for other endings, and if the file can't be written. A file that
    exists is replaced only when everything is written.
    """
    path = as_path(path)
    rows = _convert_rows(with_label_names(as_table(dataset)), to_example)
    if not rows:
        raise FmkitError(f"{path}: no example to write")
    writers: dict[str, Callable[[list[Row]], bytes]] = {
        ".jsonl": to_json_lines,
        ".json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n",
        ".csv": _to_csv,
        ".parquet": _to_parquet,
    }
    if path.suffix.lower() not in writers:
        raise FmkitError(f"{path}: unknown ending; use one of {', '.join(ENDINGS)}")
    write_whole(path, writers[path.suffix.lower()](rows))


def _load_splits(path: str | Path, convert: Callable[[Any], Row]) -> DatasetDict:
    path = as_path(path)
    return _split(path, find_files(path, ENDINGS), convert)


def _split(path: Path, files: Sequence[Path], convert: Callable[[Any], Row]) -> DatasetDict:
    named = named_splits(path, files)
    ordered = (*named["train"], *named["validation"]) if named else files
    found = list(_read_rows(ordered, convert))
    rows = [row for _, row in found]
    held_out = [file in named["validation"] for file, _ in found] if named else hold_out(rows, path)
    splits = _to_splits(rows, held_out, path)
    _tell_missing_labels(splits, path)
    return splits


def _read_rows(files: Iterable[Path], convert: Callable[[Any], Row]) -> Iterator[tuple[Path, Row]]:
    """Read and convert the records of the files. Raises FmkitError at the first faulty one."""
    for file, place, row in _each_row(files, convert):
        if isinstance(row, Problem):
            fail(file, place, row)
        yield file, row


def _each_row(
    files: Iterable[Path], convert: Callable[[Any], Row]
) -> Iterator[tuple[Path, Place, Row | Problem]]:
    """Convert each record, or give its problem; all must be of the kind of the first valid one."""
    first: Row | None = None
    for file in files:
        for place, record in each_record(file, known_columns):
            try:
                row = convert(record)
                _require_same_kind(row, first or row)
            except Problem as problem:
                found: Row | Problem = problem
            else:
                found, first = row, first or row
            yield file, place, found


def _convert_rows(records: Iterable[Row], convert: Callable[[Any], Row]) -> list[Row]:
    """Convert the records of a data set. Raises FmkitError for a faulty one, and for different kinds."""
    rows: list[Row] = []
    for number, record in enumerate(records, 1):
        try:
            rows.append(convert(record))
            _require_same_kind(rows[-1], rows[0])
        except Problem as problem:
            fail("the dataset", ("row", number), problem)
    return rows


def _require_same_kind(row: Row, first: Row) -> None:
    if row.keys() != first.keys():
        here, before = (" and ".join(columns) for columns in (row, first))
        raise Problem("", f"holds {here}, and the first record {before}", "keep one kind of record")
    if any(type(row[name]) is not type(first[name]) for name in row):
        raise Problem("prompt", "text in one record, messages in another", "write all the same way")


def hold_out(rows: list[Row], path: str | Path) -> list[bool]:
    """For each row, whether it is held out. Raises FmkitError for fewer than two different ones."""
    digests = [digest(json.dumps(row)) for row in rows]
    threshold = find_threshold(digests)
    if threshold is None:
        found = "no record" if not rows else "one record only"
        raise FmkitError(f"{path}: {found}; two different ones are needed, to train and to validate")
    return stratify([digest < threshold for digest in digests], digests, [row.get("label") for row in rows])


def _tell_missing_labels(splits: DatasetDict, path: Path) -> None:
    """Say on standard error which labels no record of a split has."""
    for name, rows in splits.items():
        label = rows.features.get("label")
        if label and (missing := sorted(set(range(len(label.names))) - {*rows["label"]})):
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            which = f"{short(label.names[missing[0]])}{more}"
            print(f"fmkit: {path}: no record of {name} has the label {which}", file=sys.stderr)


def _to_splits(rows: list[Row], held_out: list[bool], path: Path) -> DatasetDict:
    features = _features_of(rows) if rows else Features()
    splits = {}
    for is_held_out, name in enumerate(SPLITS):
        chosen = [row for row, out in zip(rows, held_out, strict=True) if out == is_held_out]
        if not chosen:
            raise FmkitError(f"{path}: no record in the files for {name}; write one a line")
        splits[name] = _to_dataset(chosen, features, NamedSplit(name))
    return DatasetDict(splits)


def _to_dataset(rows: list[Row], features: Features, split: NamedSplit | None = None) -> Dataset:
    columns = {name: [row[name] for row in rows] for name in features}
    if "label" in features:
        columns["label"] = [features["label"].str2int(name) for name in columns["label"]]
    return Dataset.from_dict(columns, features=features, split=split)


def _features_of(rows: list[Row]) -> Features:
    """Find the types of the columns of normalized rows, by the first row, all labels and all weights."""
    weighted = any("weight" in message for row in rows for message in row.get("messages", ()))
    messages = WEIGHTED if weighted else MESSAGES
    features = {
        name: Value("string") if isinstance(value, str) else messages for name, value in rows[0].items()
    }
    if "label" in features:
        names = {row["label"] for row in rows}
        numbers = all(re.fullmatch(r"-?[0-9]{1,18}", name) for name in names)
        features["label"] = ClassLabel(names=sorted(names, key=(lambda n: (int(n), n)) if numbers else None))
    return Features(features)


def with_label_names(dataset: Dataset) -> Iterator[Row]:
    """Yield the rows with the names of their labels. Raises FmkitError for the id of no label."""
    label = dataset.features.get("label")
    for number, row in enumerate(dataset, 1):
        if isinstance(label, ClassLabel) and row["label"] is not None:
            try:
                row = {**row, "label": label_name(label, row["label"])}
            except Problem as problem:
                fail("the dataset", ("row", number), problem)
        yield row


# --- Writing ------------------------------------------------------------------------------------------------


def _to_csv(rows: list[Row]) -> bytes:
    for number, row in enumerate(rows, 1):
        for name, value in row.items():
            if not isinstance(value, str) or len(value) > csv.field_size_limit():
                what = "a long text" if isinstance(value, str) else "messages"
                problem = Problem(name, f"{what}, which CSV cannot hold", "use .jsonl")
                fail("the dataset", ("row", number), problem)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return file.getvalue().encode()


def _to_parquet(rows: list[Row]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()
