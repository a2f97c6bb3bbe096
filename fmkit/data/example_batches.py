"""Examples, each a whole of its own, in padded batches: labeled texts, completions, pairs of completions.

`tokenize_*` turns texts into ids, `collate_*` turns some examples into a batch. `num_items` is what the loss
is a mean of: texts, labels to predict, or pairs.
"""

import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from datasets import ClassLabel, Dataset, IterableDataset, Value
from tokenizers import Tokenizer

from fmkit.data.batches import IGNORE, Batch, Shuffled
from fmkit.data.chat import chat_prompt, encode_chat, encode_completion, encode_prompt, end_ids, through_end
from fmkit.data.files import short
from fmkit.data.quiet import quiet
from fmkit.data.tokenizer import conventions
from fmkit.errors import FmkitError

Row = dict[str, Any]
Collate = Callable[[list[Row]], Batch]


class ExampleLoader:
    """Endless batches of examples, each once an epoch, in a new order each epoch."""

    def __init__(self, examples: Dataset, batch_size: int, collate: Collate, seed: int) -> None:
        self.batch_size, self.collate = batch_size, collate
        self.source = Shuffled(examples, seed)

    def __next__(self) -> Batch:
        return self.collate([next(self.source) for _ in range(self.batch_size)])

    def state_dict(self) -> dict[str, Any]:
        return self.source.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.source.load_state_dict(state)


def example_batches(examples: Dataset, batch_size: int, collate: Collate) -> list[Batch]:
    """All examples once, in order."""
    rows: list[Row] = list(examples)
    return [collate(rows[i : i + batch_size]) for i in range(0, len(rows), batch_size)]


# --- labeled texts ----------------------------------------------------------------------------------------


def tokenize_labeled(
    dataset: Dataset, tokenizer: Tokenizer, context_length: int, labels: Sequence[str]
) -> Dataset:
    """Columns `input_ids`, at most `context_length`, and `label`, its place among `labels`, the model's.

    The end of a longer text is cut off, and standard error says of how many. A label is a name of the
    model's; where none of the data's is, and the model's names are no numbers, it is a place among them.
    Raises `FmkitError` where a column `text` or `label` is missing or has a gap, and for a label that is none
    of the model's.
    """
    require_columns(dataset, "text", "label")
    with quiet():
        dataset = _renumber(dataset, labels)

    def ids(batch: dict[str, list[str]]) -> dict[str, list[Any]]:
        encodings = tokenizer.encode_batch_fast(batch["text"])
        if not all(encoding.ids for encoding in encodings):
            raise FmkitError("a text has no token that the classifier could read: leave empty texts out")
        return {
            "input_ids": [encoding.ids[:context_length] for encoding in encodings],
            "is_cut": [len(encoding.ids) > context_length for encoding in encodings],
        }

    others = [name for name in dataset.column_names if name != "label"]
    with quiet():
        labeled = dataset.map(ids, batched=True, remove_columns=others)
    tell_lost(sum(labeled["is_cut"]), len(labeled), "texts are cut off: they exceed", context_length)
    return labeled.remove_columns("is_cut")


def _renumber(dataset: Dataset, labels: Sequence[str]) -> Dataset:
    """The dataset with its labels numbered as the model's are."""
    feature = dataset.features["label"]
    names = feature.names if isinstance(feature, ClassLabel) else ()
    given = [names[label] if label in range(len(names)) else str(label) for label in dataset["label"][:]]
    numbers = {name: i for i, name in enumerate(labels)}
    if not numbers.keys() & {*given} and not any(re.fullmatch("-?[0-9]+", name) for name in labels):
        numbers = {str(i): i for i in range(len(labels))}
    if unknown := [name for name in given if name not in numbers]:
        known = ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
        raise FmkitError(
            f"label {short(unknown[0])} is none of the model's: {known}; leave out the {len(unknown)} of "
            f"{len(given)} rows with unknown labels, or label them as the model does"
        )
    return dataset.remove_columns("label").add_column("label", [numbers[name] for name in given])


def collate_labeled(rows: list[Row], pad_id: int) -> Batch:
    """input_ids (B, T), padded at the end; `last` (B,), where each text ends; labels (B,)."""
    ids = [row["input_ids"] for row in rows]
    labels = torch.tensor([row["label"] for row in rows])
    return {**_padded(ids, pad_id), "labels": labels, "num_items": len(rows)}


# --- completions ------------------------------------------------------------------------------------------


def has_completions(dataset: Any) -> bool:
    """Whether the rows are completions or conversations, for `tokenize_completions`."""
    columns = set(dataset.column_names or ())
    return "messages" in columns or {"prompt", "completion"} <= columns


def tokenize_completions(
    dataset: Dataset, tokenizer: Tokenizer, context_length: int, mask_prompt: bool = True
) -> Dataset:
    """Columns `input_ids` and `labels` of prompts with completions, or of conversations.

    Conversations (`messages`) are put into the chat layout; prompt and completion are taken as they are, with
    any tokenizer. Labels are the ids themselves, or `IGNORE` where nothing is to be learned: in prompts, or,
    of a conversation, in all that the assistant does not say. `mask_prompt` off learns these too, but never
    what the assistant says with `weight` 0. What is longer than the context is cut off at its end; an example
    of which nothing is left to learn is dropped, and standard error says how many are. Raises `FmkitError`
    where columns are missing, or all is dropped.
    """
    are_messages = "messages" in dataset.column_names
    require_columns(dataset, *(("messages",) if are_messages else ("prompt", "completion")))

    def encode(row: Row) -> Row:
        if are_messages:
            ids, labels = encode_chat(row["messages"], tokenizer, mask_prompt)
        else:
            ids, labels = encode_completion(row["prompt"], row["completion"], tokenizer, mask_prompt)
        is_cut = len(ids) > context_length
        return {"input_ids": ids[:context_length], "labels": labels[:context_length], "is_cut": is_cut}

    with quiet():
        examples = _map(dataset, encode, tokenizer, dataset.column_names)
        useful = examples.filter(lambda row: _has_labels(row["labels"]))
    return _report(len(dataset), useful, context_length)


def collate_completions(rows: list[Row], pad_id: int) -> Batch:
    """input_ids (B, T), padded at the end; labels (B, T), the token that comes next or `IGNORE`."""
    batch = _padded([row["input_ids"] for row in rows], pad_id)
    labels = _pad([row["labels"][1:] for row in rows], IGNORE, batch["input_ids"].shape[1])
    num_items = int((labels != IGNORE).sum())
    return {**batch, "document_ids": None, "labels": labels, "num_items": num_items}


# --- preferences ------------------------------------------------------------------------------------------


def tokenize_pairs(dataset: Dataset, tokenizer: Tokenizer, context_length: int) -> Dataset:
    """Columns `chosen` and `rejected`, each with `input_ids` and `labels`.

    Texts are taken as they are, with any tokenizer. Where the prompt or an answer is a list of messages, the
    three are put into the chat layout (a text among them is what the user or the assistant says), and of a
    conversation the last answer alone is judged. Pairs of which one answer has no room in the context are
    dropped; see `tokenize_completions`.
    """
    require_columns(dataset, "prompt", "chosen", "rejected")

    def encode(row: Row) -> Row:
        sides: Row = {"is_cut": False}
        for side in ("chosen", "rejected"):
            if isinstance(row["prompt"], str) and isinstance(row[side], str):
                ids, labels = encode_completion(row["prompt"], row[side], tokenizer)
            else:
                messages = [*_as_messages(row["prompt"], "user"), *_as_messages(row[side], "assistant")]
                ids, labels = encode_chat(messages, tokenizer)
                labels = last_answer(labels)
                start = next(i for i, label in enumerate(labels) if label != IGNORE)
                end = start + len(through_end(ids[start:], end_ids(tokenizer)))
                ids, labels = ids[:end], labels[:end]  # without what a chat template writes after it
            sides[side] = {"input_ids": ids[:context_length], "labels": labels[:context_length]}
            sides["is_cut"] |= len(ids) > context_length
        return sides

    with quiet():
        pairs = _map(dataset, encode, tokenizer, dataset.column_names)
        useful = pairs.filter(
            lambda row: all(_has_labels(row[side]["labels"]) for side in ("chosen", "rejected"))
        )
    return _report(len(dataset), useful, context_length)


def collate_pairs(rows: list[Row], pad_id: int) -> Batch:
    """Chosen and rejected in one batch (2B, T): the first B rows are chosen, row B + b is the other of b."""
    sides = [row[side] for side in ("chosen", "rejected") for row in rows]
    return {**collate_completions(sides, pad_id), "num_items": len(rows)}


def pair_prompts(pairs: Batch) -> list[list[int]]:
    """The prompts' ids, from a batch of `collate_pairs`: all before the first token to be learned."""
    count = pairs["num_items"]
    starts = (pairs["labels"][:count] != IGNORE).int().argmax(1).tolist()
    return [ids[: start + 1].tolist() for ids, start in zip(pairs["input_ids"], starts, strict=False)]


# --- prompts ----------------------------------------------------------------------------------------------


def tokenize_prompts(dataset: Dataset, tokenizer: Tokenizer, context_length: int) -> Dataset:
    """Columns `prompt`, a text or messages, and `input_ids` of what is to be answered.

    `dataset` is one of `fmkit.data.examples.load_prompts`. Prompts that leave no room for an answer are
    dropped; see `tokenize_completions`.
    """
    (column,) = dataset.column_names

    def encode(row: Row) -> Row:
        asked = row[column]
        ids = (encode_prompt if isinstance(asked, str) else chat_prompt)(asked, tokenizer)
        return {"prompt": asked, "input_ids": ids, "is_cut": False}

    with quiet():
        prompts = _map(dataset, encode, tokenizer, [name for name in (column,) if name != "prompt"])
        useful = prompts.filter(lambda row: len(row["input_ids"]) < context_length)
    return _report(len(dataset), useful, context_length)


# --- for all ----------------------------------------------------------------------------------------------


def require_columns(dataset: Dataset | IterableDataset, *names: str) -> None:
    """Raise `FmkitError` naming the first of `names` that the data has not, that has a gap, or holds no text.

    Gaps of a stream are found when it is read.
    """
    if missing := [name for name in names if name not in dataset.column_names]:
        verb = "is" if len(names) == 1 else "are"
        raise FmkitError(
            f"no column {missing[0]!r}: {' and '.join(names)} {verb} read; the data has "
            f"{', '.join(dataset.column_names)}"
        )
    for name in names:
        if isinstance(dataset, Dataset) and dataset.data.column(name).null_count:
            row = next((i for i, value in enumerate(dataset[name], 1) if value is None), None)
            if row:
                raise FmkitError(
                    f"the column {name!r} has nothing in row {row}: fill it, or leave the row out"
                )
        kind = dataset.features[name]
        held = kind.dtype if isinstance(kind, Value | ClassLabel) else "values of other kinds"
        may = {"text": ("string",), "label": ("string", "int")}.get(name, ("string", "kinds"))
        if not any(each in held for each in may):
            wanted = "names or whole numbers" if name == "label" else "text"
            raise FmkitError(f"the column {name!r} holds {held}: it must hold {wanted}")


def _map(dataset: Dataset, encode: Callable[[Row], Row], tokenizer: Tokenizer, drop: list[str]) -> Dataset:
    """Encode each row. What datasets did before it finds by a hash, for which a tokenizer is pickled, and so
    without its conventions: they are hashed, too."""
    known = {"_": conventions(tokenizer)}
    return dataset.map(lambda row, _: encode(row), fn_kwargs=known, remove_columns=drop)


def _as_messages(said: Any, role: str) -> list[Row]:
    """Messages without weights, as of a pair the last answer is judged, whatever its weight."""
    turns = [{"role": role, "content": said}] if isinstance(said, str) else said
    return [{name: value for name, value in turn.items() if name != "weight"} for turn in turns]


def last_answer(labels: list[int]) -> list[int]:
    """The labels with all but the last run of them ignored."""
    end = len(labels)
    while end and labels[end - 1] == IGNORE:
        end -= 1
    start = end
    while start and labels[start - 1] != IGNORE:
        start -= 1
    return [IGNORE] * start + labels[start:]


def _padded(rows: Sequence[Sequence[int]], pad_id: int) -> Batch:
    lengths = [len(row) for row in rows]
    return {
        "input_ids": _pad(rows, pad_id, max(lengths)),
        "last": torch.tensor(lengths) - 1,
        "num_tokens": sum(lengths),
    }


def _pad(rows: Sequence[Sequence[int]], value: int, length: int) -> torch.Tensor:
    out = np.full((len(rows), length), value, dtype=np.int64)
    for r, row in enumerate(rows):
        out[r, : len(row)] = row
    return torch.from_numpy(out)


def _has_labels(labels: list[int]) -> bool:
    """Whether something is to be learned after the first token, which nothing predicts."""
    return any(label != IGNORE for label in labels[1:])


def _report(before: int, useful: Dataset, context_length: int) -> Dataset:
    """Say how many examples a context drops and cuts; the others without the note that they are cut."""
    if not len(useful):
        raise FmkitError(
            f"none of {before} examples leaves room for an answer in the context of {context_length} tokens: "
            "shorten the prompts or use a longer context"
        )
    dropped, cut = before - len(useful), sum(useful["is_cut"])
    tell_lost(dropped, before, "examples are dropped: their prompts fill", context_length)
    tell_lost(cut, before, "examples are cut off: their answers exceed", context_length)
    return useful.remove_columns("is_cut")


def tell_lost(count: int, total: int, what: str, context_length: int) -> None:
    """Say on standard error how many of all a context drops or cuts, if any."""
    if count:
        print(f"fmkit: {count} of {total} {what} the context of {context_length} tokens", file=sys.stderr)
