"""OpenAI's API, the part that a language model of one's own can keep: what is asked, and what is answered.

The reference is https://platform.openai.com/docs/api-reference (chat completions and completions). A field
of it that would change the answer, and that is not built here, is refused by its name.
"""

import json
import math
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from fmkit.data.chat import end_ids
from fmkit.data.pieces import Pieces
from fmkit.data.tokenizer import can_chat
from fmkit.errors import FmkitError
from fmkit.generation import prompt_ids
from fmkit.model import Transformer
from fmkit.serve.batch import Answer

COMMON = {"model", "stream", "stream_options", "stop", "max_tokens", "temperature", "top_p", "seed", "n"}
READ = {True: {*COMMON, "messages", "max_completion_tokens"}, False: {*COMMON, "prompt"}}  # by: is it chat
IGNORED = {  # what says who asks, or how OpenAI keeps and bills it
    *("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"),
    *("prompt_cache_retention", "parallel_tool_calls"),
}
NOT_BUILT: dict[str, list[Any]] = {  # and the values that ask for nothing
    **{"logprobs": [False], "top_logprobs": [0], "echo": [False], "suffix": [""], "best_of": [1]},
    **{"presence_penalty": [0, 0.0], "frequency_penalty": [0, 0.0], "logit_bias": [{}]},
    **{"tools": [[]], "tool_choice": ["none", "auto"], "functions": [[]], "function_call": ["none", "auto"]},
    **{"response_format": [{"type": "text"}], "modalities": [["text"]], "audio": [], "prediction": []},
    **{"reasoning_effort": ["none"], "verbosity": [], "web_search_options": []},
}
STOPS, STOP_LENGTH = 4, 256  # how many, as OpenAI has it, and of how many characters


class Refused(Exception):
    """A request that gets an error object of OpenAI's API."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        kinds = {429: "rate_limit_error", 500: "server_error", 503: "server_error"}
        kind = kinds.get(status, "invalid_request_error")
        self.status = status
        self.object = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True)
class Served:
    """What is served, and its limits."""

    name: str
    model: Transformer
    tokenizer: Tokenizer
    max_length: int  # tokens of a prompt and its answer
    max_answers: int  # of one request

    @property
    def chats(self) -> bool:
        return can_chat(self.tokenizer)


class Request:
    """A request that has been read: its answers, and how they are given."""

    def __init__(self, body: bytes, chat: bool, served: Served) -> None:
        """Raises `Refused` for what is faulty, naming the field."""
        fields = _object(body)
        _require_known(fields, chat)
        if fields.get("model") != served.name:
            _refuse_model(fields.get("model"), served)
        self.chat, self.name = chat, served.name
        self.stream = _flag(fields, "stream")
        self.usage = _wants_usage(fields, self.stream)
        self.prompts = _chat_prompts(fields, served) if chat else _prompts(fields, served)
        self.answers = _answers(fields, self.prompts, chat, served)
        self.id = f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}"
        self.created = int(time.time())

    def count(self) -> dict[str, int]:
        """Count tokens; those that end answers are among what was made."""
        asked = sum(len(prompt) for prompt, _ in self.prompts)
        made = sum(answer.made for answer in self.answers)
        return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}

    def whole(self, texts: Sequence[str]) -> dict[str, Any]:
        """Lay out all answers at once."""
        choices = []
        for i, (text, answer) in enumerate(zip(texts, self.answers, strict=True)):
            said = {"message": {"role": "assistant", "content": text, "refusal": None}}
            choices.append(_choice(i, said if self.chat else {"text": text}, answer.finish))
        return {**self._head(), "choices": choices, "usage": self.count()}

    def opening(self) -> list[dict[str, Any]]:
        """Lay out what comes before the first pieces: who speaks."""
        delta = {"role": "assistant", "content": ""}
        return [self._chunk(i, {"delta": delta}) for i in range(len(self.answers)) if self.chat]

    def piece(self, index: int, text: str, finish: str | None) -> list[dict[str, Any]]:
        """Lay out a piece of an answer, and its end where it ends."""
        if not self.chat:
            return [self._chunk(index, {"text": text}, finish)]
        said = [self._chunk(index, {"delta": {"content": text}})] if text else []
        return said + ([self._chunk(index, {"delta": {}}, finish)] if finish else [])

    def closing(self) -> list[dict[str, Any]]:
        """Lay out what comes after the last pieces: the usage, where it is asked for."""
        return [{**self._head(), "choices": [], "usage": self.count()}] if self.usage else []

    def _head(self) -> dict[str, Any]:
        kind = "chat.completion" + ".chunk" * self.stream if self.chat else "text_completion"
        return {"id": self.id, "object": kind, "created": self.created, "model": self.name}

    def _chunk(self, index: int, content: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        chunk = {**self._head(), "choices": [_choice(index, content, finish)]}
        return chunk | {"usage": None} if self.usage else chunk


def _choice(index: int, content: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": index, **content, "logprobs": None, "finish_reason": finish}


# --- reading ----------------------------------------------------------------------------------------------


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise Refused(400, f"The body is not valid JSON: {reason}") from None
    if not isinstance(fields, dict):
        raise Refused(400, "The body must be a JSON object.")
    return {name: value for name, value in fields.items() if value is not None}  # null: the default


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _require_known(fields: dict[str, Any], chat: bool) -> None:
    for name, value in fields.items():
        if name in READ[chat] or name in IGNORED:
            continue
        if name not in NOT_BUILT:
            raise Refused(400, f"Unknown parameter: {name!r:.60}.", name[:60], "unknown_parameter")
        if not any(type(value) is type(neutral) and value == neutral for neutral in NOT_BUILT[name]):
            raise Refused(400, f"{name} is not built into this server.", name, "unsupported_parameter")


def _refuse_model(name: Any, served: Served) -> None:
    if not isinstance(name, str):
        raise Refused(400, f"model must be a string; this server has {served.name!r}.", "model")
    message = f"The model {name!r:.60} does not exist; this server has {served.name!r}."
    raise Refused(404, message, "model", "model_not_found")


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Refused(400, f"{name} must be true or false.", name)
    return value


def _wants_usage(fields: dict[str, Any], streams: bool) -> bool:
    options = fields.get("stream_options", {})
    if not isinstance(options, dict) or set(options) - {"include_usage", "include_obfuscation"}:
        raise Refused(400, "stream_options must be an object with include_usage.", "stream_options")
    if options and not streams:
        raise Refused(400, "stream_options is only allowed when stream is true.", "stream_options")
    return _flag(options, "include_usage")


def _number(
    fields: dict[str, Any], name: str, kind: type, low: float, high: float, default: Any = None
) -> Any:
    if name not in fields:
        return default
    value = fields[name]
    fits = isinstance(value, int | kind) and not isinstance(value, bool)
    if not fits or not low <= value <= high:
        what = "a whole number" if kind is int else "a number"
        limit = f"from {low} to {high}" if math.isfinite(high) else f"of at least {low}"
        raise Refused(400, f"{name} must be {what} {limit}.", name)
    return value


def _stops(fields: dict[str, Any]) -> list[str]:
    given = fields.get("stop", [])
    stops = [given] if isinstance(given, str) else given
    texts = isinstance(stops, list) and all(isinstance(stop, str) and stop for stop in stops)
    if not texts or len(stops) > STOPS or any(len(stop) > STOP_LENGTH for stop in stops):
        limits = f"at most {STOPS} texts, of 1 to {STOP_LENGTH} characters each"
        raise Refused(400, f"stop must be a text or a list of {limits}.", "stop")
    return stops


def _chat_prompts(fields: dict[str, Any], served: Served) -> list[tuple[list[int], list[int]]]:
    """The ids of the messages, and those beside which an answer is decoded: none."""
    if not served.chats:
        message = (
            f"The model {served.name!r} has not learned to chat: ask it at /v1/completions, or serve one "
            "that fmkit finetune taught from messages."
        )
        raise Refused(400, message, "model", "model_cannot_chat")
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "messages must be a list of one message or more.", "messages")
    said = [_message(message, f"messages[{i}]") for i, message in enumerate(messages)]
    return [(_encode(said, "messages", served), [])]


def _message(message: Any, place: str) -> dict[str, Any]:
    """Read a message as fmkit has it: a developer's is a system message, and parts of text are joined."""
    if not isinstance(message, dict):
        raise Refused(400, f"{place} must be an object with role and content.", place)
    role, content = message.get("role"), message.get("content")
    if isinstance(content, list):
        if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
            raise Refused(400, f"{place}.content has parts that are not text.", f"{place}.content")
        content = "".join(str(part.get("text", "")) for part in content)
    return {**message, "role": "system" if role == "developer" else role, "content": content}


def _prompts(fields: dict[str, Any], served: Served) -> list[tuple[list[int], list[int]]]:
    """The ids of each prompt, twice: beside them, an answer is decoded."""
    given = fields.get("prompt", "")
    is_one = isinstance(given, str) or (isinstance(given, list) and given and type(given[0]) is int)
    several = [given] if is_one else given
    if not isinstance(several, list) or not several or len(several) > served.max_answers:
        raise Refused(400, f"prompt must be a text or a list of 1 to {served.max_answers}.", "prompt")
    prompts = [_encode(each, "prompt", served) for each in several]
    return [(ids, ids) for ids in prompts]


def _encode(prompt: Any, param: str, served: Served) -> list[int]:
    """Encode a prompt or messages; a prompt may be ids already."""
    is_ids = param == "prompt" and isinstance(prompt, list) and all(type(token) is int for token in prompt)
    if not is_ids and not isinstance(prompt, str if param == "prompt" else list):
        raise Refused(400, "prompt must be texts, or lists of token ids.", "prompt")
    try:
        ids = prompt if is_ids else prompt_ids(served.tokenizer, prompt)
    except FmkitError as error:
        raise Refused(400, str(error), param) from None
    size = served.model.config.vocab_size
    if not ids or not all(0 <= token < size for token in ids):
        raise Refused(400, f"The prompt must have tokens, of numbers below {size}.", param)
    if len(ids) >= served.max_length:
        message = (
            f"The prompt has {len(ids)} tokens; this server takes {served.max_length} with the answer, so "
            f"{served.max_length - 1} at most: shorten it."
        )
        raise Refused(400, message, param, "context_length_exceeded")
    return ids


def _answers(
    fields: dict[str, Any], prompts: Sequence[tuple[list[int], list[int]]], chat: bool, served: Served
) -> list[Answer]:
    name = "max_completion_tokens" if "max_completion_tokens" in fields else "max_tokens"
    most = _number(fields, name, int, 1, math.inf, None if chat else 16)  # OpenAI's defaults
    temperature = _number(fields, "temperature", float, 0, 2, 1.0)
    top_p = _number(fields, "top_p", float, 0, 1, 1.0) or 1e-9  # of 0, the likeliest is left
    seed = _number(fields, "seed", int, -(2**63), 2**63 - 1)
    seed = None if seed is None else seed % 2**63
    count = _number(fields, "n", int, 1, served.max_answers, 1)
    if count * len(prompts) > served.max_answers:
        raise Refused(400, f"{count * len(prompts)} answers are more than {served.max_answers}.", "n")
    stops, ends = _stops(fields), end_ids(served.tokenizer)
    answers = []
    for ids, beside in prompts:
        room = min(most or served.max_length, served.max_length - len(ids))
        for number in range(count):
            text = Pieces(served.tokenizer, beside, stops)
            answers.append(Answer(ids, text, ends, room, temperature, top_p, seed, number))
    return answers
