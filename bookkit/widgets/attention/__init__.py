"""The `attention` directive: where each head of a model looks in the reader's own text, and what comes next.

    ```{attention} base
    ```

names a model of assets/models that the page can open, `base` if none. The reader chooses or writes a text,
the page's own engine reads it, and every token, head, and change of the text shows its numbers. Until the
reader presses the button the page loads no model, and shows what is written here.

What `EXAMPLES` say about the base model was measured, and tests/bookkit/test_attention.py measures it again.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sphinx.application import Sphinx

from bookkit.engine.packing import MODELS
from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError
from fmkit.model import Transformer, open_model


@dataclass(frozen=True)
class Change:
    """Another text to compare with, and what the comparison shows."""

    label: str
    text: str
    shows: str


@dataclass(frozen=True)
class Example:
    """A text, the head to look at (counted from 1), and what it does at the last token."""

    title: str
    text: str
    head: tuple[int, int]  # (layer, head)
    shows: str
    changes: tuple[Change, ...]


NAMED = "Once upon a time, there was a girl named Lily. One day,"
KITE = (
    "Leo was a kind boy who loved baking. One quiet day, Leo flew his red kite by the lake. The wind blew it "
    'into a tree. Soon Pia came with a ladder and got it down. "Oh, thank you," cried'
)
LOST = "Once upon a time, there was a boy named Tim. One day, Tim lost his kite."
ORANGE = (
    "Once upon a time, there was a shy girl named Molly. One day, it was Mia's birthday. Mia's favorite "
    "color was orange, so Molly made an"
)
BALL = "Once upon a time, there was a boy named Tim. One day, Tim lost his ball. He looked for the"
EXAMPLES = (
    Example(
        "A name",
        NAMED,
        (3, 3),
        "From the last comma, this head looks at “Lily”, and the model expects that name.",
        (
            Change(
                "Replace “Lily” with “Tim”",
                NAMED.replace("Lily", "Tim"),
                "The head looks at the new name, and the model expects it, even of a girl.",
            ),
        ),
    ),
    Example(
        "Who says thanks?",
        KITE,
        (3, 3),
        "Leo appears twice. From “cried”, this head looks at the later one, across forty tokens.",
        (
            Change(
                "Replace the later “Leo” with “Tim”",
                KITE.replace("day, Leo", "day, Tim"),
                "The model expects Tim now: the token that this head looked at does matter.",
            ),
            Change(
                "Replace the first one instead",
                KITE.replace("Leo was", "Tim was"),
                "The model still expects Leo.",
            ),
        ),
    ),
    Example(
        "He or she?",
        LOST,
        (1, 2),
        "From the last period, this head looks mostly at “his”, and the model expects “He”. Is “his” the "
        "reason?",
        (
            Change(
                "Replace “his” with “her”",
                LOST.replace("his", "her"),
                "This head looks at “her” even more, and the model still expects “He”. Little depends on the "
                "word with most of the weight.",
            ),
            Change(
                "Replace the boy and his name",
                LOST.replace("boy", "girl").replace("Tim", "Lily"),
                "Only now does the model expect “She”, though the text still says “his”.",
            ),
        ),
    ),
    Example(
        "A color",
        ORANGE,
        (3, 2),
        "Mia likes orange, this head looks at “color”, and “or”, the beginning of “orange”, is the likeliest "
        "token. Did the model read the color?",
        (
            Change(
                "Replace “orange” with “red”",
                ORANGE.replace("orange", "red"),
                "No: the model still expects “or”.",
            ),
            Change(
                "Replace “an” with “a”",
                ORANGE.removesuffix("n"),
                "Now “or” is gone, though Mia still likes orange. It was the article: few colors begin with "
                "a vowel.",
            ),
        ),
    ),
    Example(
        "A lost ball",
        BALL,
        (2, 3),
        "Tim lost his ball, and looks for …? From “the”, no head gives “ball” as much as a tenth of its "
        "weight, and the model doesn't expect it: this small model forgets who has what.",
        (
            Change(
                "Replace “ball” with “kite”",
                BALL.replace("ball", "kite"),
                "The three likeliest tokens stay the same, and “kite” isn't among the ten.",
            ),
        ),
    ),
)


class Attention(PageWidget):
    """A field for a text, and the heads of a model that reads it."""

    widget = "attention-explorer"
    optional_arguments = 1

    def values(self) -> dict[str, Any]:
        name = self.arguments[0] if self.arguments else "base"
        config = self.source(f"{MODELS}/{name}/config.json")
        if not config.is_file() or not isinstance(model := open_model(config.parent), Transformer):
            place = f"{self.env.doc2path(self.env.docname)}:{self.lineno}"
            raise FmkitError(f"{place}: no language model {name!r} in {MODELS}")
        numbers = sum(weight.numel() for weight in model.weights().values())
        return {
            "model": name,
            "megabytes": numbers * 2 * 4 / 3 / 1e6,  # float16, in base64
            "examples": [asdict(one) for one in EXAMPLES],
        }


def setup(app: Sphinx) -> None:
    app.add_directive("attention", Attention)
