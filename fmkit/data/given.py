"""Data as people give it in Python, with the columns that are asked for, with splits or without.

The one place that makes of it what is trained on and measured, or says what is missing.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict, Json, List, Value

from fmkit.data.example_batches import require_columns
from fmkit.data.examples import hold_out, normalize, with_label_names
from fmkit.data.fields import BESIDE, KNOWN
from fmkit.data.files import Problem
from fmkit.data.shapes import to_answered, to_prompt
from fmkit.data.splits import VALIDATION, Corpus, hold_out_texts
from fmkit.data.tables import NOTHING, as_table, names_of_splits
from fmkit.errors import FmkitError
from fmkit.settings import as_several

Convert: TypeAlias = Callable[[Any], dict[str, Any]]
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
    kind, are_prompts = _kind_of(dataset, kinds), kinds == PROMPTS and "text" not in dataset.column_names
    convert: Convert = to_prompt if are_prompts else to_answered
    if _means_more(dataset, kind, are_prompts) or (not kind and _is_foreign(dataset, kinds, convert)):
        dataset = normalize(dataset, convert)
    if isinstance(dataset, Dataset) and not len(dataset):
        raise FmkitError(NOTHING)
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
    train = _split_of(data, "train", kinds) if names else as_dataset(data, kinds)
    if held_out := next((name for name in VALIDATION if name in names), None):
        validation = _split_of(data, held_out, kinds)
    elif _kind_of(train, kinds) == ("text",):
        train, validation = hold_out_texts(train, "the data")
    else:
        train, validation = _hold_out_rows(train, kinds)
    made = IterableDatasetDict if isinstance(train, IterableDataset) else DatasetDict
    return made(train=train, validation=validation)


def _split_of(data: Any, name: str, kinds: Kinds) -> Any:
    try:
        return as_dataset(data[name], kinds)
    except FmkitError as error:
        raise FmkitError(f"{name}: {error}") from None


def _hold_out_rows(dataset: Dataset, kinds: Kinds) -> tuple[Dataset, Dataset]:
    rows = list(with_label_names(dataset.select_columns(list(_kind_of(dataset, kinds)))))
    is_out = hold_out(rows, "the data")
    return tuple(dataset.select([i for i, out in enumerate(is_out) if out == part]) for part in (False, True))


def _kind_of(dataset: Any, kinds: Kinds) -> tuple[str, ...]:
    """The first of `kinds` of which all columns are there, in the form of normalized rows."""
    whole = "prompt" if kinds == PROMPTS else "completion"  # is no list of messages
    columns = {name for name, feature in dataset.features.items() if _is_normalized(feature, name == whole)}
    return next((kind for kind in kinds if columns.issuperset(kind)), ())


def _means_more(dataset: Any, kind: tuple[str, ...], are_prompts: bool) -> bool:
    """Whether columns beside those of a kind change what they mean. A whole pair is an example of its own."""
    names = {*dataset.column_names} - {*kind}
    is_apart = are_prompts or names >= {"chosen", "rejected"}
    return kind not in ((), ("text",)) and not names.isdisjoint(BESIDE if is_apart else KNOWN)


def _is_normalized(feature: Any, is_text: bool) -> bool:
    """Whether a column is no mixture and, if it has messages, what they say is text."""
    if isinstance(feature, List) and isinstance(feature.feature, dict):
        return not is_text and isinstance(feature.feature.get("content"), Value)
    return not isinstance(feature, Json)


def _is_foreign(dataset: Any, kinds: Kinds, convert: Convert) -> bool:
    """Whether the rows, by the first one, are of another shape that can be normalized to one of `kinds`."""
    try:
        row = convert(next(iter(dataset), None))
    except Problem:
        return False
    return any(row.keys() >= set(kind) for kind in kinds)
