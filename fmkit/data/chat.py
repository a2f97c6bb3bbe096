"""Encode conversations and completions as token ids, with labels for what the model learns.

A conversation is laid out as

    <|bos|><|system|>You sell lamps.<|user|>Is it bright?<|assistant|>Yes, very.<|eos|><|user|>…

Only the assistant's turns end with a token, <|eos|>, as only there the model must learn when to stop.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

from fmkit.data.batches import IGNORE
from fmkit.data.tokenizer import BOS, CHAT_TOKENS, EOS, special_id
from fmkit.errors import FmkitError

__all__ = [
    "CHAT_TOKENS",
    "ROLES",
    "add_chat_tokens",
    "chat_prompt",
    "encode_chat",
    "encode_completion",
    "encode_prompt",
    "recent",
]

ROLES = ("system", "user", "assistant")
TOKEN_OF = dict(zip(ROLES, CHAT_TOKENS, strict=True))

Message = Mapping[str, Any]  # role, content


def add_chat_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Copy the tokenizer and add the three tokens that begin messages at the end of its vocabulary.

    A tokenizer that has them is only copied. A model needs three more rows of embeddings.
    """
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.encode_special_tokens = True  # not part of what is copied
    copy.add_special_tokens(list(CHAT_TOKENS))
    return copy


def encode_chat(
    messages: Sequence[Message], tokenizer: Tokenizer, mask_prompt: bool = True
) -> tuple[list[int], list[int]]:
    """Encode a conversation as ids and labels of equal length.

    Labels are the ids themselves where the assistant speaks, its <|eos|> included, and `IGNORE` elsewhere, as
    in transformers: the collate function shifts them by one. `mask_prompt=False` labels everything. Strings
    in a message that look like special tokens are encoded as ordinary text.

    Raises FmkitError, naming the message, for a role that isn't one of `ROLES` or content that isn't text, if
    the assistant says nothing, and for a tokenizer without chat tokens.
    """
    segments = _segments(messages, tokenizer)
    ids = [token for segment, _ in segments for token in segment]
    labels = [token if spoken else IGNORE for segment, spoken in segments for token in segment]
    if not any(spoken for _, spoken in segments):
        raise FmkitError("messages: the assistant says nothing that could be learned; add a turn of its own")
    return ids, labels if mask_prompt else list(ids)


def chat_prompt(messages: Sequence[Message], tokenizer: Tokenizer) -> list[int]:
    """Encode the messages so far and the token that begins the assistant's answer.

    Generation from them ends with <|eos|>. Raises FmkitError as `encode_chat` does.
    """
    segments = _segments(messages, tokenizer)
    asked = [token for segment, _ in segments for token in segment]
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
    as they are when the model generates.
    """
    asked = encode_prompt(prompt, tokenizer)
    answer = [*_encode(completion, tokenizer), special_id(tokenizer, EOS)]
    return asked + answer, ([IGNORE] * len(asked) if mask_prompt else asked) + answer


def encode_prompt(prompt: str, tokenizer: Tokenizer) -> list[int]:
    """Encode <|bos|> prompt, which a completion follows."""
    return [special_id(tokenizer, BOS), *_encode(prompt, tokenizer)]


def _segments(messages: Sequence[Message], tokenizer: Tokenizer) -> list[tuple[list[int], bool]]:
    """Pieces of ids and whether the assistant speaks in them."""
    segments = [([special_id(tokenizer, BOS)], False)]
    for i, message in enumerate(messages):
        role, content = _role_and_content(message, f"messages[{i}]")
        spoken = role == "assistant"
        segments.append(([_chat_id(tokenizer, role)], False))
        segments.append((_encode(content, tokenizer) + [special_id(tokenizer, EOS)] * spoken, spoken))
    return segments


def _role_and_content(message: Any, place: str) -> tuple[str, str]:
    if not isinstance(message, Mapping) or message.get("role") not in ROLES:
        raise FmkitError(
            f"{place}.role: none of {', '.join(ROLES)}; write {{'role': 'user', 'content': '…'}}"
        )
    if not isinstance(message.get("content"), str):
        raise FmkitError(f"{place}.content: no text; write what is said as one string")
    return message["role"], message["content"]


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
