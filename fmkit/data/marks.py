"""Special tokens of other models that are written out in texts."""

import re
import sys
from collections import Counter
from typing import Any

from datasets import Dataset

MARK = re.compile(r"<\|\w{1,40}\|>|</s>|\[/INST\]|<(?:start|end)_of_turn>")
FIRST = 1000  # rows that are looked at


def tell_marks(dataset: Any) -> None:
    """Say on standard error if rows have special tokens written out, of which a model learns the characters.

    A tokenizer takes what a text says for text, its own special tokens included. Streams are not looked at.
    """
    if not isinstance(dataset, Dataset):
        return
    rows = dataset.take(min(FIRST, len(dataset)))
    found = Counter(mark for row in rows for mark in set(MARK.findall(str(row))))
    if found:
        (mark, count), others = found.most_common(1)[0], len(found) - 1
        more = f" (and {others} like it)" if others else ""
        told = f"{count} of the first {len(rows)} rows say {mark}{more}, which is learned as characters"
        print(f"fmkit: {told}: take it out, unless the model is to write it", file=sys.stderr)
