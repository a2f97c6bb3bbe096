"""Read one record of examples, of any shape that is known, as a row of the book's own.

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

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from fmkit.data.chat import ROLES
from fmkit.data.files import Problem, kind_of, short, text_of

Row = dict[str, Any]  # a normalized example

SHAREGPT_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
}


def to_example(record: Any) -> Row:
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


def to_answered(record: Any) -> Row:
    """Normalize a record that has something to learn. Raises Problem."""
    row = to_example(record)
    if "messages" in row and all(message["role"] != "assistant" for message in row["messages"]):
        raise Problem("messages", "the assistant says nothing to learn from", "add a turn of the assistant")
    return row


def to_prompt(record: Any) -> Row:
    """Take the prompt of a record. Raises Problem."""
    if isinstance(record, dict) and record.get("prompt") is not None:
        given = record["prompt"]
        if not isinstance(given, list):
            return {"prompt": filled(given, "prompt")}
        row = {"messages": _messages_of(given, "prompt")}
    else:
        row = to_example(record)
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


def known_columns(names: Sequence[str]) -> list[str]:
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
