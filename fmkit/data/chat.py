"""Encode conversations and completions as token ids, with labels for what the model learns.

A conversation is laid out as

    <|bos|><|system|>You sell lamps.<|user|>Is it bright?<|assistant|>Yes, very.<|eos|><|user|>…

Only the assistant's turns end with a token, <|eos|>, as only there the model must learn when to stop. Of its
turns, those with `weight` 0 are not learned. Messages for a chat model of others are laid out by its own
chat template (`fmkit.data.templates`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from fmkit.data.batches import IGNORE
from fmkit.data.fields import is_learned, refuse_turn
from fmkit.data.files import Problem
from fmkit.data.tokenizer import (
    BOS,
    CHAT_TOKENS,
    EOS,
    adopt,
    as_tokenizer,
    continuing,
    conventions,
    special_id,
)
from fmkit.errors import FmkitError

if TYPE_CHECKING:
    from fmkit.data.templates import ChatTemplate

__all__ = [
    "CHAT_TOKENS",
    "ROLES",
    "add_chat_tokens",
    "chat_prompt",
    "decode_next",
    "encode_chat",
    "encode_completion",
    "encode_next",
    "encode_prompt",
    "end_ids",
    "recent",
    "through_end",
]

ROLES = ("system", "user", "assistant")
TOKEN_OF = dict(zip(ROLES, CHAT_TOKENS, strict=True))

Message = Mapping[str, Any]  # role, content; weight 0: not to be learned
Turn = tuple[dict[str, str], bool]  # role and content; whether it is to be learned if it is the assistant's


def add_chat_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Copy the tokenizer and add the three tokens that begin messages at the end of its vocabulary.

    A model needs three more rows of embeddings. A tokenizer that has them, or another model's chat template,
    is only copied.
    """
    tokenizer = as_tokenizer(tokenizer)
    copy = adopt(Tokenizer.from_str(tokenizer.to_str()), conventions(tokenizer))
    if conventions(tokenizer).chat_template is None:
        copy.add_special_tokens(list(CHAT_TOKENS))
    return copy


def end_ids(tokenizer: Tokenizer) -> tuple[int, ...]:
    """List the ids that end what a model says; the first is the one that it learns to end an answer with."""
    if template := _template(tokenizer):
        return template.ends
    return tuple(dict.fromkeys((special_id(tokenizer, EOS), *conventions(tokenizer).ends)))


def through_end(ids: list[int], ends: Collection[int]) -> list[int]:
    """Take the ids up to the first of those that end an answer, which is the last one taken."""
    return ids[: next((i for i, token in enumerate(ids, 1) if token in ends), None)]


def encode_chat(
    messages: Sequence[Message], tokenizer: Tokenizer, mask_prompt: bool = True
) -> tuple[list[int], list[int]]:
    """Encode a conversation as ids and labels of equal length.

    Labels are the ids themselves where the assistant speaks, its <|eos|> included, and `IGNORE` elsewhere, as
    in transformers: the collate function shifts them by one. `mask_prompt=False` labels all but the
    assistant's turns of weight 0. Strings in a message that look like special tokens are ordinary text.

    Raises FmkitError, naming the message, for a role that isn't one of `ROLES`, content that isn't text, and
    fields that change what is said (`fmkit.data.fields`), if the assistant says nothing to be learned, for
    a tokenizer without chat tokens, and as `fmkit.data.templates` does.
    """
    segments = _segments(messages, tokenizer)
    ids = [token for segment, _, _ in segments for token in segment]
    labels = [
        token if learned and (spoken or not mask_prompt) else IGNORE
        for segment, spoken, learned in segments
        for token in segment
    ]
    if not any(spoken and learned for _, spoken, learned in segments):
        raise FmkitError("messages: the assistant says nothing that could be learned; add a turn of its own")
    return ids, labels


def chat_prompt(messages: Sequence[Message], tokenizer: Tokenizer) -> list[int]:
    """Encode the messages so far and the token that begins the assistant's answer.

    Generation from them ends with one of `end_ids`. Raises FmkitError as `encode_chat` does.
    """
    if template := _template(tokenizer):
        return template.prompt([turn for turn, _ in _read(messages)])
    segments = _segments(messages, tokenizer)
    asked = [token for segment, _, _ in segments for token in segment]
    return [*asked, _chat_id(tokenizer, "assistant")]


def recent(messages: Sequence[Message], tokenizer: Tokenizer, longest: int) -> list[Message]:
    """Drop the oldest turns, so that the `chat_prompt` of the rest has at most `longest` ids.

    A system message stays, and so does the user's last message, however long they are. A message of the user
    is dropped together with everything up to the next one. Raises FmkitError as `encode_chat` does.
    """
    head = [message for message in messages[:1] if message["role"] == "system"]
    turns = list(messages[len(head) :])
    while len(chat_prompt([*head, *turns], tokenizer)) > longest:
        later = [i for i, message in enumerate(turns) if message["role"] == "user" and i]
        if not later:
            break
        turns = turns[later[0] :]
    return [*head, *turns]


def encode_completion(
    prompt: str, completion: str, tokenizer: Tokenizer, mask_prompt: bool = True
) -> tuple[list[int], list[int]]:
    """Encode <|bos|> prompt completion <|eos|> as ids and labels, for models without chat tokens.

    Labels are as in `encode_chat`: the completion and <|eos|> are learned. The two texts are encoded apart,
    as they are when the model generates (see `encode_next`).
    """
    asked = encode_prompt(prompt, tokenizer)
    answer = [*encode_next(prompt, completion, tokenizer), special_id(tokenizer, EOS)]
    return asked + answer, ([IGNORE] * len(asked) if mask_prompt else asked) + answer


def encode_prompt(prompt: str, tokenizer: Tokenizer) -> list[int]:
    """Encode <|bos|> prompt, which a completion follows."""
    return [special_id(tokenizer, BOS), *_encode(prompt, tokenizer)]


def encode_next(before: str, text: str, tokenizer: Tokenizer) -> list[int]:
    """Encode a text that directly follows another: without a space that the tokenizer puts before a text.

    Raises FmkitError for a tokenizer whose ids of the two do not read as the two together.
    """
    rest = continuing(tokenizer)
    if rest is tokenizer or not before:
        return _encode(text, tokenizer)
    ids, asked = _encode(text, rest), _encode(before, tokenizer)
    if tokenizer.decode(asked + ids) != tokenizer.decode(_encode(before + text, tokenizer)):
        raise FmkitError(f"the tokenizer cannot encode {text!r:.60} apart from the text before it")
    return ids


def decode_next(before: Sequence[int], ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """Decode ids that directly follow others, with the space that some tokenizers leave out at a start."""
    return tokenizer.decode([*before, *ids])[len(tokenizer.decode(list(before))) :]


def _segments(messages: Sequence[Message], tokenizer: Tokenizer) -> list[tuple[list[int], bool, bool]]:
    """Pieces of ids, whether the assistant speaks in them, and whether they may be learned."""
    turns = _read(messages)
    if template := _template(tokenizer):
        return _laid_out(template, turns)
    segments = [([special_id(tokenizer, BOS)], False, True)]
    for turn, learned in turns:
        spoken = turn["role"] == "assistant"
        segments.append(([_chat_id(tokenizer, turn["role"])], False, True))
        said = _encode(turn["content"], continuing(tokenizer, after_special=True))
        said += [special_id(tokenizer, EOS)] * spoken
        segments.append((said, spoken, learned or not spoken))
    return segments


def _laid_out(template: "ChatTemplate", turns: list[Turn]) -> list[tuple[list[int], bool, bool]]:
    """The pieces of `_segments` by another model's chat template."""
    ids, spans = template.encode([turn for turn, _ in turns])
    answers = [learned for turn, learned in turns if turn["role"] == "assistant"]
    open_ended = len(answers) - sum(any(end in ids[slice(*span)] for end in template.ends) for span in spans)
    if len(spans) > len(answers) and all(answers):
        answers = [True] * len(spans)
    if len(spans) != len(answers):
        raise FmkitError(
            f"the model's chat template marks {len(spans)} parts of {len(answers)} answers as generated, "
            "some perhaps of weight 0: put {% generation %} around each answer, once"
        )
    if open_ended > 0:
        raise FmkitError(
            "the model's chat template marks answers as generated without the token that ends them, and the "
            "model could not learn where to end: put {% endgeneration %} after that token"
        )
    segments, before = [], 0
    for (start, end), learned in zip(spans, answers, strict=True):
        segments += [(ids[before:start], False, True), (ids[max(start, before) : end], True, learned)]
        before = end
    return [*segments, (ids[before:], False, True)]


def _template(tokenizer: Tokenizer) -> "ChatTemplate | None":
    """The chat template of another model, made at its first use; None for our own layout."""
    found = conventions(tokenizer).chat_template
    if found is None:
        return None
    from fmkit.data.templates import ChatTemplate  # jinja2 takes a while to import

    made: ChatTemplate | None = getattr(tokenizer, "template", None)
    if made is None or made.size != tokenizer.get_vocab_size():
        made = ChatTemplate(found, tokenizer, [special_id(tokenizer, EOS), *conventions(tokenizer).ends])
        tokenizer.template = made  # type: ignore[attr-defined]
    return made


def _read(messages: Sequence[Message]) -> list[Turn]:
    """Role and content of each message, and whether it is to be learned if it is the assistant's."""
    return [_read_turn(message, f"messages[{i}]") for i, message in enumerate(messages)]


def _read_turn(message: Any, place: str) -> Turn:
    if not isinstance(message, Mapping) or message.get("role") not in ROLES:
        raise FmkitError(
            f"{place}.role: none of {', '.join(ROLES)}; write {{'role': 'user', 'content': '…'}}"
        )
    if not isinstance(message.get("content"), str):
        raise FmkitError(f"{place}.content: no text; write what is said as one string")
    try:
        refuse_turn(message, place)
        learned = is_learned(message, message["role"], place)
    except Problem as problem:
        raise FmkitError(f"{problem.field}: {problem.what}; {problem.remedy}") from None
    return {"role": message["role"], "content": message["content"]}, learned


def _chat_id(tokenizer: Tokenizer, role: str) -> int:
    if (token_id := tokenizer.token_to_id(TOKEN_OF[role])) is None:
        raise FmkitError(
            f"the tokenizer has no token {TOKEN_OF[role]}: have the model learn from messages "
            "(fmkit finetune, or in Python add_chat_tokens and then finetune)"
        )
    return token_id


def _encode(text: str, tokenizer: Tokenizer) -> list[int]:
    if not isinstance(text, str):
        raise FmkitError(f"a prompt or completion is of type {type(text).__name__}, not text")
    try:
        return tokenizer.encode(text, add_special_tokens=False).ids
    except (TypeError, UnicodeEncodeError):
        raise FmkitError("a text holds half a character (a lone surrogate); replace it") from None
