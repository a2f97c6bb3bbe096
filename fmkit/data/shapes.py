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
and `output` (Alpaca), `chosen` and `rejected` that begin with their prompt (TRL, HH-RLHF) or have it beside
them (Orca, LLaMA-Factory), Amazon Bedrock's (see `fmkit.data.bedrock`), and `text` alone, which is a corpus.

A `system` text beside messages is their first one, and Alpaca's `history` comes before the question. A turn
of the assistant with `weight` 0 is read, not learned (OpenAI, Mistral; also `train`, `training` or `loss`
false), and so are its turns in a `prompt` with a completion. What else would change the meaning is refused
(`fmkit.data.fields`), and all other fields are left out; `notes_of` says both.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fmkit.data.chat import ROLES
from fmkit.data.fields import (
    KNOWN,
    is_blank,
    is_learned,
    refuse_contradiction,
    refuse_judged,
    refuse_question,
    refuse_turn,
)
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
    filled_in = _filled_in(record)
    shape = _find_shape(filled_in)
    if shape.columns == ("text",) and "label" in record:
        raise Problem("label", "null", "name a label, or leave the record out")
    row = shape.convert(filled_in)
    refuse_question(filled_in, shape.reads, _asked_in(row))
    refuse_judged(filled_in, shape.reads)
    refuse_contradiction(filled_in)
    return row


def notes_of(record: Any, row: Row) -> Iterator[tuple[str, str]]:
    """Say of a record that was read as `row` what became of its fields, and in which turns, if in some."""
    filled_in = _filled_in(record)
    shape = _find_shape(filled_in)
    for name, what in shape.also.items():
        if not is_blank(filled_in.get(name)):
            yield f"{name} {what}", ""
    answers = [message for message in row.get("messages", ()) if message["role"] == "assistant"]
    unlearned = [str(i) for i, answer in enumerate(answers, 1) if answer.get("weight") == 0]
    if unlearned:
        yield "read, not learned", f"answer {', '.join(unlearned)} of {len(answers)}"
    left_out = [short(name) for name in filled_in if name not in shape.reads]
    if left_out:
        yield f"left out: {', '.join(left_out[:8])}{', …' * (len(left_out) > 8)}", ""


def _filled_in(record: Any) -> Row:
    if isinstance(record, Problem):
        raise record
    if not isinstance(record, dict):
        raise Problem(
            "", f"{kind_of(record)}, not an object", 'write one such as {"prompt": "…", "completion": "…"}'
        )
    return {name: value for name, value in record.items() if value is not None}


def _asked_in(row: Row) -> str:
    """What is said in a row before and between the answers."""
    said = next(row[name] for name in ("prompt", "text", "messages") if name in row)
    turns = said if isinstance(said, list) else [_message("user", said)]
    return "\n".join(turn["content"] for turn in turns if turn["role"] != "assistant")


def to_answered(record: Any) -> Row:
    """Normalize a record that has something to learn. Raises Problem."""
    row = to_example(record)
    answers = [message for message in row.get("messages", ()) if message["role"] == "assistant"]
    if "messages" in row and not answers:
        raise Problem("messages", "the assistant says nothing to learn from", "add an assistant turn")
    if answers and all(message.get("weight") == 0 for message in answers):
        raise Problem("messages", "no turn is learned: all have weight 0", "leave the record out")
    return row


def to_prompt(record: Any) -> Row:
    """Take the prompt of a record, with an answer or without. Raises Problem."""
    filled_in = _filled_in(record)
    shape = _match(filled_in)
    is_talk = shape is not None and shape.columns[0] in ("messages", "conversations", "instruction")
    if "prompt" in filled_in and not is_talk:
        row = _to_asked(filled_in)
        refuse_question(filled_in, ("prompt", *_SYSTEM), _asked_in(row))
    else:
        row = to_example(record)
    asked = next(row[name] for name in ("prompt", "text", "messages") if name in row)
    if isinstance(asked, str):
        return {"prompt": asked}
    turns = asked[:-1] if asked[-1]["role"] == "assistant" else asked
    if not turns or turns[-1]["role"] != "user":
        raise Problem("messages", "no question for the assistant", "end with what the user says")
    return {"messages": _unweighted(turns)}


@dataclass(frozen=True)
class _Shape:
    columns: tuple[str, ...]
    convert: Callable[[Row], Row]
    also: Mapping[str, str] = field(default_factory=dict)  # others that it reads, and what becomes of them

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.columns, *self.also)


def _match(names: Collection[str]) -> _Shape | None:
    for shape in _SHAPES:
        if set(shape.columns) <= set(names) and (shape.columns != ("input",) or len(names) == 1):
            return shape
    return None


def _find_shape(names: Collection[str]) -> _Shape:
    """The shape of a record; the most complete one says what is missing."""
    if shape := _match(names):
        return shape
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
    """Choose the columns of a table that belong to any shape, or change the meaning. Raises Problem."""
    known = {column for shape in _SHAPES for column in shape.reads}
    if not known & set(names):
        _find_shape(names)  # says what is missing
    return [name for name in names if name in known | KNOWN]


def _to_asked(record: Row) -> Row:
    """Read a prompt without its answers: a text, or messages."""
    prompt = record["prompt"]
    answers = (record.get(name) for name in ("chosen", "rejected"))
    if isinstance(prompt, str) and any(isinstance(answer, list | dict) for answer in answers):
        prompt = [_message("user", prompt)]
    if not isinstance(prompt, list):
        _refuse_system(record)
        return {"prompt": filled(prompt, "prompt")}
    return {"prompt": _with_system(record, _messages_of(prompt, "prompt"), "prompt")}


def _to_completion(record: Row) -> Row:
    row = _texts_or_messages(record, "prompt", "completion")
    if isinstance(row["prompt"], str):
        _refuse_system(record)
        return row
    if row["completion"][0]["role"] == "system":
        raise Problem("completion[0].role", "a system message inside the conversation", "put it first")
    asked = [_read_only(message) if message["role"] == "assistant" else message for message in row["prompt"]]
    return {"messages": _with_system(record, asked, "prompt") + row["completion"]}


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
    record = {**record, **{name: _one_turn(record[name], name) for name in ("chosen", "rejected")}}
    record |= _find_prompt(record)
    prompt, chosen, rejected = (record[name] for name in ("prompt", "chosen", "rejected"))
    if isinstance(prompt, str) and isinstance(chosen, list) and isinstance(rejected, list):
        record["prompt"] = [_message("user", prompt)]
    row = _texts_or_messages(record, "prompt", "chosen", "rejected")
    if isinstance(row["prompt"], str):
        _refuse_system(record)
        return row
    first = row["chosen"][0]
    if first["role"] == "system" and row["prompt"][0]["role"] != "system":
        row["prompt"] = [first, *row["prompt"]]
    row["prompt"] = _unweighted(_with_system(record, row["prompt"], "prompt"))
    for name in ("chosen", "rejected"):
        row[name] = _answer_to(row["prompt"], row[name], name)
    return row


def _find_prompt(record: Row) -> Row:
    """Find the prompt of two answers where it is, and write the three in one way."""
    chosen, rejected = record["chosen"], record["rejected"]
    if "prompt" in record:
        return {}
    if "conversations" in record:
        return {"prompt": _asking(_from_sharegpt(record)["messages"], "conversations")}
    if record.get("messages", chosen) != chosen:  # which some data sets repeat there
        return {"prompt": _asking(_messages_of(record["messages"], "messages"), "messages")}
    asked = _asked(record)
    if asked and not (isinstance(chosen, str) and isinstance(rejected, str)):
        return {"prompt": asked}
    if asked and asked not in chosen[: _count_alike(chosen, rejected)]:
        answers = {"chosen": [_message("assistant", chosen)], "rejected": [_message("assistant", rejected)]}
        return {"prompt": asked, **answers}
    return _split_off_prompt(chosen, rejected)


def _asking(messages: list[Row], name: str) -> list[Row]:
    if messages[-1]["role"] != "user":
        raise Problem(name, "does not end with the user, beside chosen and rejected", "give the prompt alone")
    return messages


def _one_turn(answer: Any, name: str) -> Any:
    """Read an answer that is a message, not in a list (LLaMA-Factory)."""
    if not isinstance(answer, dict):
        return answer
    return _sharegpt_turns([answer], name) if "from" in answer else [answer]


def _answer_to(prompt: list[Row], turns: list[Row], name: str) -> list[Row]:
    """The turns after the prompt, of which the last is judged."""
    turns = [*turns[:-1], {**turns[-1]}]
    if turns[-1].pop("weight", 1) == 0:
        raise Problem(f"{name}.weight", "0, on the answer being judged", "remove it, or leave the record out")
    turns = _unweighted(turns)
    if turns[: len(prompt)] == prompt:  # the prompt once more
        turns = turns[len(prompt) :]
    if not turns or turns[0]["role"] != "assistant":
        raise Problem(f"{name}[0].role", "not the assistant", "give the answer alone")
    return turns


def _split_off_prompt(chosen: Any, rejected: Any) -> Row:
    """Split two texts or conversations into their common beginning and the rest of each, as TRL does."""
    if type(chosen) is not type(rejected) or not isinstance(chosen, str | list):
        raise Problem("chosen", f"{kind_of(chosen)} beside {kind_of(rejected)}", "write both the same way")
    alike = _count_alike(chosen, rejected)
    if isinstance(chosen, str):  # words stay whole, and answers begin with their space
        alike = max(chosen.rfind(space, 0, alike) for space in " \n")
    elif alike == len(chosen) == len(rejected):  # one answer twice
        alike -= 1
    if alike < 1:
        raise Problem("prompt", "missing, and the answers do not begin alike", "add a prompt")
    return {"prompt": chosen[:alike], "chosen": chosen[alike:], "rejected": rejected[alike:]}


def _count_alike(chosen: Any, rejected: Any) -> int:
    both = enumerate(zip(chosen, rejected, strict=False))
    return next((i for i, (c, r) in both if c != r), min(len(chosen), len(rejected)))


def _to_instruction(record: Row) -> Row:
    """Read Alpaca's instruction and input, and the output; before them, LLaMA-Factory's history."""
    filled(record["instruction"], "instruction")
    turns = [_message("user", _asked(record)), _message("assistant", filled(record["output"], "output"))]
    return {"messages": _with_system(record, _earlier(record.get("history")) + turns, "history")}


def _asked(record: Row) -> str:
    """The question in the fields that it may be in: an instruction, and after it what it is about."""
    names = ("instruction", "question", "input")
    return "\n\n".join(text_of(record[name], name) for name in names if record.get(name))


def _earlier(history: Any) -> list[Row]:
    """Read a list of questions with their answers."""
    turns: list[Row] = []
    pairs = history if isinstance(history, list) else [] if is_blank(history) else [history]
    for i, pair in enumerate(pairs):
        place = f"history[{i}]"
        if not isinstance(pair, list) or len(pair) != 2:
            raise Problem(place, "not a question and its answer", 'write [["question", "answer"], …]')
        turns += [_message("user", filled(pair[0], place)), _message("assistant", filled(pair[1], place))]
    return turns


def _message(role: str, content: str) -> Row:
    return {"role": role, "content": content}


def _read_only(message: Row) -> Row:
    return {**message, "weight": 0}


def _unweighted(messages: list[Row]) -> list[Row]:
    """The messages as they are where none is learned."""
    return [_message(message["role"], message["content"]) for message in messages]


def _with_system(record: Row, messages: list[Row], name: str) -> list[Row]:
    """Put the field `system` first, unless it says what the first of the messages does."""
    if not record.get("system"):
        return messages
    first = _message("system", _content_of(record["system"], "system"))
    if messages[0]["role"] == "system" and messages[0] != first:
        raise Problem(f"{name}[0].role", "a second system text", "keep one: the field system, or the message")
    return messages if messages[0] == first else [first, *messages]


def _refuse_system(record: Row) -> None:
    if record.get("system"):
        what = "beside a prompt that is text, which has no place for it"
        raise Problem("system", what, "write prompt and answers as messages")


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
    if isinstance(turns, list) and turns and isinstance(turns[-1], dict) and "candidates" in turns[-1]:
        return _to_judged(record, turns)
    return {"messages": _with_system(record, _messages_of(turns, "messages"), "messages")}


def _to_judged(record: Row, turns: list[Any]) -> Row:
    """Read Amazon Nova's pairs: the last turn has two candidates, each with a label."""
    place, candidates = f"messages[{len(turns) - 1}].candidates", turns[-1]["candidates"]
    answers: dict[str, list[Row]] = {}
    for i, candidate in enumerate(candidates if isinstance(candidates, list) else []):
        if isinstance(candidate, dict) and candidate.get("preferenceLabel") in ("preferred", "non-preferred"):
            refuse_turn(candidate, f"{place}[{i}]")
            content = _content_of(candidate.get("content"), f"{place}[{i}].content")
            answers[candidate["preferenceLabel"]] = [_message("assistant", content)]
    if len(answers) != 2 or len(candidates) != 2:
        raise Problem(
            place, "not one preferred and one non-preferred answer", "give two, each with preferenceLabel"
        )
    prompt = _unweighted(_with_system(record, _messages_of(turns[:-1], "messages"), "messages"))
    return {"prompt": prompt, "chosen": answers["preferred"], "rejected": answers["non-preferred"]}


def _from_sharegpt(record: Row) -> Row:
    turns = _sharegpt_turns(record["conversations"], "conversations")
    messages = _messages_of(turns, "conversations", "value")
    return {"messages": _with_system(record, messages, "conversations")}


def _sharegpt_turns(turns: Any, name: str) -> list[Row]:
    found = []
    for i, turn in enumerate(turns if isinstance(turns, list) else []):
        role = turn.get("from") if isinstance(turn, dict) else None
        if not isinstance(role, str) or role not in SHAREGPT_ROLES:
            raise Problem(f"{name}[{i}].from", "not a role that is known", "use system, human or gpt")
        found.append({**turn, "role": SHAREGPT_ROLES[role], "content": turn.get("value")})
    return found


_TEXT_TYPES = (None, "text", "input_text", "output_text")  # the last two are OpenAI's
_SYSTEM = {"system": "becomes the first message"}
_SHAPES = (
    _Shape(("prompt", "chosen", "rejected"), _to_preference, _SYSTEM),
    _Shape(
        ("chosen", "rejected"),
        _to_preference,
        {
            **_SYSTEM,
            **dict.fromkeys(("instruction", "question"), "is the prompt of both answers"),
            "input": "is the prompt of both answers, or its end",
            "conversations": "are the prompt of both answers",
            "messages": "are the prompt of both answers, unless they are the chosen one",
        },
    ),
    _Shape(("messages",), _to_conversation, _SYSTEM),
    _Shape(("conversations",), _from_sharegpt, _SYSTEM),
    _Shape(
        ("instruction", "output"),
        _to_instruction,
        {
            **_SYSTEM,
            "history": "comes before the question, and its answers are learned, too",
            "input": "follows the instruction",
        },
    ),
    _Shape(("prompt", "completion"), _to_completion, _SYSTEM),
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
            raise Problem(f"{place}.role", f"{short(role)} is not a role", f"use {', '.join(ROLES)}")
        if role == "system" and i:
            raise Problem(f"{place}.role", "a system message inside the conversation", "put it first")
        if role == "system" and message.get("content") == "":  # the same as none
            continue
        refuse_turn(message, place)
        content = _content_of(message.get("content"), f"{place}.{content_name}")
        read = _message(role, content)
        is_read_only = not is_learned(message, role, place) and role == "assistant"
        messages.append(_read_only(read) if is_read_only else read)
    if not messages:
        raise Problem(field, "a system message alone", "add what the user and the assistant say")
    return messages


def _content_of(value: Any, field: str) -> str:
    """Read a text, or a list of blocks with text, joined by line breaks. Raises Problem."""
    if not isinstance(value, list) or not value:
        return filled(value, field)
    texts = []
    for i, block in enumerate(value):
        if not isinstance(block, dict) or "text" not in block or block.get("type", "text") not in _TEXT_TYPES:
            raise Problem(f"{field}[{i}]", "no text (images and tools are not read)", 'write {"text": "…"}')
        refuse_turn(block, f"{field}[{i}]")
        texts.append(filled(block["text"], f"{field}[{i}].text"))
    return "\n".join(texts)


def filled(value: Any, field: str) -> str:
    """Return the value, which must be a text that isn't blank. Raises Problem."""
    text = text_of(value, field)
    if not text.strip():
        raise Problem(field, "empty", "write a text, or remove the record")
    return text
