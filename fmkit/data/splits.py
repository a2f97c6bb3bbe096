"""What is trained on and what is held out: by the names of files, or by a hash of the text."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from datasets import DatasetDict, IterableDatasetDict

Corpus: TypeAlias = DatasetDict | IterableDatasetDict  # with these splits, held in memory or streamed

SPLITS = ("train", "validation")
VALIDATION = ("validation", "valid", "val", "dev", "test")  # names of what is held out, the best first
TENTH = 2**64 // 10  # what has a digest below it is held out

_SPLIT_NAME = re.compile(rf"(?:.*[-_. ])?(train|{'|'.join(VALIDATION)})(?:[-_.]?\d+(?:-of-\d+)?)?", re.I)


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


def digest(text: str) -> int:
    """A number from 0 to 2^64 - 1, the same for the same text on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
