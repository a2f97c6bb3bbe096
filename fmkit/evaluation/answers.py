"""Whether a model's answers are right, character for character."""

from collections.abc import Sequence

from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.data.batches import IGNORE
from fmkit.data.example_batches import last_answer
from fmkit.data.tokenizer import EOS, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.sampling import complete
from fmkit.model import Transformer


def exact_match(answers: Sequence[str], truth: Sequence[str]) -> float:
    """Compute the share of answers that are right, ignoring space around them.

    Raises `FmkitError` for none.
    """
    if not truth or len(answers) != len(truth):
        raise FmkitError(f"{len(answers)} answers for {len(truth)} questions: give one for each")
    return sum(a.strip() == t.strip() for a, t in zip(answers, truth, strict=True)) / len(truth)


def answer_examples(
    model: Transformer, tokenizer: Tokenizer, examples: Dataset
) -> tuple[list[str], list[str]]:
    """Return what the model says, and what it should, in each example's last turn; the likeliest tokens.

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
