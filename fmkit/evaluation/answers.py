"""Whether a model's answers are right, letter for letter."""

from collections.abc import Sequence

from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.data.batches import IGNORE
from fmkit.data.chat import chat_prompt
from fmkit.data.examples import last_answer
from fmkit.data.tokenizer import EOS, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.sampling import complete
from fmkit.model import Transformer


def exact_match(answers: Sequence[str], truth: Sequence[str]) -> float:
    """Share of answers equal to the truth, but for space around them. Raises `FmkitError` for none."""
    if not truth or len(answers) != len(truth):
        raise FmkitError(f"{len(answers)} answers for {len(truth)} questions: give one for each")
    return sum(a.strip() == t.strip() for a, t in zip(answers, truth, strict=True)) / len(truth)


def answer_examples(
    model: Transformer, tokenizer: Tokenizer, examples: Dataset
) -> tuple[list[str], list[str]]:
    """What the model says, likeliest token by token, and what it should: to the last turn of each example.

    `examples` are those of `tokenize_completions`.
    """
    prompts, truth = [], []
    for row in examples:
        labels = last_answer(row["labels"])
        start = next(i for i, label in enumerate(labels) if label != IGNORE)
        prompts.append(row["input_ids"][:start])
        truth.append([label for label in labels[start:] if label != IGNORE])
    longest = max(map(len, truth))
    said = complete(model, prompts, longest, special_id(tokenizer, EOS), temperature=0)
    return [tokenizer.decode(ids) for ids in said], [tokenizer.decode(ids) for ids in truth]


def reply(
    model: Transformer,
    tokenizer: Tokenizer,
    messages: Sequence[dict[str, str]],
    max_new_tokens: int = 100,
    temperature: float = 0.0,
    seed: int = 0,
) -> str:
    """What the model says next in a conversation of messages with `role` and `content`.

    Raises `FmkitError` for a model that has not learned to chat, and for messages that fill the context.
    """
    asked, end = chat_prompt(messages, tokenizer), special_id(tokenizer, EOS)
    return tokenizer.decode(complete(model, [asked], max_new_tokens, end, temperature, seed)[0])
