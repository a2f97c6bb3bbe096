"""The `prompts` directive: models of the book answer one prompt, side by side.

    ```{prompts} base assistant
    ```

The arguments are names of `MODELS`, in the order in which they are shown; without any it offers all. A name
that ends in `-int8` is the same model in 8 bits, where the site has it. A model runs in the reader's browser
(see `bookkit.engine`) and is loaded when the reader first asks it. A file that `python -m bookkit.engine
DIRECTORY FILE` wrote can be opened beside them.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from bookkit.engine.packing import IN_8_BITS, INT8, pack
from bookkit.site.page_widget import PageWidget
from fmkit.config import ModelConfig
from fmkit.errors import FmkitError
from fmkit.flops import num_parameters

FOLDER = "assets/models"
BYTES = 2  # of a weight, in float16

MODELS = {  # what each is, and what kind of training made it, which has a color
    "base": ("has read the stories of the story world, and continues one", "pretraining"),
    "assistant": ("base, after a shop’s dialogs and instruction tuning: answers customers", "finetuning"),
    "preference-start": ("base, after stories with kind and unkind endings", "adaptation"),
    "aligned": ("preference-start, after DPO on pairs of endings: prefers kind ones", "alignment"),
    "domain-adapted": ("base, after invented medical notes with some stories mixed in", "adaptation"),
    "teacher": ("a larger model, trained longer on the stories that base has read", "pretraining"),
    "reader": ("has learned to answer from an almanac page that it is given", "finetuning"),
    "student": ("a small model that has learned the teacher’s probabilities", "distillation"),
}


class Suggestion(NamedTuple):
    """A prompt, and the models whose difference it shows."""

    title: str
    prompt: str
    models: tuple[str, ...]


STORY = "Once upon a time,"
TICKET = "What did a bus ticket in Foxley cost in 2023?"
SUGGESTIONS = (
    Suggestion(
        "Remember a fact",
        "Once upon a time, a happy sheep named Fluff lived in a cave. Her favorite food was cherries. On a "
        "lovely morning, Fluff saw a yellow bee in a puddle and helped it out with a red fork. "
        '"Thank you," said the bee.',
        ("student", "base", "teacher"),
    ),
    Suggestion("Begin a story", STORY, ("student", "base", "teacher")),
    Suggestion("Ask for help", "I forgot my password. What can I do?", ("base", "assistant")),
    Suggestion(
        "Return a kettle",
        "Hello. Can I return the kettle that I bought 3 days ago?",
        ("base", "assistant"),
    ),
    Suggestion("Ask for a story", "Lily was a", ("base", "assistant")),
    Suggestion(
        "End a story",
        "Emma was a lively girl who lived near the woods. One day, Sue fell into a puddle.",
        ("preference-start", "aligned"),
    ),
    Suggestion(
        "End another",
        "Finn lived on a hill. His favorite food was toast. One Wednesday, Noah had to carry a paper box of "
        "lemons.",
        ("preference-start", "aligned"),
    ),
    Suggestion("Begin a medical note", "Tom Berry, a 56-year-old builder,", ("base", "domain-adapted")),
    Suggestion(
        "Ask about a page",
        "In 2023, the tree of the year in Foxley was the pine. The cup was won by the Owls. "
        f"A bus ticket cost three coins.\n{TICKET}",
        ("assistant", "reader"),
    ),
    Suggestion("Ask without a page", TICKET, ("assistant", "reader")),
    Suggestion(
        "Give the page of another year",
        "Emma was the mayor of Foxley in 2022. The price of a bus ticket was five coins. "
        f"People planted fig trees.\n{TICKET}",
        ("assistant", "reader"),
    ),
    Suggestion(
        "Ask about an unknown town", "Who was the mayor of Thornwick in 2023?", ("assistant", "reader")
    ),
)


class Prompts(PageWidget):
    """One prompt, and the answers of several models."""

    widget = "prompts"
    optional_arguments = len(MODELS)

    def values(self) -> dict[str, Any]:
        names = list(dict.fromkeys(self.arguments)) or list(MODELS)
        for name in names:
            if name not in MODELS and name not in (f"{one}{INT8}" for one in IN_8_BITS):
                place = f"{self.env.doc2path(self.env.docname)}:{self.lineno}"
                raise FmkitError(f"{place}: no model {name!r}: choose from {', '.join(MODELS)}")
        suggestions = suggest(names)
        return {
            "models": [describe(name, self.source(f"{FOLDER}/{plain(name)}/config.json")) for name in names],
            "in_8_bits": any(name.endswith(INT8) for name in names),
            "suggestions": suggestions,
            "chosen": suggestions[0].models if len(suggestions[0].models) > 1 else names[:3],
        }


def describe(name: str, path: Path) -> dict[str, Any]:
    """What a page says of a model before it is loaded."""
    config = ModelConfig.from_hugging_face(json.loads(path.read_text(encoding="utf-8")))
    what, kind = MODELS[plain(name)]
    count = num_parameters(config)
    size = BYTES * count
    if name.endswith(INT8):
        what = f"{plain(name)} with matrices in 8 bits"
        size -= len(pack(path.parent)) - len(pack(path.parent, int8=True))
    return {"name": name, "what": what, "kind": kind, "parameters": count, "bytes": size}


def plain(name: str) -> str:
    """The name of a model without the mark of its bits."""
    return name.removesuffix(INT8)


def suggest(names: list[str]) -> list[Suggestion]:
    """The prompts that show a difference between two of these models or more; if there are none, a story."""
    shown = [
        one._replace(models=tuple(name for name in names if plain(name) in one.models)) for one in SUGGESTIONS
    ]
    return [one for one in shown if len(one.models) > 1] or [one for one in shown if one.prompt == STORY]


def setup(app: Sphinx) -> None:
    app.add_directive("prompts", Prompts)
