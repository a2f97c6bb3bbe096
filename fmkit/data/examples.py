"""Read, normalize and write files of examples for fine-tuning.

The columns of a record decide what it is:

| columns | normalized to |
|---|---|
| `prompt`, `completion`, texts | the same |
| `messages`, a list of `role` and `content` | `messages` |
| `prompt`, `completion`, lists of messages | `messages`, the two as one conversation |
| `text`, `label`, a name or a whole number | `text`, and `label` as a `ClassLabel` |
| `prompt`, `chosen`, `rejected`, texts or lists of messages | the same |

Only messages are put into the chat layout (`fmkit.data.chat`). Texts are used as they are, even with a chat
model: no role is added, and the completion directly follows the prompt, so it must begin with the space
between them. TRL makes the same distinction.

These other shapes are understood: `conversations` of `from` and `value` (ShareGPT), `instruction`, `input`
and `output` (Alpaca), `chosen` and `rejected` that begin with their prompt (TRL, HH-RLHF), Amazon Bedrock's
(see `fmkit.data.bedrock`), and `text` alone, which is a corpus.
"""

import csv
import io
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, NamedSplit, Value

from fmkit.data.chat import ROLES
from fmkit.data.files import (
    KINDS,
    Fault,
    Place,
    Problem,
    each_record,
    fail,
    find_files,
    kind_of,
    label_name,
    short,
    text_of,
    to_json_lines,
    write_whole,
)
from fmkit.data.splits import SPLITS, digest, find_threshold, named_splits
from fmkit.errors import FmkitError

Row = dict[str, Any]  # a normalized example

MESSAGES = List({"role": Value("string"), "content": Value("string")})
SHAREGPT_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
}
ENDINGS = KINDS[1:]  # all but plain text


def load_examples(path: str | Path) -> DatasetDict:
    """Load the examples of a .jsonl, .json, .csv or .parquet file or of a folder as train and validation.

    All records are of one kind (see the table above); other columns are left out. Labels are numbered in the
    order of their names, whole numbers in their own order.

    If files of a folder, or folders in it, are named train and validation (or valid, val, dev, or else test),
    these are the splits, as in `load_corpus`, and files with other names are left out. Otherwise about a
    tenth of the records is held out, chosen by a hash of the record, so it is always the same tenth.

    Raises FmkitError, one line with file, line, field and remedy, for the first record that is broken or has
    nothing to learn, for records of different kinds, for an empty split, and for fewer than two different
    records if they must be split.
    """
    return _load_splits(path, _to_answered)


def load_prompt_splits(path: str | Path) -> DatasetDict:
    """Load prompts as `load_prompts` does, as train and validation: split as `load_examples` does."""
    return _load_splits(path, _to_prompt)


def load_prompts(path: str | Path) -> Dataset:
    """Load the prompts in a file or folder of examples, with or without answers.

    The result has the column `prompt` of texts, or `messages`: a conversation up to the message that the
    assistant answers. The shapes of `load_examples` are read, without their last answer, and records with
    only a `prompt` or `text`. Raises FmkitError as `load_examples` does.
    """
    path = Path(os.path.expanduser(path))
    rows = [row for _, row in _read_rows(_example_files(path), _to_prompt)]
    if not rows:
        raise FmkitError(f"{path}: no record; write one a line")
    return Dataset.from_list(rows, features=_features_of(rows))


def prompts_of(examples: Dataset) -> Dataset:
    """Take the prompts of examples, as `load_prompts`. Raises FmkitError for examples without prompts."""
    if "messages" in examples.column_names:
        turns = [_to_prompt({"messages": messages}) for messages in examples["messages"]]
        return Dataset.from_list(turns, features=_features_of(turns))
    if "prompt" in examples.column_names:
        return examples.select_columns("prompt")
    raise FmkitError(f"no prompts: the data has {', '.join(examples.column_names)}")


def check_examples(path: str | Path, limit: int = 100) -> list[Fault]:
    """Find the first `limit` faults of a file or folder of examples; without any, `load_examples` opens it.

    Raises FmkitError for errors after which nothing more can be read, and for faults of the whole, such as
    having only one record.
    """
    files = _example_files(Path(os.path.expanduser(path)))
    faults = [
        Fault(str(file), place[1], row.field, row.what, row.remedy, unit=place[0])
        for file, place, row in _each_row(files, _to_answered)
        if isinstance(row, Problem)
    ]
    if not faults:
        load_examples(path)
    return faults[:limit]


def write_examples(dataset: Dataset, path: str | Path) -> None:
    """Write one split as .jsonl, .json, .csv or .parquet, by the ending; labels are written as names.

    Raises FmkitError for rows that `load_examples` couldn't read back, for other endings, and if the file
    can't be written. A file that exists is replaced only when everything is written.
    """
    path = Path(os.path.expanduser(path))
    rows: list[Row] = []
    for number, row in enumerate(with_label_names(dataset), 1):
        try:
            rows.append(_to_example(row))
            _require_same_kind(rows[-1], rows[0])
        except Problem as problem:
            fail("the dataset", ("row", number), problem)
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
    path = Path(os.path.expanduser(path))
    files = _example_files(path)
    named = named_splits(path, files)
    ordered = (*named["train"], *named["validation"]) if named else files
    found = list(_read_rows(ordered, convert))
    rows = [row for _, row in found]
    held_out = [file in named["validation"] for file, _ in found] if named else _hold_out(rows, path)
    return _to_splits(rows, held_out, path)


def _example_files(path: Path) -> list[Path]:
    files = [file for file in find_files(path) if file.suffix.lower() in ENDINGS]
    if not files:
        raise FmkitError(f"{path}: no file of examples; save them as one of {', '.join(ENDINGS)}")
    return files


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
        for place, record in each_record(file, _columns):
            try:
                row = convert(record)
                _require_same_kind(row, first or row)
            except Problem as problem:
                found: Row | Problem = problem
            else:
                found, first = row, first or row
            yield file, place, found


def _require_same_kind(row: Row, first: Row) -> None:
    if row.keys() != first.keys():
        here, before = (" and ".join(columns) for columns in (row, first))
        raise Problem("", f"holds {here}, and the first record {before}", "keep one kind of record")
    if any(type(row[name]) is not type(first[name]) for name in row):
        raise Problem("prompt", "text in one record, messages in another", "write all the same way")


def _hold_out(rows: list[Row], path: Path) -> list[bool]:
    """For each row, whether it is held out."""
    digests = [digest(json.dumps(row)) for row in rows]
    threshold = find_threshold(digests)
    if threshold is None:
        found = "no record" if not rows else "one record only"
        raise FmkitError(f"{path}: {found}; two different ones are needed, to train and to validate")
    return [digest < threshold for digest in digests]


def _to_splits(rows: list[Row], held_out: list[bool], path: Path) -> DatasetDict:
    features = _features_of(rows) if rows else Features()
    if "label" in features:
        ids = {name: i for i, name in enumerate(features["label"].names)}
        rows = [{**row, "label": ids[row["label"]]} for row in rows]
    splits = {}
    for is_held_out, name in enumerate(SPLITS):
        chosen = [row for row, out in zip(rows, held_out, strict=True) if out == is_held_out]
        if not chosen:
            raise FmkitError(f"{path}: no record in the files for {name}; write one a line")
        columns = {column: [row[column] for row in chosen] for column in features}
        splits[name] = Dataset.from_dict(columns, features=features, split=NamedSplit(name))
    return DatasetDict(splits)


def _features_of(rows: list[Row]) -> Features:
    """Find the types of the columns of normalized rows, by the first row and by all labels."""
    features = {
        name: Value("string") if isinstance(value, str) else MESSAGES for name, value in rows[0].items()
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


# --- One record ---------------------------------------------------------------------------------------------


def _to_example(record: Any) -> Row:
    """Normalize a record of any known shape. Raises Problem; a record may be one already."""
    if isinstance(record, Problem):
        raise record
    if not isinstance(record, dict):
        raise Problem(
            "", f"{kind_of(record)}, not an object", 'write one such as {"prompt": "…", "completion": "…"}'
        )
    filled_in = {name: value for name, value in record.items() if value is not None}
    shape = _find_shape(filled_in)
    if shape.columns == ("text",) and "label" in record:
        raise Problem("label", "null", "name a label, or leave the record out")
    return shape.convert(filled_in)


def _to_answered(record: Any) -> Row:
    row = _to_example(record)
    if "messages" in row and all(message["role"] != "assistant" for message in row["messages"]):
        raise Problem("messages", "the assistant says nothing to learn from", "add a turn of the assistant")
    return row


def _to_prompt(record: Any) -> Row:
    """Take the prompt of a record. Raises Problem."""
    if isinstance(record, dict) and record.get("prompt") is not None:
        given = record["prompt"]
        if not isinstance(given, list):
            return {"prompt": filled(given, "prompt")}
        row = {"messages": _messages_of(given, "prompt")}
    else:
        row = _to_example(record)
    if "text" in row:
        return {"prompt": row["text"]}
    turns = row["messages"][:-1] if row["messages"][-1]["role"] == "assistant" else row["messages"]
    if not turns or turns[-1]["role"] != "user":
        raise Problem("messages", "no question for the assistant", "end with what the user says")
    return {"messages": turns}


@dataclass(frozen=True)
class _Shape:
    columns: tuple[str, ...]
    convert: Callable[[Row], Row]
    optional: tuple[str, ...] = ()


def _find_shape(names: Collection[str]) -> _Shape:
    for shape in _SHAPES:
        if set(shape.columns) <= set(names) and (shape.columns != ("input",) or len(names) == 1):
            return shape
    # Otherwise the most complete shape says what is missing.
    begun = max(_SHAPES, key=lambda shape: len(set(shape.columns) & set(names)) / len(shape.columns))
    missing = [name for name in begun.columns if name not in names]
    if 0 < len(missing) < len(begun.columns):
        raise Problem(missing[0], "missing or null", f"a record needs {', '.join(begun.columns)}")
    found = ", ".join(map(short, list(names)[:8])) + (", …" if len(names) > 8 else "")
    raise Problem(
        "",
        f"columns {found}" if found else "no columns",
        "use prompt and completion, messages, text and label, or prompt, chosen and rejected",
    )


def _columns(names: Sequence[str]) -> list[str]:
    """Choose the columns of a table that belong to any shape. Raises Problem."""
    known = {column for shape in _SHAPES for column in shape.columns + shape.optional}
    if not known & set(names):
        _find_shape(names)  # says what is missing
    return [name for name in names if name in known]


def _to_completion(record: Row) -> Row:
    if isinstance(record.get("label"), bool):
        remedy = "leave out the bad answers and this column, or write prompt, chosen and rejected"
        raise Problem("label", "good and bad answers, of which all would be learned", remedy)
    row = _texts_or_messages(record, "prompt", "completion")
    if isinstance(row["prompt"], str):
        return row
    if row["completion"][0]["role"] == "system":
        raise Problem("completion[0].role", "a system message inside the conversation", "put it first")
    return {"messages": row["prompt"] + row["completion"]}


def _to_answer(record: Row) -> Row:
    names = {"prompt": "prompt", "completion": "referenceResponse"}
    return {name: filled(record[given], given) for name, given in names.items()}


def _to_labeled(record: Row) -> Row:
    label = record["label"]
    if isinstance(label, int):
        label = str(label).lower()  # true and false as in JSON
    elif not isinstance(label, str):
        raise Problem("label", kind_of(label), "use a name or a whole number")
    return {"text": filled(record["text"], "text"), "label": filled(label, "label").strip()}


def _to_preference(record: Row) -> Row:
    """Read answers to a prompt, or two conversations or texts with the same beginning."""
    if "prompt" not in record:
        record = _split_off_prompt(record["chosen"], record["rejected"])
    prompt, chosen, rejected = (record[name] for name in ("prompt", "chosen", "rejected"))
    if isinstance(prompt, str) and isinstance(chosen, list) and isinstance(rejected, list):
        record = {**record, "prompt": [{"role": "user", "content": prompt}]}
    row = _texts_or_messages(record, "prompt", "chosen", "rejected")
    for name in ("chosen", "rejected"):
        if isinstance(row[name], list):
            asked = len(row["prompt"])
            if row[name][:asked] == row["prompt"]:  # the prompt once more
                row[name] = row[name][asked:]
            if not row[name] or row[name][0]["role"] != "assistant":
                raise Problem(f"{name}[0].role", "not the assistant", "give the answer alone")
    return row


def _split_off_prompt(chosen: Any, rejected: Any) -> Row:
    """Split two texts or conversations into their common beginning and the rest of each, as TRL does."""
    if type(chosen) is not type(rejected) or not isinstance(chosen, str | list):
        raise Problem("chosen", f"{kind_of(chosen)} beside {kind_of(rejected)}", "write both the same way")
    both = enumerate(zip(chosen, rejected, strict=False))
    alike = next((i for i, (c, r) in both if c != r), min(len(chosen), len(rejected)))
    if isinstance(chosen, str):  # words stay whole, and answers begin with their space
        alike = max(chosen.rfind(space, 0, alike) for space in " \n")
    if alike < 1:
        raise Problem("prompt", "missing, and the answers do not begin alike", "write the prompt apart")
    return {"prompt": chosen[:alike], "chosen": chosen[alike:], "rejected": rejected[alike:]}


def _to_instruction(record: Row) -> Row:
    """Read Alpaca's instruction, an optional input, and the output."""
    asked = filled(record["instruction"], "instruction")
    if record.get("input"):
        asked += "\n\n" + text_of(record["input"], "input")
    answer = filled(record["output"], "output")
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}


def _texts_or_messages(record: Row, prompt: str, *answers: str) -> Row:
    """Read the fields, all of them texts or all lists of messages. Raises Problem."""
    names = (prompt, *answers)
    if not any(isinstance(record[name], list) for name in names):
        return {name: filled(record[name], name) for name in names}
    for name in names:
        if not isinstance(record[name], list):
            raise Problem(
                name, f"{kind_of(record[name])} beside lists", "write all as text, or all as messages"
            )
    row = {name: _messages_of(record[name], name) for name in names}
    for name in answers:
        if row[name][-1]["role"] != "assistant":
            raise Problem(name, "does not end with the assistant", "end with the assistant's answer")
    return row


def _to_conversation(record: Row) -> Row:
    turns = record["messages"]
    said = record.get("system", "")
    system = "" if said == "" else _content_of(said, "system")
    head = [{"role": "system", "content": system}] if system else []
    if isinstance(turns, list) and turns and isinstance(turns[-1], dict) and "candidates" in turns[-1]:
        return _to_judged(head, turns)
    messages = _messages_of(turns, "messages")
    if head and messages[0]["role"] == "system":
        raise Problem(
            "messages[0].role", "a second system text", "keep one: the field system, or the message"
        )
    return {"messages": head + messages}


def _to_judged(head: list[Row], turns: list[Any]) -> Row:
    """Read Amazon Nova's pairs: the last turn has two candidates, each with a label."""
    place, candidates = f"messages[{len(turns) - 1}].candidates", turns[-1]["candidates"]
    answers: dict[str, list[Row]] = {}
    for i, candidate in enumerate(candidates if isinstance(candidates, list) else []):
        if isinstance(candidate, dict) and candidate.get("preferenceLabel") in ("preferred", "non-preferred"):
            content = _content_of(candidate.get("content"), f"{place}[{i}].content")
            answers[candidate["preferenceLabel"]] = [{"role": "assistant", "content": content}]
    if len(answers) != 2 or len(candidates) != 2:
        raise Problem(
            place, "not one preferred and one non-preferred answer", "give two, each with preferenceLabel"
        )
    prompt = head + _messages_of(turns[:-1], "messages")
    return {"prompt": prompt, "chosen": answers["preferred"], "rejected": answers["non-preferred"]}


def _from_sharegpt(record: Row) -> Row:
    turns, messages = record["conversations"], []
    for i, turn in enumerate(turns if isinstance(turns, list) else []):
        role = turn.get("from") if isinstance(turn, dict) else None
        if not isinstance(role, str) or role not in SHAREGPT_ROLES:
            raise Problem(f"conversations[{i}].from", "not a role that is known", "use system, human or gpt")
        messages.append({"role": SHAREGPT_ROLES[role], "content": turn.get("value")})
    return {"messages": _messages_of(messages, "conversations", "value")}


_SHAPES = (
    _Shape(("prompt", "chosen", "rejected"), _to_preference),
    _Shape(("messages",), _to_conversation, optional=("system",)),
    _Shape(("conversations",), _from_sharegpt),
    _Shape(("chosen", "rejected"), _to_preference),
    _Shape(("instruction", "output"), _to_instruction, optional=("input",)),
    _Shape(("prompt", "completion"), _to_completion, optional=("label",)),
    _Shape(("prompt", "referenceResponse"), _to_answer),
    _Shape(("text", "label"), _to_labeled),
    _Shape(("text",), lambda record: {"text": filled(record["text"], "text")}),
    _Shape(("input",), lambda record: {"text": filled(record["input"], "input")}),
)


def _messages_of(value: Any, field: str, content_name: str = "content") -> list[Row]:
    """Read a conversation as a list of role and content. Raises Problem."""
    if not isinstance(value, list) or not value:
        what = "no message" if value == [] else f"{kind_of(value)}, not a list of messages"
        raise Problem(field, what, 'write [{"role": "user", "content": "…"}, …]')
    messages = []
    for i, message in enumerate(value):
        place = f"{field}[{i}]"
        if not isinstance(message, dict):
            raise Problem(
                place, f"{kind_of(message)}, not a message", 'write {"role": "user", "content": "…"}'
            )
        role = message.get("role")
        if role not in ROLES:
            raise Problem(f"{place}.role", f"{short(role)} is no role", f"use {', '.join(ROLES)}")
        if role == "system" and i:
            raise Problem(f"{place}.role", "a system message inside the conversation", "put it first")
        if role == "system" and message.get("content") == "":  # the same as none
            continue
        content = _content_of(message.get("content"), f"{place}.{content_name}")
        messages.append({"role": role, "content": content})
    if not messages:
        raise Problem(field, "a system message alone", "add what the user and the assistant say")
    return messages


def _content_of(value: Any, field: str) -> str:
    """Read a text, or a list of blocks with text, joined by line breaks. Raises Problem."""
    if not isinstance(value, list) or not value:
        return filled(value, field)
    texts = []
    for i, block in enumerate(value):
        if not isinstance(block, dict) or "text" not in block:
            raise Problem(f"{field}[{i}]", "no text (images and tools are not read)", 'write {"text": "…"}')
        texts.append(filled(block["text"], f"{field}[{i}].text"))
    return "\n".join(texts)


def filled(value: Any, field: str) -> str:
    """Return the value, which must be a text that isn't blank. Raises Problem."""
    text = text_of(value, field)
    if not text.strip():
        raise Problem(field, "empty", "write a text, or remove the record")
    return text


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
