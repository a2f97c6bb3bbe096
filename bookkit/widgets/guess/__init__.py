"""The `guess` directive: the reader's next word beside a model's, in the five steps of training.

    ```{guess} once-upon-a-time
    ```

reads assets/guess/once-upon-a-time.json, which this module records from a trained model:

    python -m bookkit.widgets.guess DIRECTORY "Once upon a time, there was a happy young" FILE \\
        --trained "the command that made the model" --model "the model in words"

{"prompt": …, "top": [{"word": …, "p": …}, …], "model": …, "command": …, "live": …}: the ten likeliest words,
likeliest first; what kind of model it was; the commands that make it and this file again; and its name, if
it is one of assets/models. Then the page asks it for other words, and for other beginnings.
"""

import heapq
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.entries import Entry, read
from bookkit.site.page_widget import PageWidget

FOLDER = "assets/guess"
MODELS = "assets/models"
TOP = 10
END = "(end of text)"


@dataclass(frozen=True)
class Record:
    prompt: str
    top: tuple[tuple[str, float], ...]
    model: str
    command: str
    live: str


def read_record(path: Path, file: str) -> Record:
    """A recorded prediction; raises FmkitError with `file`, line and the first fault. (JSON is YAML.)"""
    fields = read(path, file).fields("a record", ["prompt", "top", "model", "command"], ["live"])
    top: list[tuple[str, float]] = []
    for entry in fields["top"].list("top"):
        word, p = read_word(entry)
        if top and p > top[-1][1]:
            raise entry.fault("the likeliest word comes first")
        if word in dict(top):
            raise entry.fault(f"the word {word!r} is there twice")
        top.append((word, p))
    if len(top) < 3 or sum(p for _, p in top) > 1.001:
        raise fields["top"].fault("top needs three words or more, whose probabilities together are 1 at most")
    words = {name: fields[name].text(name) for name in ("prompt", "model", "command")}
    live = fields["live"].text("live", r"[a-z-]+", "the name of a model") if "live" in fields else ""
    return Record(top=tuple(top), live=live, **words)


def read_word(entry: Entry) -> tuple[str, float]:
    fields = entry.fields("a word", ["word", "p"])
    p = fields["p"].number("p")
    if not 0 < p <= 1:
        raise fields["p"].fault("p must be above 0 and at most 1")
    return fields["word"].text("word"), p


def record(directory: str | Path, prompt: str) -> list[dict[str, Any]]:
    """The likeliest next words of the model in `directory`, with their probabilities.

    A word may be put together from several tokens: its probability is the product of theirs, times that of
    all tokens that begin something new after it. The likeliest beginnings are followed first, so the ten
    words that are found first are the likeliest ten.
    """
    import torch

    from fmkit import Transformer, load_tokenizer

    model = Transformer.from_pretrained(directory).eval()
    tokenizer = model.tokenizer or load_tokenizer(directory)
    start = tokenizer.encode(prompt).ids
    pieces = [tokenizer.decode([token]) for token in range(model.config.vocab_size)]
    goes_on = torch.tensor([piece[:1].isalpha() or piece[:1] == "'" for piece in pieces])
    found: dict[str, float] = {}  # a word that can be put together in two ways has both probabilities
    agenda: list[tuple[float, tuple[int, ...], bool]] = [(-1.0, (), False)]
    while agenda and len(found) < TOP:
        minus_p, ids, whole = heapq.heappop(agenda)
        if whole:
            word = tokenizer.decode(list(ids)).strip() or END
            found[word] = found.get(word, 0.0) - minus_p
            continue
        with torch.inference_mode():
            after = model(torch.tensor([[*start, *ids]]))[0, -1].float().softmax(-1)  # (V,)
        next_tokens = goes_on if ids else ~goes_on
        if ids:
            heapq.heappush(agenda, (minus_p * after[~goes_on].sum().item(), ids, True))
        best = torch.where(next_tokens, after, 0.0).topk(4 * TOP)
        for p, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            ended = not pieces[token].strip().isalpha()  # a sign or the end of the text is whole by itself
            heapq.heappush(agenda, (minus_p * p, (*ids, token), ended))
    best_first = sorted(found.items(), key=lambda one: -one[1])
    return [{"word": word, "p": round(p, 4)} for word, p in best_first if round(p, 4)]


class Guess(PageWidget):
    """A record as the five steps of training, with a field for the reader's guess."""

    widget = "guess"
    required_arguments = 1

    def values(self) -> dict[str, Any]:
        file = f"{FOLDER}/{self.arguments[0]}.json"
        recorded = read_record(self.source(file), file)
        # The words to pick from are in an order that gives nothing away.
        picks = sorted((word for word, _ in recorded.top), key=str.casefold)
        return {
            "recorded": recorded,
            "picks": picks,
            "nats": lambda p: f"{-math.log(p):.2f}",
            "size": self.size(recorded.live) if recorded.live else "",
        }

    def size(self, model: str) -> str:
        """How much is loaded when the model is asked: half of its float32 weights."""
        return f"{self.source(f'{MODELS}/{model}/model.safetensors').stat().st_size / 2000:,.0f} kB"


def setup(app: Sphinx) -> None:
    app.add_directive("guess", Guess)
