"""Files of examples for fine-tuning: read, normalized and written.

What a record means is told by its columns:

| columns | normalized to |
|---|---|
| `prompt`, `completion`, texts | the same |
| `messages`, a list of `role` and `content` | `messages` |
| `prompt`, `completion`, lists of messages | `messages`, the two as one conversation |
| `text`, `label`, a name or a whole number | `text`, and `label` as a `ClassLabel` |
| `prompt`, `chosen`, `rejected`, texts or lists of messages | the same |

Only messages are put into the chat layout (`fmkit.data.chat`). Texts are taken as they are, by a model that
has learned to chat, too: nothing is said about who speaks, and the completion follows the prompt letter for
letter, so it begins with a space where one belongs between them. TRL keeps the two apart in the same way.

Of other people's shapes, these are understood: `conversations` of `from` and `value` (ShareGPT), Amazon
Bedrock's (see `fmkit.data.bedrock`), and `text` alone, which is a corpus.
"""

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, NamedSplit, Value

from fmkit.data.chat import ROLES
from fmkit.data.corpora import SPLITS, TENTH
from fmkit.data.readers import find_files, named_splits, one_line
from fmkit.errors import FmkitError

Row = dict[str, Any]  # a normalized example
Place = tuple[str, int | None]  # the unit that is counted, and the number from 1; None: the whole file

MESSAGES = List({"role": Value("string"), "content": Value("string")})
SHAREGPT_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
}
ENDINGS = (".jsonl", ".json", ".csv", ".parquet")


class Problem(Exception):
    """What is wrong with one record, before it is known where the record stands."""

    def __init__(self, field: str, what: str, remedy: str) -> None:
        super().__init__(field, what, remedy)
        self.field, self.what, self.remedy = field, what, remedy


@dataclass(frozen=True)
class Fault:
    """One fault of a file: where, what, and what to do. `str()` is the one line for a person."""

    file: str
    line: int | None  # from 1; None: the file as a whole
    field: str  # such as messages[2].content; empty: the record as a whole
    what: str
    remedy: str
    unit: str = "line"  # what is counted: a line, a row or an element

    def __str__(self) -> str:
        place = [self.file, f"{self.unit} {self.line}" if self.line else "", self.field]
        return one_line(f"{', '.join(filter(None, place))}: {self.what}; {self.remedy}")


def load_examples(path: str | Path) -> DatasetDict:
    """The examples of a .jsonl, .json, .csv or .parquet file, or of all in a folder, as train and validation.

    All records are of one kind (see the table above); other columns are kept out. Labels are numbered in the
    order of their names, whole numbers in their own.

    Where files of a folder, or folders in it, are named train and validation (or valid, val, dev, or else
    test), these are the splits, as in `load_corpus`, and what has another name is left out. Else about a
    tenth of all records is held out, chosen by a hash of the record, so the same ones each time.

    Raises FmkitError, one line with file, line, field and remedy, for the first record that is broken or has
    nothing to learn, for records of different kinds, for a split without any, and for fewer than two
    different ones where they are to be split.
    """
    path = Path(os.path.expanduser(path))
    files = [file for file in find_files(path) if file.suffix.lower() in ENDINGS]
    if not files:
        raise FmkitError(one_line(f"{path}: no file of examples; save them as one of {', '.join(ENDINGS)}"))
    named = named_splits(path, files)
    rows: list[Row] = []
    held_out: list[bool] = []
    for file in (*named["train"], *named["validation"]) if named else files:
        for place, record in _records(file):
            try:
                row = to_example(record)
                _require_answer(row)
                _require_same_kind(row, rows[0] if rows else row)
            except Problem as problem:
                _raise(file, place, problem)
            rows.append(row)
            held_out.append(bool(named) and file in named["validation"])
    return _to_splits(rows, held_out if named else _hold_out(rows, path), path)


def write_examples(dataset: Dataset, path: str | Path) -> None:
    """Write one split as .jsonl, .json, .csv or .parquet, by the ending; labels are written as names.

    Raises FmkitError for rows that `load_examples` could not read back, other endings, and where the disk
    refuses. What stood under the path stays until all is written.
    """
    path = Path(os.path.expanduser(path))
    rows: list[Row] = []
    for number, row in enumerate(with_label_names(dataset), 1):
        try:
            rows.append(to_example(row))
            _require_same_kind(rows[-1], rows[0])
        except Problem as problem:
            _raise("the dataset", ("row", number), problem)
    if not rows:
        raise FmkitError(one_line(f"{path}: no example to write"))
    writers: dict[str, Callable[[list[Row]], bytes]] = {
        ".jsonl": to_json_lines,
        ".json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n",
        ".csv": _to_csv,
        ".parquet": _to_parquet,
    }
    if path.suffix.lower() not in writers:
        raise FmkitError(one_line(f"{path}: unknown ending; use one of {', '.join(ENDINGS)}"))
    write_whole(path, writers[path.suffix.lower()](rows))


def _require_answer(row: Row) -> None:
    if "messages" in row and all(message["role"] != "assistant" for message in row["messages"]):
        raise Problem("messages", "the assistant says nothing to learn from", "add a turn of the assistant")


def _require_same_kind(row: Row, first: Row) -> None:
    if row.keys() != first.keys():
        here, before = (" and ".join(columns) for columns in (row, first))
        raise Problem("", f"holds {here}, and the first record {before}", "keep one kind of record")
    if any(type(row[name]) is not type(first[name]) for name in row):
        raise Problem("prompt", "text in one record, messages in another", "write all the same way")


def _raise(file: str | Path, place: Place, problem: Problem) -> NoReturn:
    unit, number = place
    raise FmkitError(
        str(Fault(str(file), number, problem.field, problem.what, problem.remedy, unit))
    ) from None


def _hold_out(rows: list[Row], path: Path) -> list[bool]:
    """For each row whether it is held out: about a tenth are, and of two different rows at least one."""
    digests = [_digest(row) for row in rows]
    if len(set(digests)) < 2:
        found = "no record" if not rows else "one record only"
        raise FmkitError(
            one_line(f"{path}: {found}; two different ones are needed, to train and to validate")
        )
    threshold = min(max(TENTH, min(digests) + 1), max(digests))  # so that both splits have a record
    return [digest < threshold for digest in digests]


def _to_splits(rows: list[Row], held_out: list[bool], path: Path) -> DatasetDict:
    features = features_of(rows) if rows else Features()
    if "label" in features:
        ids = {name: i for i, name in enumerate(features["label"].names)}
        rows = [{**row, "label": ids[row["label"]]} for row in rows]
    splits = {}
    for is_held_out, name in enumerate(SPLITS):
        chosen = [row for row, out in zip(rows, held_out, strict=True) if out == is_held_out]
        if not chosen:
            raise FmkitError(one_line(f"{path}: no record in the files for {name}; write one a line"))
        columns = {column: [row[column] for row in chosen] for column in features}
        splits[name] = Dataset.from_dict(columns, features=features, split=NamedSplit(name))
    return DatasetDict(splits)


def _digest(row: Row) -> int:
    return int.from_bytes(hashlib.blake2b(json.dumps(row).encode(), digest_size=8).digest(), "big")


def features_of(rows: list[Row]) -> Features:
    """What the columns of normalized rows hold, by the first row and by all labels."""
    features = {
        name: Value("string") if isinstance(value, str) else MESSAGES for name, value in rows[0].items()
    }
    if "label" in features:
        names = {row["label"] for row in rows}
        numbers = all(re.fullmatch(r"-?[0-9]{1,18}", name) for name in names)
        features["label"] = ClassLabel(names=sorted(names, key=(lambda n: (int(n), n)) if numbers else None))
    return Features(features)


def with_label_names(dataset: Dataset) -> Iterator[Row]:
    """The rows, with names for labels that are kept as ids."""
    label = dataset.features.get("label")
    for row in dataset:
        if isinstance(label, ClassLabel) and row["label"] is not None:
            row = {**row, "label": label.int2str(row["label"])}
        yield row


# --- One record ---------------------------------------------------------------------------------------------


def to_example(record: Any) -> Row:
    """A record of any known shape, normalized. Raises Problem."""
    if not isinstance(record, dict):
        raise Problem(
            "", f"{kind_of(record)}, not an object", 'write one such as {"prompt": "…", "completion": "…"}'
        )
    record = {name: value for name, value in record.items() if value is not None}
    return _find_shape(record).convert(record)


@dataclass(frozen=True)
class _Shape:
    columns: tuple[str, ...]
    convert: Callable[[Row], Row]
    optional: tuple[str, ...] = ()


def _find_shape(names: Collection[str]) -> _Shape:
    for shape in _SHAPES:
        if set(shape.columns) <= set(names) and (shape.columns != ("input",) or len(names) == 1):
            return shape
    # Else the shape that is nearest to complete says what is missing.
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


def _to_completion(record: Row) -> Row:
    row = _texts_or_messages(record, "prompt", "completion")
    if isinstance(row["prompt"], str):
        return row
    if row["completion"][0]["role"] == "system":
        raise Problem("completion[0].role", "a system message inside the conversation", "put it first")
    return {"messages": row["prompt"] + row["completion"]}


def _to_answer(record: Row) -> Row:
    names = {"prompt": "prompt", "completion": "referenceResponse"}
    return {name: text_of(record[given], given) for name, given in names.items()}


def _to_labeled(record: Row) -> Row:
    label = record["label"]
    if isinstance(label, int):
        label = str(label).lower()  # true and false as in JSON
    elif not isinstance(label, str):
        raise Problem("label", kind_of(label), "use a name or a whole number")
    return {"text": text_of(record["text"], "text"), "label": text_of(label, "label")}


def _to_preference(record: Row) -> Row:
    return _texts_or_messages(record, "prompt", "chosen", "rejected")


def _texts_or_messages(record: Row, prompt: str, *answers: str) -> Row:
    """The fields, all of them texts or all lists of messages. Raises Problem."""
    names = (prompt, *answers)
    if not any(isinstance(record[name], list) for name in names):
        return {name: text_of(record[name], name) for name in names}
    for name in names:
        if not isinstance(record[name], list):
            raise Problem(
                name, f"{kind_of(record[name])} beside lists", "write all as text, or all as messages"
            )
    row = {name: messages_of(record[name], name) for name in names}
    for name in answers:
        if row[name][-1]["role"] != "assistant":
            raise Problem(name, "does not end with the assistant", "end with the assistant's answer")
    return row


def _to_conversation(record: Row) -> Row:
    turns = record["messages"]
    system = [{"role": "system", "content": record["system"]}] if "system" in record else []
    head = messages_of(system, "system") if system else []
    if isinstance(turns, list) and turns and isinstance(turns[-1], dict) and "candidates" in turns[-1]:
        return _to_judged(head, turns)
    messages = messages_of(turns, "messages")
    if head and messages[0]["role"] == "system":
        raise Problem(
            "messages[0].role", "a second system text", "keep one: the field system, or the message"
        )
    return {"messages": head + messages}


def _to_judged(head: list[Row], turns: list[Any]) -> Row:
    """Amazon Nova's pairs: the last turn has two candidates, each with a label."""
    place, candidates = f"messages[{len(turns) - 1}].candidates", turns[-1]["candidates"]
    answers: dict[str, list[Row]] = {}
    for i, candidate in enumerate(candidates if isinstance(candidates, list) else []):
        if isinstance(candidate, dict) and candidate.get("preferenceLabel") in ("preferred", "non-preferred"):
            content = content_of(candidate.get("content"), f"{place}[{i}].content")
            answers[candidate["preferenceLabel"]] = [{"role": "assistant", "content": content}]
    if len(answers) != 2 or len(candidates) != 2:
        raise Problem(
            place, "not one preferred and one non-preferred answer", "give two, each with preferenceLabel"
        )
    prompt = head + messages_of(turns[:-1], "messages")
    return {"prompt": prompt, "chosen": answers["preferred"], "rejected": answers["non-preferred"]}


def _from_sharegpt(record: Row) -> Row:
    turns, messages = record["conversations"], []
    for i, turn in enumerate(turns if isinstance(turns, list) else []):
        role = turn.get("from") if isinstance(turn, dict) else None
        if not isinstance(role, str) or role not in SHAREGPT_ROLES:
            raise Problem(f"conversations[{i}].from", "not a role that is known", "use system, human or gpt")
        messages.append({"role": SHAREGPT_ROLES[role], "content": turn.get("value")})
    return {"messages": messages_of(messages, "conversations", "value")}


_SHAPES = (
    _Shape(("prompt", "chosen", "rejected"), _to_preference),
    _Shape(("messages",), _to_conversation, optional=("system",)),
    _Shape(("conversations",), _from_sharegpt),
    _Shape(("prompt", "completion"), _to_completion),
    _Shape(("prompt", "referenceResponse"), _to_answer),
    _Shape(("text", "label"), _to_labeled),
    _Shape(("text",), lambda record: {"text": text_of(record["text"], "text")}),
    _Shape(("input",), lambda record: {"text": text_of(record["input"], "input")}),
)


def messages_of(value: Any, field: str, content_name: str = "content") -> list[Row]:
    """A conversation as a list of role and content. Raises Problem."""
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
        messages.append(
            {"role": role, "content": content_of(message.get("content"), f"{place}.{content_name}")}
        )
    return messages


def content_of(value: Any, field: str) -> str:
    """Text, or a list of blocks with text, joined by line breaks. Raises Problem."""
    if not isinstance(value, list) or not value:
        return text_of(value, field)
    texts = []
    for i, block in enumerate(value):
        if not isinstance(block, dict) or "text" not in block:
            raise Problem(f"{field}[{i}]", "no text (images and tools are not read)", 'write {"text": "…"}')
        texts.append(text_of(block["text"], f"{field}[{i}].text"))
    return "\n".join(texts)


def text_of(value: Any, field: str) -> str:
    """The value, which must be a text with more than white space in it. Raises Problem."""
    if value is None:
        raise Problem(field, "missing or null", "write a text")
    if not isinstance(value, str):
        raise Problem(field, f"{kind_of(value)}, not text", "write a text in double quotes")
    if not value.strip():
        raise Problem(field, "empty", "write a text, or remove the record")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        raise Problem(
            field, f"\\u{code:04x} is half a character", "remove it, or write both halves"
        ) from None
    return value


def kind_of(value: Any) -> str:
    """What a value is, in a word that JSON's writers know."""
    kinds = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    kinds |= {dict: "an object", type(None): "null"}
    return kinds.get(type(value), f"a value of type {type(value).__name__}")


def short(value: Any) -> str:
    """A value on one line and at most 60 characters, for a message."""
    text = repr(value) if isinstance(value, str) else kind_of(value)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= 60 else text[:57] + "…'"


# --- Files: each record with its number --------------------------------------------------------------------


def _records(path: Path) -> Iterator[tuple[Place, Any]]:
    readers: dict[str, Callable[[Path], Iterator[tuple[Place, Any]]]] = {
        ".jsonl": _read_json_lines,
        ".json": _read_json,
        ".csv": _read_csv,
        ".parquet": _read_parquet,
    }
    try:
        yield from readers[path.suffix.lower()](path)
    except OSError as error:
        raise FmkitError(one_line(f"{path}: cannot be read: {error.strerror or error}")) from None
    except MemoryError:
        raise FmkitError(one_line(f"{path}: does not fit into memory; split it")) from None


def json_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each line with its number, without its end and without a byte order mark."""
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            yield number, (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).rstrip(b"\r\n")


def parse_json(data: bytes) -> Any:
    """A JSON value. Raises Problem for bytes that are not UTF-8, keys that come twice, NaN, and all else."""
    text = _decode(data)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text else ""
        raise Problem("", f"not JSON ({line}column {error.colno}: {error.msg})", "write one object") from None
    except RecursionError:
        raise Problem("", "nested too deep to be read", "remove the nesting") from None
    except ValueError:  # a number of more than 4,300 digits
        raise Problem("", "a number too long to be read", "shorten it, or write it as text") from None


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f" in line {line}" if line > 1 else ""
        raise Problem(
            "", f"byte 0x{data[error.start]:02x}{where} is not UTF-8", "save the file as UTF-8"
        ) from None


def _unique(pairs: list[tuple[str, Any]]) -> Row:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem("", f"the key {short(twice)} comes twice", "keep one of them")
    return record


def _no_number(name: str) -> NoReturn:
    raise Problem("", f"{name} is not JSON", "write a number, or null")


def _read_json_lines(path: Path) -> Iterator[tuple[Place, Any]]:
    for number, raw in json_lines(path):
        if raw.strip():
            try:
                record = parse_json(raw)
            except Problem as problem:
                _raise(path, ("line", number), problem)
            yield ("line", number), record


def _read_json(path: Path) -> Iterator[tuple[Place, Any]]:
    """An array, an array under the key `data`, or JSON Lines under the other ending."""
    try:
        whole = parse_json(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except Problem as problem:
        if "Extra data" in problem.what:
            yield from _read_json_lines(path)
            return
        _raise(path, ("element", None), problem)
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        whole = whole["data"]
    for number, record in enumerate(whole if isinstance(whole, list) else [whole], 1):
        yield ("element", number), record


def _read_csv(path: Path) -> Iterator[tuple[Place, Any]]:
    """Comma-separated, the first line naming the columns."""
    header: list[str] | None = None
    line = None
    try:
        text = _decode(path.read_bytes()).removeprefix("\ufeff")
        line = 1
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        for row in rows:
            if row and header is None:
                header = [name.strip() for name in row]
                if len(header) == 1 and re.search("[;\t]", header[0]):
                    raise Problem("", f"one column, {short(header[0])}", "separate columns by commas")
                _unique([(name, None) for name in header])
            elif row and header is not None:
                if len(row) != len(header):
                    raise Problem(
                        "",
                        f"{len(row)} fields where the header names {len(header)}",
                        'put text with commas into double quotes, a quote inside it as ""',
                    )
                yield ("line", line), dict(zip(header, row, strict=True))
            line = rows.line_num + 1
    except Problem as problem:
        _raise(path, ("line", line), problem)
    except csv.Error as error:
        remedy = 'close open quotes, write a quote inside text as "", or use .jsonl'
        _raise(path, ("line", line), Problem("", f"broken CSV ({error})", remedy))


def _read_parquet(path: Path) -> Iterator[tuple[Place, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            shape = _find_shape(names)
            columns = [name for name in names if name in shape.columns + shape.optional]
            is_ours = "label" in columns and b"huggingface" in (file.schema_arrow.metadata or {})
            label = Features.from_arrow_schema(file.schema_arrow)["label"] if is_ours else None
            number = 0
            for batch in file.iter_batches(batch_size=1000, columns=columns):
                for record in batch.to_pylist():
                    number += 1
                    if isinstance(label, ClassLabel) and isinstance(record.get("label"), int):
                        record["label"] = label.int2str(record["label"])
                    yield ("row", number), record
    except Problem as problem:
        _raise(path, ("row", None), problem)
    except (PermissionError, MemoryError):
        raise
    except Exception as error:  # pyarrow and datasets raise many kinds
        _raise(
            path,
            ("row", None),
            Problem("", f"damaged, or no Parquet file ({short(str(error))})", "write it anew"),
        )


# --- Writing ------------------------------------------------------------------------------------------------


def to_json_lines(records: Iterable[Row]) -> bytes:
    """One object a line, in UTF-8."""
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def _to_csv(rows: list[Row]) -> bytes:
    for number, row in enumerate(rows, 1):
        for name, value in row.items():
            if not isinstance(value, str) or len(value) > csv.field_size_limit():
                what = "a long text" if isinstance(value, str) else "messages"
                problem = Problem(name, f"{what}, which CSV cannot hold", "use .jsonl")
                _raise("the dataset", ("row", number), problem)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return file.getvalue().encode()


def _to_parquet(rows: list[Row]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is whole. Raises FmkitError."""
    part = path.with_name(f".making-{os.getpid()}-{path.name}")
    try:
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise FmkitError(one_line(f"{path}: cannot be written: {error.strerror}")) from None
