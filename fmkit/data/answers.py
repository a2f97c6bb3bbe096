"""Read predictions and their references from files, to score what any model has answered.

A .txt has one text a line, and an empty line is an empty text. In records (.jsonl, .json, .csv, .parquet) the
column says what it is; the files that `write_answers` makes have their answers in `completion`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from fmkit.data.files import (
    Place,
    Problem,
    fail,
    find_files,
    kind_of,
    kind_of_file,
    read_text,
    text_of,
)
from fmkit.data.readers import read_records
from fmkit.errors import FmkitError
from fmkit.settings import as_several

PREDICTION = ("prediction", "completion")
REFERENCE = ("reference", "references", "referenceResponse", "completion")  # the third is Amazon Bedrock's

Answers = list[tuple[Place, list[str]]]  # each with its place; several texts where a record has a list


def read_answers(
    predictions: str | Path, references: Sequence[str | Path] = ()
) -> tuple[list[str], list[list[str]]]:
    """Read predictions, and the references of each, in the same order.

    Several files of references give each prediction one more each; a record may also hold a list. Without
    any, the file of predictions must have references, too, in a column of their own. Raises `FmkitError`, one
    line with file, place and remedy, for a file that cannot be read, is empty, or has records without the
    column; for a reference that is empty; and for files of unequal lengths.
    """
    path = _one_file(predictions)
    if not references and kind_of_file(path) == ".txt":
        raise FmkitError(f"{path}: only predictions; name a file of references, too")
    said = _texts(path, PREDICTION, several=False)
    if references:
        files = [_one_file(each) for each in as_several(references)]
        wanted = [_texts(each, REFERENCE, several=True) for each in files]
    else:
        files, wanted = [path], [_texts(path, REFERENCE[:-1], several=True)]
    for file, theirs in zip(files, wanted, strict=True):
        _require_filled(file, theirs)
        if len(theirs) != len(said):
            raise FmkitError(
                f"{path} has {len(said)} predictions, {file} {len(theirs)} references: write one for each, "
                "in the same order"
            )
    return [texts[0] for _, texts in said], [
        [text for _, texts in row for text in texts] for row in zip(*wanted, strict=True)
    ]


def _one_file(path: str | Path) -> Path:
    path = Path(os.path.expanduser(path))
    if path.is_dir():
        raise FmkitError(f"{path}: a folder; name one file")
    return find_files(path)[0]


def _texts(path: Path, names: Sequence[str], several: bool) -> Answers:
    """The texts of the first of the columns `names` that a record has; of a .txt, the lines."""
    if kind_of_file(path) == ".txt":
        lines = read_text(path).removesuffix("\n").split("\n")
        found: Answers = [(("line", number), [line]) for number, line in enumerate(lines, 1)]
        found = [] if lines == [""] else found
    else:

        def choose(columns: Sequence[str]) -> Sequence[str]:
            return [_column(columns, names)]

        found = []
        for place, record in read_records(path, choose):
            try:
                found.append((place, _values(record, names, several)))
            except Problem as problem:
                fail(path, place, problem)
    if not found:
        raise FmkitError(f"{path}: empty; write a {names[0]} for each question")
    return found


def _column(columns: Sequence[str], names: Sequence[str]) -> str:
    for name in names:
        if name in columns:
            return name
    raise Problem("", f"no column {' or '.join(names)}", f"call it {names[0]}")


def _values(record: object, names: Sequence[str], several: bool) -> list[str]:
    if not isinstance(record, dict):
        raise Problem("", f"{kind_of(record)}, not an object", f'write {{"{names[0]}": "…"}}')
    name = _column(list(record), names)
    value = record[name]
    if several and isinstance(value, list):
        if not value:
            raise Problem(name, "an empty list", "write a reference, or leave the record out")
        return [text_of(each, f"{name}[{k}]") for k, each in enumerate(value)]
    return [text_of(value, name)]


def _require_filled(path: Path, references: Answers) -> None:
    for place, texts in references:
        if not all(text.strip() for text in texts):
            fail(path, place, Problem("", "an empty reference", "write one, or leave the question out"))
