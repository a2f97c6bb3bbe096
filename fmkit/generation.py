"""Generation: the model's predictions, fed back to it one token at a time."""

import copy
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from fmkit.attention import Cache
from fmkit.data.chat import Message, chat_prompt, end_ids, through_end
from fmkit.data.pieces import Pieces, as_stops
from fmkit.data.tokenizer import as_tokenizer
from fmkit.errors import FmkitError
from fmkit.model import Classifier, Transformer, require_kind
from fmkit.settings import require_numbers

WHOLE, DRAWS = 2**38, 2**24  # of which probabilities and random numbers are parts; their product fits 63 bits


def generate(
    model: Transformer,
    tokenizer: Tokenizer,
    prompt: str,
    max_new_tokens: int = 100,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
) -> str:
    """Continue `prompt` until the model ends the text, `max_new_tokens` are made or its context is full.

    `temperature` 0 always chooses the likeliest token. The text returned begins with the prompt, and ends
    before the first `stop` string that the model writes. Raises `FmkitError` for a prompt that leaves no room
    in the context, and for settings out of range.
    """
    if not isinstance(prompt, str):
        raise FmkitError(f"the prompt is a {type(prompt).__name__}: give one text (reply answers messages)")
    new = stream(model, tokenizer, prompt, max_new_tokens, temperature, top_k, top_p, seed, stop)
    tokenizer = as_tokenizer(tokenizer)
    return tokenizer.decode(prompt_ids(tokenizer, prompt)) + "".join(new)


def reply(
    model: Transformer,
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    max_new_tokens: int = 100,
    temperature: float = 0.0,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
) -> str:
    """Answer a conversation of messages with `role` and `content`.

    Raises `FmkitError` for a model that has not learned to chat, and for messages that fill the context (see
    `fmkit.data.chat.recent`).
    """
    if not isinstance(messages, list | tuple):
        raise FmkitError("the messages must be a list: [{'role': 'user', 'content': '…'}]")
    return "".join(stream(model, tokenizer, messages, max_new_tokens, temperature, seed=seed, stop=stop))


def stream(
    model: Transformer,
    tokenizer: Tokenizer,
    prompt: str | Sequence[Message],
    max_new_tokens: int = 100,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
) -> Iterator[str]:
    """Yield, while it is written, what `generate` adds to a text, or what `reply` says to messages.

    A piece is whole characters, and never a part of a `stop` string. Raises `FmkitError` as they do, before
    the first piece.
    """
    require_writer(model)
    tokenizer = as_tokenizer(tokenizer)
    ids, ends = prompt_ids(tokenizer, prompt), end_ids(tokenizer)
    text = Pieces(tokenizer, ids if isinstance(prompt, str) else (), as_stops(stop))
    _check(model, [ids], max_new_tokens, temperature, top_k, top_p, seed)
    steps = _steps(model, [ids], max_new_tokens, temperature, top_k, top_p, seed, (0,))
    return _write(text, (int(tokens) for tokens in steps), ends)


def _write(text: Pieces, tokens: Iterator[int], ends: Collection[int]) -> Iterator[str]:
    for token in tokens:
        if token in ends:
            break
        if piece := text.add(token):
            yield piece
        if text.stopped:
            return
    if piece := text.end():
        yield piece


def prompt_ids(tokenizer: Tokenizer, prompt: str | Sequence[Message]) -> list[int]:
    """Encode a text to continue, or messages to answer. Raises `FmkitError` for faulty ones."""
    if not isinstance(prompt, str):
        return chat_prompt(prompt, tokenizer)
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise FmkitError(f"the prompt is not valid Unicode at character {error.start}") from None
    return tokenizer.encode(prompt).ids


@torch.inference_mode()
def generate_ids(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    eos_id: int | Collection[int] | None = None,
    numbers: Sequence[int] | None = None,
    keep_end: bool = False,
) -> list[list[int]]:
    """Generate token ids for each of `prompts`; each ends before its `eos_id`, or with it if `keep_end`.

    An answer has at most `max_new_tokens` tokens, and ends where its context is full. It depends on its
    prompt, `seed` and its number (default: 0, 1, …), not on the other prompts: shorter ones are padded on the
    left, where nothing sees it.
    """
    _check(model, prompts, max_new_tokens, temperature, top_k, top_p, seed)
    ends = (eos_id,) if isinstance(eos_id, int) else tuple(eos_id or ())
    most = _rooms(model, prompts, max_new_tokens)
    room = torch.tensor(most, device=model.device)
    ended = torch.zeros(len(prompts), dtype=torch.bool, device=model.device)
    made: list[Tensor] = []
    numbers = numbers or range(len(prompts))
    for tokens in _steps(model, prompts, max_new_tokens, temperature, top_k, top_p, seed, numbers):
        made.append(tokens)
        ended |= room <= len(made)
        for end in ends:
            ended |= tokens == end
        if ended.all():
            break
    rows = [row[:n] for row, n in zip(torch.stack(made, dim=1).tolist(), most, strict=True)]
    said = [through_end(row, ends) for row in rows]
    return said if keep_end else [before_end(row, ends) for row in said]


@torch.inference_mode()
def _steps(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    seed: int | None,
    numbers: Sequence[int],
) -> Iterator[Tensor]:
    """Yield the next token of each prompt, (B,), until the one with the most room has as many as it may."""
    model = with_cast_weights(model.eval())
    device, longest = model.device, max(map(len, prompts))
    most = max(_rooms(model, prompts, max_new_tokens))
    missing = [longest - len(prompt) for prompt in prompts]
    padding = torch.tensor(missing, device=device) if any(missing) else None
    cache = model.new_cache(len(prompts), longest + most, padding)
    padded = [[0] * short + list(prompt) for short, prompt in zip(missing, prompts, strict=True)]
    tokens = torch.tensor(padded, device=device)
    for draw in draw_numbers(seed, numbers, most).to(device).T:
        logits = next_logits(model, tokens, cache)
        tokens = pick(logits, temperature, top_k, top_p, draw)[:, None]
        yield tokens[:, 0]


def with_cast_weights(model: Transformer) -> Transformer:
    """Return the model with weights in the number format of its arithmetic, which no step then has to cast.

    In float32 this is the model itself, else a copy that is only read.
    """
    if model.dtype == torch.float32:
        return model
    shared: dict[int, Tensor] = {id(buffer): buffer for buffer in model.buffers()}
    for p in model.parameters():
        shared[id(p)] = nn.Parameter(p.detach().to(model.dtype), requires_grad=False)
    return copy.deepcopy(model, shared)


def next_logits(model: Transformer, tokens: Tensor, cache: Cache) -> Tensor:
    """Compute the logits (B, V) that follow tokens (B, T), which the cache takes up.

    Raises `FmkitError` where a prompt gives none: they are not finite numbers.
    """
    begins = cache.length == 0
    logits = model.lm_head(model.hidden_states(tokens, cache=cache)[:, -1]).float()  # of the last token alone
    if begins and not logits.isfinite().all():
        raise FmkitError("the model's predictions are not finite numbers: its training has failed")
    return logits


def _rooms(model: Transformer, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> list[int]:
    """How many tokens each answer may have."""
    return [min(max_new_tokens, model.config.max_position_embeddings - len(prompt)) for prompt in prompts]


def before_end(ids: list[int], ends: Collection[int]) -> list[int]:
    """Drop the last token of an answer if it is one of those that end answers."""
    return ids[:-1] if ids and ids[-1] in ends else ids


def draw_numbers(seed: int | None, numbers: Sequence[int], count: int) -> Tensor:
    """Draw `count` whole numbers below `DRAWS` for each of the B `numbers`: (B, count).

    Rows of different numbers are independent, also those of different seeds; None is a new seed.
    """
    entropy = np.random.SeedSequence(seed).entropy
    seeds = [np.random.SeedSequence(entropy, spawn_key=(number,)) for number in numbers]
    rows = [np.random.default_rng(each).integers(DRAWS, size=count) for each in seeds]
    return torch.from_numpy(np.stack(rows))


def pick(logits: Tensor, temperature: float, top_k: int | None, top_p: float | None, draw: Tensor) -> Tensor:
    """Choose one token id for each row of `logits` (B, V) by its number in `draw` (B,), below `DRAWS`.

    `top_k` keeps the k likeliest tokens; `top_p` the fewest whose probabilities reach p (Holtzman et al.
    2019, arXiv:1904.09751).
    """
    if temperature < 1e-30:  # 0, or so small that a division by it is infinite
        return logits.argmax(-1)
    logits = logits / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        weakest = logits.topk(top_k).values[:, -1:]
        logits = logits.masked_fill(logits < weakest, float("-inf"))
    probabilities = logits.softmax(-1)
    if top_p is not None and top_p < 1:
        sorted_p, order = probabilities.sort(-1, descending=True)
        surplus = sorted_p.cumsum(-1) - sorted_p >= top_p  # those after the ones that reach p
        probabilities = probabilities.masked_fill(surplus.scatter(-1, order, surplus), 0.0)
    # The token into whose share of the whole the number falls. Sums of whole numbers are exact in any order.
    cumulative = (probabilities * WHOLE).long().cumsum(-1)
    return torch.searchsorted(cumulative, cumulative[:, -1:] * draw[:, None] // DRAWS, right=True)[:, 0]


def require_writer(model: Transformer) -> None:
    """Raise `FmkitError` for anything but a model that writes."""
    if isinstance(model, Classifier):
        raise FmkitError("a classifier or reward model writes no text: use a language model")
    require_kind(model, Transformer)
    model.require_causal()


def _check(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    seed: int | None,
) -> None:
    require_writer(model)
    require_numbers(int, max_new_tokens=max_new_tokens, top_k=top_k, seed=seed)
    require_numbers(float, temperature=temperature, top_p=top_p)
    if not prompts or not all(prompts):
        raise FmkitError("give one prompt or more, of at least one token each")
    length, context = max(map(len, prompts)), model.config.max_position_embeddings
    if length >= context:
        raise FmkitError(f"the prompt has {length} tokens and the model's context {context}: shorten it")
    if max(map(max, prompts)) >= model.config.vocab_size:
        raise FmkitError("the tokenizer has more tokens than the model: use the one it was trained with")
    if max_new_tokens < 1 or not temperature >= 0:
        raise FmkitError("max_new_tokens must be at least 1 and temperature at least 0")
    if (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise FmkitError("top_k must be at least 1 and top_p between 0 and 1")
    if seed is not None and not 0 <= seed < 2**63:
        raise FmkitError(f"seed={seed} must lie between 0 and 2**63 - 1")
