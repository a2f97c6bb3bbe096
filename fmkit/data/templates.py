"""Lay out conversations as another model's chat template does, in a sandbox, with the tokens of transformers.

A chat template is a text in Jinja that comes with a tokenizer: a stranger's program. It may read the messages
and the names of special tokens, and nothing else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from tokenizers import Encoding, Tokenizer

from fmkit.data.tokenizer import conventions
from fmkit.errors import FmkitError

BEGIN, END = "\ufdd0", "\ufdd1"  # around what a template marks as generated; never characters of a text
PROBES = ("fmkit asks", "fmkit answers")

Message = Mapping[str, str]  # role, content
Span = tuple[int, int]  # of tokens, the end excluded


class ChatTemplate:
    """The chat template of a tokenizer that fmkit did not make.

    `ends` are the ids that its files say end an answer; the property of that name begins with the token that
    the template closes an answer with. Raises FmkitError for several templates of which none is the default.
    """

    def __init__(self, source: str | dict[str, str], tokenizer: Tokenizer, ends: Sequence[int]) -> None:
        if isinstance(source, dict) and "default" not in source:
            raise FmkitError(
                f"the model has the chat templates {', '.join(sorted(source))}: call one of them default"
            )
        self.source = source["default"] if isinstance(source, dict) else source
        self.names = conventions(tokenizer).tokens
        self.size = tokenizer.get_vocab_size()
        self.marks = re.search(r"{%[-+]?\s*generation\s*[-+]?%}", self.source) is not None
        self.parser = Tokenizer.from_str(tokenizer.to_str())  # special tokens in a text are what they say
        tokens = self.parser.get_added_tokens_decoder()
        self.added = {token.content: number for number, token in tokens.items()}
        self.special = [BEGIN, END, *(token.content for token in tokens.values() if token.special)]
        self.ends = tuple(dict.fromkeys((*self._closing(), *ends)))

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Encode the messages so far and what the template puts before the assistant's answer.

        Raises FmkitError for messages that the template refuses or cannot lay out, for a template that writes
        today's date, and for a special token in what is said.
        """
        return self._encode(messages, add_generation_prompt=True)[0].ids

    def encode(self, messages: Sequence[Message]) -> tuple[list[int], list[Span]]:
        """Encode a conversation, and find each turn of the assistant in it: its words and the token after.

        These are what the template marks by `{% generation %}`; without marks, what follows the `prompt` of
        the messages before. Raises FmkitError as `prompt` does, and for a template by which the model reads
        or writes other tokens in the conversation than when it answered.
        """
        encoding, marked = self._encode(messages)
        if not self.marks:
            spoken = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
            return encoding.ids, [self._turn(messages, i, encoding.ids) for i in spoken]
        return encoding.ids, [span for part in marked if (span := _tokens(encoding, *part))]

    def _turn(self, messages: Sequence[Message], i: int, ids: list[int]) -> Span:
        asked, said = self.prompt(messages[:i]), self._encode(messages[: i + 1])[0].ids
        end = next((at + 1 for at in range(len(asked), len(said)) if said[at] in self.ends), 0)
        if said[: len(asked)] == asked and not end:
            raise FmkitError(
                "the model's chat template puts no special token after an answer, by which the model could "
                "learn where to end it: fine-tune on prompt and completion"
            )
        if said[: len(asked)] != asked or ids[:end] != said[:end]:
            raise FmkitError(
                f"messages[{i}], {messages[i]['content']!r:.40}: the model's chat template shows the answer "
                "differently when learned than when given (it changes earlier turns, or white "
                "space joins the answer to what is before): put {% generation %} around what is learned, or "
                "change these messages"
            )
        return len(asked), end

    @cached_property
    def _answer(self) -> str:
        """Lay out a question with an answer, and take what begins with the answer."""
        roles = ("user", "assistant")
        talk = [{"role": role, "content": said} for role, said in zip(roles, PROBES, strict=True)]
        try:
            text, _ = self._render(talk)
        except FmkitError:  # is raised again where messages are given
            return PROBES[1]
        return text[text.rfind(PROBES[1]) :] if PROBES[1] in text else ""

    def _closing(self) -> list[int]:
        """Find the token that ends an answer: the first after its words."""
        names = sorted((name for name in self.added if name.strip()), key=len, reverse=True)
        pattern = rf"{PROBES[1]}\s*({'|'.join(map(re.escape, names))})"
        found = re.match(pattern, self._answer) if names else None
        return [self.added[found[1]]] if found else []

    def _encode(
        self, messages: Sequence[Message], add_generation_prompt: bool = False
    ) -> tuple[Encoding, list[Span]]:
        for i, message in enumerate(messages):
            for name in self.special:
                if name in message["content"]:
                    raise FmkitError(
                        f"messages[{i}].content: holds {name!r}, which this model reads as a special token: "
                        "write it another way"
                    )
        text, marked = self._render(messages, add_generation_prompt)
        self._refuse_unshown(messages, text, add_generation_prompt)
        try:
            return self.parser.encode(text, add_special_tokens=False), marked
        except (TypeError, UnicodeEncodeError):
            raise FmkitError("a text holds half a character (a lone surrogate); replace it") from None

    def _refuse_unshown(self, messages: Sequence[Message], text: str, add_generation_prompt: bool) -> None:
        """Refuse a message that the template leaves out, cuts or changes.

        What others say is laid out once more between marks, as the same words may be elsewhere in the text.
        Answers are not: templates look for thoughts in them. In a prompt, these may be left out; where they
        are learned, only white space may change. A template may move what the system says, and no other.
        """
        bracketed = [
            {**message, "content": f"{BEGIN}{message['content']}{END}"}
            if message["role"] != "assistant"
            else message
            for message in messages
        ]
        again, spans = self._render(bracketed, add_generation_prompt)
        shown = [again[start:end].strip() for start, end in spans]
        text, at = "".join(text.split()), 0
        for i, message in enumerate(messages):
            role, said = message["role"], message["content"].strip()
            if role == "assistant":
                kept = bool(self._answer)
            elif kept := said in shown:
                shown.remove(said)
            if role != "system" and not add_generation_prompt:
                words = "".join(said.split())
                found = text.find(words, at)
                kept, at = kept and found >= 0, found + len(words)
            if not kept:
                raise FmkitError(
                    f"messages[{i}]: the model's chat template leaves out what the {role} says, or a part of "
                    "it, or changes it: leave that out, or use another model"
                )

    def _render(
        self, messages: Sequence[Message], add_generation_prompt: bool = False
    ) -> tuple[str, list[Span]]:
        """Lay out messages as text, with where in it the template marks something as generated."""
        given = [{"role": message["role"], "content": message["content"]} for message in messages]
        try:
            rendered = _compile(self.source).render(
                messages=given,
                add_generation_prompt=add_generation_prompt,
                tools=None,
                documents=None,
                **self.names,
            )
        except Exception as error:  # a template can fail in any way
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            last = f", the last of which is {given[-1]['content']!r:.40}" if given else ""
            raise FmkitError(
                f"the model's chat template does not take these messages{last}: {reason}"
            ) from None
        text, marked, start = "", [], 0
        for piece in re.split(f"([{BEGIN}{END}])", rendered):
            if piece == BEGIN:
                start = len(text)
            elif piece == END:
                marked.append((start, len(text)))
            else:
                text += piece
        return text, marked


def _tokens(encoding: Encoding, start: int, end: int) -> Span | None:
    """Find the tokens that have a character of those from `start` to `end`; None if there is none."""
    inside = [i for i, (first, last) in enumerate(encoding.offsets) if first < end and last > start]
    return (inside[0], inside[-1] + 1) if inside else None


# --- the sandbox, as transformers has it ------------------------------------------------------------------


class _Generation(Extension):
    """The block {% generation %} … {% endgeneration %} around what the assistant says."""

    tags = {"generation"}  # noqa: RUF012 (so it is in the base class)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

    def _mark(self, caller: Any) -> str:
        return f"{BEGIN}{caller()}{END}"


class _Variables(Namespace):
    """Jinja's `namespace`, without names by which a program could reach into Python."""

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if str(name).startswith("_"):
            raise SecurityError(f"it names {name}")
        super().__setitem__(name, value)


@cache
def _compile(source: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals |= {
        "raise_exception": _refuse,
        "strftime_now": _refuse_date,
        "dict": lambda *args, **kwargs: dict(*args, **kwargs),
        "namespace": _Variables,
    }
    return environment.from_string(source)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    """Jinja's own filter would escape signs of HTML."""
    how: dict[str, Any] = {"indent": indent, "separators": separators, "sort_keys": sort_keys}
    return json.dumps(value, ensure_ascii=ensure_ascii, **how)


def _refuse(reason: str) -> None:
    raise TemplateError(reason)


def _refuse_date(_: str) -> None:
    raise TemplateError("it writes today's date, and no run could be repeated: put a fixed date there")
