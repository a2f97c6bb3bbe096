"""Whether a model's answers are right, character for character."""

from collections.abc import Sequence

import torch
from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.data.batches import IGNORE
from fmkit.data.chat import Message, chat_prompt, encode_chat, end_ids, through_end
from fmkit.data.example_batches import last_answer
from fmkit.data.tokenizer import PAD, as_tokenizer, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.sampling import BATCH, answered, complete
from fmkit.generation import before_end, require_writer
from fmkit.model import Transformer
from fmkit.objectives import log_probs
from fmkit.settings import as_several


def exact_match(answers: Sequence[str], truth: Sequence[str]) -> float:
    """Compute the share of answers that are right, ignoring space around them.

    Raises `FmkitError` for none.
    """
    answers, truth = as_several(answers), as_several(truth)
    if not truth or len(answers) != len(truth):
        raise FmkitError(f"{len(answers)} answers for {len(truth)} questions: give one for each")
    return sum(a.strip() == t.strip() for a, t in zip(answers, truth, strict=True)) / len(truth)


def answer_examples(
    model: Transformer, tokenizer: Tokenizer, examples: Dataset
) -> tuple[list[str], list[str]]:
    """Return what the model says, and what it should, in each example's last turn; the likeliest tokens.

    `examples` are those of `tokenize_completions`.
    """
    prompts, truth, ends = [], [], end_ids(tokenizer)
    for row in examples:
        labels = last_answer(row["labels"])
        start = next(i for i, label in enumerate(labels) if label != IGNORE)
        prompts.append(row["input_ids"][:start])
        truth.append(through_end([label for label in labels[start:] if label != IGNORE], ends))
    longest = max(map(len, truth))
    said = complete(model, prompts, longest, ends, temperature=0)
    return [tokenizer.decode(ids) for ids in said], [tokenizer.decode(before_end(ids, ends)) for ids in truth]


def answer_messages(
    model: Transformer,
    tokenizer: Tokenizer,
    conversations: Sequence[Sequence[Message]],
    max_new_tokens: int = 32,
) -> tuple[list[str], list[float]]:
    """Return the likeliest answer to each conversation, and the probability that the model gives to it.

    The probability is that of the whole answer with its end, the product over its tokens. Raises `FmkitError`
    for a conversation that fills the context, and for a tokenizer without chat tokens.
    """
    tokenizer = as_tokenizer(tokenizer)
    prompts, ends = [chat_prompt(messages, tokenizer) for messages in conversations], end_ids(tokenizer)
    said = complete(model, prompts, max_new_tokens, ends, temperature=0, keep_end=True)
    sure = _probabilities(model, tokenizer, prompts, said)
    return [tokenizer.decode(before_end(ids, ends)) for ids in said], sure


def probability_of(
    model: Transformer, tokenizer: Tokenizer, conversations: Sequence[Sequence[Message]], answer: str
) -> list[float]:
    """Return the probability that each conversation is answered with exactly `answer`.

    Raises `FmkitError` as `answer_messages` does.
    """
    require_writer(model)
    tokenizer = as_tokenizer(tokenizer)
    prompts, answers, context = [], [], model.config.max_position_embeddings
    for messages in conversations:
        ids, labels = encode_chat([*messages, {"role": "assistant", "content": answer}], tokenizer)
        said = [label for label in last_answer(labels) if label != IGNORE]
        start = next(i for i, label in enumerate(last_answer(labels)) if label != IGNORE)
        prompts.append(ids[:start])
        answers.append(through_end(said, end_ids(tokenizer))[: context - start])
    return _probabilities(model, tokenizer, prompts, answers)


def _probabilities(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Sequence[list[int]],
    said: Sequence[list[int]],
) -> list[float]:
    pad = special_id(tokenizer, PAD)
    sure: list[float] = []
    for start in range(0, len(prompts), BATCH):
        part = slice(start, start + BATCH)
        batch = answered(model, prompts[part], said[part], pad)
        with torch.no_grad():
            sure += log_probs(model, batch).exp().tolist()
    return sure
