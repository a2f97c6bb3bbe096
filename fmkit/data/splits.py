"""What is trained on and what is held out: by the names of files, or a tenth by a hash of the text."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from datasets import DatasetDict, IterableDataset, IterableDatasetDict

from fmkit.data.files import tell
from fmkit.errors import FmkitError

Corpus: TypeAlias = DatasetDict | IterableDatasetDict  # with these splits, held in memory or streamed

SPLITS = ("train", "validation")
NAMES = {  # of files and folders; for validation, the first that exists is taken
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
VALIDATION = (*NAMES["validation"], *NAMES["test"])
TENTH = 2**64 // 10  # a tenth of all digests are below it

_NAME = re.compile(rf"(?<![^\W\d_])({'|'.join((*NAMES['train'], *VALIDATION))})(?![^\W\d_])", re.I)


def named_splits(path: Path, files: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
    """Find the files of `train` and of `validation` in the folder `path` by their names; else an empty dict.

    The name of a split has no letter next to it, as in train.jsonl, stories-valid.txt, test_v2.csv and
    test-00000-of-00002.parquet, and may be in the name of a folder instead; datasets reads names in the same
    way. Files of `validation` are preferred to those of `test`. Unless both splits have files, the names mean
    nothing. Standard error says which files are left out, or read as something other than their name says.
    """
    if len(files) == 1:
        return {}
    found: dict[str, list[Path]] = {}
    for file in files:
        parts = (*file.relative_to(path).parent.parts, file.stem)
        names = [match[1].lower() for part in parts for match in _NAME.finditer(part)]
        split = next((split for split in NAMES for name in names[-1:] if name in NAMES[split]), "")
        found.setdefault(split, []).append(file)  # by the last name: a file's own is after its folder's
    held_out = found.get("validation") or found.get("test") or []
    if "train" not in found or not held_out:
        if held_out:
            tell(path, held_out, "read like the others: no file is named train")
        return {}
    used = {*found["train"], *held_out}
    tell(path, [file for file in files if file not in used], "left out: others are named as splits")
    return {"train": tuple(found["train"]), "validation": tuple(held_out)}


def digest(text: str) -> int:
    """A number from 0 to 2^64 - 1, the same for the same text on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def find_threshold(digests: Iterable[int], share: int = TENTH) -> int | None:
    """The number below which a digest is held out: `share`, or what gives each split at least one.

    Digests are read only until both splits have one. None: fewer than two different digests.
    """
    lowest, highest = 2**64, -1
    for number in digests:
        lowest, highest = min(lowest, number), max(highest, number)
        if lowest < share <= highest:
            return share
    if lowest >= highest:
        return None
    return lowest + 1 if lowest >= share else highest


def stratify(held_out: Sequence[bool], digests: Sequence[int], labels: Sequence[str | None]) -> list[bool]:
    """Change what is held out so that each label is in both splits, or in train if it has one record only.

    The records of other labels stay where they are; so do all where this would leave nothing to hold out.
    """
    places: dict[str | None, list[int]] = {}
    for i, label in enumerate(labels):
        places.setdefault(label, []).append(i)
    changed = list(held_out)
    for own in places.values():
        if len({held_out[i] for i in own}) == 1:
            threshold = find_threshold(digests[i] for i in own)
            for i in own:
                changed[i] = threshold is not None and digests[i] < threshold
    return changed if any(changed) else list(held_out)


def hold_out_texts(dataset: Any, name: str) -> tuple[Any, Any]:
    """Hold out a tenth of the documents, of a large data set about 10,000, chosen by a hash of their text.

    Raises `FmkitError`, naming the data, for fewer than two different ones.
    """
    share = TENTH if isinstance(dataset, IterableDataset) else 2**64 // max(10, len(dataset) // 10_000)
    threshold = find_threshold((digest(row["text"]) for row in dataset.select_columns("text")), share)
    if threshold is None:
        raise FmkitError(f"{name}: two different documents are needed, to train and to validate")
    parts = (partial(_choose, threshold=threshold, held_out=held_out) for held_out in (False, True))
    train, validation = (dataset.filter(part, input_columns="text", batched=True) for part in parts)
    return train, validation


def _choose(texts: list[str], threshold: int, held_out: bool) -> list[bool]:
    return [(digest(text) < threshold) == held_out for text in texts]
