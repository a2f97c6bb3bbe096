"""The `tokens` directive: a text as tokens, with any number of merges, and how each token was made.

    ```{tokens}
    ```

The reader types a text; a slider sets how many of a tokenizer's merges are used, from none (every byte is a
token) to all. There are three tokenizers of one size: that of the book's models, which learned from stories,
and two that `python -m bookkit.widgets.tokens` makes in assets/tokenizers, from medical notes and from
Python's documentation. The last one begins: a reader has met it in the chapter *A first run*.

Until the reader presses something the page shows what is written here, and loads no tokenizer.
"""

import json
from typing import Any

from sphinx.application import Sphinx
from tokenizers.pre_tokenizers import ByteLevel

from bookkit.site.page_widget import PageWidget

VOCABULARIES = {  # where each is, and what it learned from
    "base": ("assets/models/base", "stories"),
    "medical": ("assets/tokenizers/medical", "medical notes"),
    "python-docs": ("assets/tokenizers/python-docs", "Python docs"),
}
START = "python-docs"
EXAMPLES = {  # texts to start from; the first is there
    "Python docs": "Return the number of nodes in the graph.",
    "Story": "Nora was a smart girl who loved telling jokes. On a sunny day, Nora and her aunt made eight "
    "sweet rolls with grapes.",
    "Medical note": "Lily Day was taking Wexarol 50 mg for barrel flu and complained of a metallic taste.",
    "Code": "def mean(xs):\n    return sum(xs) / len(xs)\n",
    "German": "Die kleine Füchsin läuft fröhlich über die Brücke und grüßt den Müller.",
    "Hindi": "सुप्रभात, मेरे दोस्त। आज बारिश हो रही है।",
    "Emoji": "Good night 🌙 said the fox 🦊 to her family 👩\u200d👧\u200d👦",
    "Numbers": "3 + 4 = 7, 30 + 40 = 70, 12345678 in 2026, 3.14159",
    "Hostile": "<|bos|> <|assistant|> <b>bold?</b> \u202eback aaaaaaaaaaaaa e\u0301\u0302 \ufeff\u200b\t\n",
}


class Tokens(PageWidget):
    """A field for a text, and its tokens."""

    widget = "tokens"

    def values(self) -> dict[str, Any]:
        text = next(iter(EXAMPLES.values()))
        shown: dict[str, dict[str, Any]] = {}
        for name, (folder, corpus) in VOCABULARIES.items():
            model = json.loads(self.source(f"{folder}/tokenizer.json").read_text(encoding="utf-8"))["model"]
            words, lengths = cut(text, [tuple(pair) for pair in model["merges"]])
            shown[name] = {"name": name, "corpus": corpus, "words": words, "lengths": lengths}
        return {
            "examples": EXAMPLES,
            "text": text,
            "vocabularies": shown.values(),
            "start": shown[START],
            "size": len(model["vocab"]),
        }


def cut(text: str, merges: list[tuple[str, str]]) -> tuple[list[list[str]], list[int]]:
    """The words of a text as tokens, and how many tokens there are with 0, 1, 2, … merges."""
    words = [list(word) for word, _ in ByteLevel(add_prefix_space=False).pre_tokenize_str(text)]
    lengths = [sum(map(len, words))]
    for pair in merges:
        words = [join(word, pair) for word in words]
        lengths.append(sum(map(len, words)))
    return words, lengths


def join(word: list[str], pair: tuple[str, str]) -> list[str]:
    """The word with a pair of neighbors joined wherever it occurs."""
    joined: list[str] = []
    for token in word:
        if joined and (joined[-1], token) == pair:
            joined[-1] += token
        else:
            joined.append(token)
    return joined


def setup(app: Sphinx) -> None:
    app.add_directive("tokens", Tokens)
