"""The `overlap` directive: a reader's sentence against a reference, scored by ROUGE and BLEU, what they share
marked.

    ```{overlap}
    ```

The ready-made sentences are facts of the book's worlds, so the page can say which of them is true (tested);
what a reader types is scored in the page, by ngrams.js, and nobody knows whether it is true.
"""

from dataclasses import dataclass
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.evaluation.overlap import rouge, sentence_bleu


@dataclass(frozen=True)
class Example:
    """A reference, and two sentences of which the world says that one is true and one is false."""

    kind: str
    context: str
    reference: str
    right: str
    wrong: str


EXAMPLES = (
    Example(
        "order",
        "A customer writes: got a robot, but ordered a lamp",
        "Please keep the robot. We will send you the lamp today.",
        "You can keep the robot. We will send you the lamp right away.",
        "Please keep the lamp. We will send you the robot today.",
    ),
    Example(
        "number",
        "A customer asks for the price of the coat",
        "The coat costs 90 dollars.",
        "The price is 90 dollars.",
        "The coat costs 57 dollars.",
    ),
    Example(
        "negation",
        "A review of a lamp that praises its style",
        "The style was not ugly at all.",
        "The style was truly nice.",
        "The style was ugly.",
    ),
    Example(
        "paraphrase",
        "From the almanac of an invented country",
        "In 2021, the mayor of Seaholm was Emma.",
        "Emma was the mayor of Seaholm in 2021.",
        "In 2021, the mayor of Seaholm was Ben.",
    ),
    Example(
        "length",
        "A customer asks for the price of the car",
        "Hello! The car costs 45 dollars. Is there anything else I can do?",
        "It costs 45 dollars.",
        "Hello! The car costs 77 dollars. Is there anything else I can do?",
    ),
)


def scores(text: str, reference: str) -> dict[str, str]:
    """The four scores of a sentence, as the page writes them."""
    values = {**rouge([text], [reference]), "bleu": sentence_bleu(text, reference)}
    return {name: f"{value:.2f}" for name, value in values.items()}


class Overlap(PageWidget):
    """Fields for two sentences, what they share, and the scores."""

    widget = "overlap"

    def values(self) -> dict[str, Any]:
        rows = [
            {
                "example": one,
                "texts": [
                    {"text": text, "is_true": text == one.right, "scores": scores(text, one.reference)}
                    for text in (one.right, one.wrong)
                ],
            }
            for one in EXAMPLES
        ]
        return {"rows": rows, "first": EXAMPLES[0]}


def setup(app: Sphinx) -> None:
    app.add_directive("overlap", Overlap)
