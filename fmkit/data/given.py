"""Data as people give it in Python, with the columns that are asked for, with splits or without.

The one place that makes of it what is trained on and measured, or says what is missing.
"""

from typing import Any, TypeAlias

from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict, List

from fmkit.data.example_batches import require_columns
from fmkit.data.examples import hold_out, normalize, with_label_names
from fmkit.data.fields import BESIDE
from fmkit.data.files import Problem
from fmkit.data.shapes import to_answered, to_prompt
from fmkit.data.splits import VALIDATION, Corpus, hold_out_texts
from fmkit.data.tables import as_table, names_of_splits
from fmkit.errors import FmkitError
from fmkit.settings import as_several

Kinds: TypeAlias = tuple[tuple[str, ...], ...]  # sets of columns, of which the first that is there is read

TEXTS: Kinds = (("text",),)
LABELED: Kinds = (("text", "label"),)
COMPLETIONS: Kinds = (("messages",), ("prompt", "completion"))
PAIRS: Kinds = (("prompt", "chosen", "rejected"),)
PROMPTS: Kinds = (("messages",), ("prompt",))


def as_dataset(data: Any, kinds: Kinds) -> Any:
    """Make one data set (see `as_table`); one that has the columns of one of `kinds` stays as it is.

    Records of another shape (`fmkit.data.shapes`) are normalized, and those that have fields beside these
    that change their meaning (`fmkit.data.fields`). Raises `FmkitError` as `as_table` does, for columns that
    are missing, have a gap or hold no text, for a field that is refused, and for a stream of anything but
    texts.
    """
    dataset = as_table(data, "prompt" if kinds == PROMPTS else "text")
    kind = _kind_of(dataset, kinds)
    means_more = kind not in ((), ("text",)) and BESIDE & {*dataset.column_names} - {*kind}
    if means_more or (not kind and _is_foreign(dataset, kinds)):
        dataset = normalize(dataset, to_prompt if kind and kinds == PROMPTS else to_answered)
    columns = _kind_of(dataset, kinds) or kinds[-1]
    require_columns(dataset, *columns)
    if isinstance(dataset, IterableDataset) and columns != ("text",):
        raise FmkitError(
            "a stream of examples cannot be shuffled: gather it, Dataset.from_list(list(stream))"
        )
    return dataset


def as_texts(texts: Any) -> list[str]:
    """Return a list of texts: of one text, of several, or of a data set's as by `as_dataset`."""
    return list(as_dataset(as_several(texts), TEXTS)["text"])


def as_splits(data: Any, kinds: Kinds) -> Corpus:
    """Make the splits train and validation, each as `as_dataset` does; others are left out.

    Validation is the split of that name, or valid, val, dev, or else test or eval. Without one, a tenth is
    held out as of files, by a hash of the text or row. Raises `FmkitError` as `as_dataset` does, where no
    split is named train, and for fewer than two different rows if they must be split.
    """
    names = [str(name) for name in names_of_splits(data)]
    if names and "train" not in names:
        raise FmkitError(f"the data has {', '.join(names)}: name one split train")
    train = as_dataset(data["train"] if names else data, kinds)
    if held_out := next((name for name in VALIDATION if name in names), None):
        validation = as_dataset(data[held_out], kinds)
    elif _kind_of(train, kinds) == ("text",):
        train, validation = hold_out_texts(train, "the data")
    else:
        train, validation = _hold_out_rows(train, kinds)
    made = IterableDatasetDict if isinstance(train, IterableDataset) else DatasetDict
    return made(train=train, validation=validation)


def _hold_out_rows(dataset: Dataset, kinds: Kinds) -> tuple[Dataset, Dataset]:
    rows = list(with_label_names(dataset.select_columns(list(_kind_of(dataset, kinds)))))
    is_out = hold_out(rows, "the data")
    return tuple(dataset.select([i for i, out in enumerate(is_out) if out == part]) for part in (False, True))


def _kind_of(dataset: Any, kinds: Kinds) -> tuple[str, ...]:
    """The first of `kinds` of which all columns are there; completions that are messages are none."""
    columns = set(dataset.column_names)
    if isinstance(dataset.features.get("completion"), List):
        columns.remove("completion")
    return next((kind for kind in kinds if columns.issuperset(kind)), ())


def _is_foreign(dataset: Any, kinds: Kinds) -> bool:
    """Whether the rows, by the first one, are of another shape that can be normalized to one of `kinds`."""
    try:
        row = to_answered(next(iter(dataset), None))
    except Problem:
        return False
    return any(row.keys() >= set(kind) for kind in kinds)
