"""Writing: a model's texts, or its answers to prompts, for another model to learn from."""

import sys
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.data.chat import chat_prompt, encode_prompt, end_ids
from fmkit.data.given import PROMPTS, as_dataset
from fmkit.data.tables import Data
from fmkit.data.tokenizer import BOS, as_tokenizer, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.sampling import complete
from fmkit.generation import require_writer
from fmkit.model import Transformer
from fmkit.settings import require_numbers


def write_corpus(
    model: Transformer,
    tokenizer: Tokenizer,
    n: int,
    *,
    prompt: str = "",
    max_new_tokens: int | None = None,
    temperature: float = 1.0,
    seed: int = 0,
) -> Dataset:
    """Write `n` texts, in a column `text`, for a student to be trained on (Kim and Rush 2016,
    arXiv:1606.07947, section 3.2).

    Each begins with `prompt` and ends where the model ends it, or after `max_new_tokens` (default: the
    context). Raises `FmkitError` as `fmkit.generation.generate` does.
    """
    require_writer(model)
    require_numbers(int, n=n, max_new_tokens=max_new_tokens)
    tokenizer = as_tokenizer(tokenizer)
    start = tokenizer.encode(prompt).ids if prompt else [special_id(tokenizer, BOS)]
    room = model.config.max_position_embeddings if max_new_tokens is None else max_new_tokens
    rows = complete(model, [start] * n, room, end_ids(tokenizer), temperature, seed)
    return Dataset.from_dict({"text": [tokenizer.decode(start + row) for row in rows]})


def write_answers(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Data,
    *,
    max_new_tokens: int | None = None,
    temperature: float = 0.0,
    seed: int = 0,
) -> Dataset:
    """Answer prompts, for a student to be fine-tuned on: prompt and completion, or messages.

    `prompts` are those of `fmkit.data.examples.load_prompts`, or a list of texts; other columns are dropped.
    An answer ends where the model ends it, or after `max_new_tokens` (default: the context). Prompts that
    fill the context or get no answer are left out, and standard error says how many. Raises `FmkitError`
    where none is left, and as `fmkit.generation.generate` does.
    """
    require_writer(model)
    require_numbers(int, max_new_tokens=max_new_tokens)
    tokenizer, given = as_tokenizer(tokenizer), as_dataset(prompts, PROMPTS)
    are_messages = "messages" in given.column_names
    asked = list(given["messages" if are_messages else "prompt"])
    encode = chat_prompt if are_messages else encode_prompt
    longest = model.config.max_position_embeddings
    ids = {i: encoded for i, each in enumerate(asked) if len(encoded := encode(each, tokenizer)) < longest}
    room = longest if max_new_tokens is None else max_new_tokens
    said = complete(model, list(ids.values()), room, end_ids(tokenizer), temperature, seed)
    rows: list[dict[str, Any]] = []
    for i, answer in zip(ids, map(tokenizer.decode, said), strict=True):
        if answer.strip() and are_messages:
            rows.append({"messages": [*asked[i], {"role": "assistant", "content": answer}]})
        elif answer.strip():
            rows.append({"prompt": asked[i], "completion": answer})
    _report_unanswered(len(asked), len(rows))
    return Dataset.from_list(rows)


def _report_unanswered(asked: int, answered: int) -> None:
    if not answered:
        raise FmkitError(f"none of {asked} prompts got an answer: shorten them, or use another model")
    if answered < asked:
        print(
            f"fmkit: {asked - answered} of {asked} prompts are left out: they fill the context or got no "
            "answer",
            file=sys.stderr,
        )
