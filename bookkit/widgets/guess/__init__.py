"""The `guess` directive: the reader's next word beside a model's, in the five steps of training.

    ```{guess} once-upon-a-time
    ```

reads assets/guess/once-upon-a-time.json, which this module records from a trained model:

    python -m bookkit.widgets.guess DIRECTORY "Once upon a time, there was a happy young" FILE \\
        --trained "the command that made the model" --model "the model in words"

{"prompt": …, "top": [{"word": …, "p": …}, …], "model": …, "command": …}: the ten likeliest words, likeliest
first; what kind of model it was; and the commands that make it and this file again.
"""

import argparse
import heapq
import json
import math
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bookkit.site.entries import Entry, read
from bookkit.site.html import html, report, tag
from fmkit.errors import FmkitError

FOLDER = "assets/guess"
TOP = 10
END = "(end of text)"
ADJUST = (
    "In training, the text shows which token came. The loss is the negative logarithm of its probability, "
    "and every weight moves a little, so that this token gets more of it next time."
)


@dataclass(frozen=True)
class Record:
    prompt: str
    top: tuple[tuple[str, float], ...]
    model: str
    command: str


def read_record(path: Path, file: str) -> Record:
    """A recorded prediction; raises FmkitError with `file`, line and the first fault. (JSON is YAML.)"""
    fields = read(path, file).fields("a record", ["prompt", "top", "model", "command"])
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
    return Record(top=tuple(top), **words)


def read_word(entry: Entry) -> tuple[str, float]:
    fields = entry.fields("a word", ["word", "p"])
    p = fields["p"].number("p")
    if not 0 < p <= 1:
        raise fields["p"].fault("p must be above 0 and at most 1")
    return fields["word"].text("word"), p


def record(directory: str, prompt: str) -> list[dict[str, Any]]:
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


class Guess(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = f"{FOLDER}/{self.arguments[0]}.json"
        path = Path(self.env.srcdir, file)
        self.env.note_dependency(str(path))
        try:
            recorded = read_record(path, file)
        except FmkitError as error:
            report(error)
            return []
        return [box(recorded)]


def box(recorded: Record) -> html:
    steps = [
        step("Read", "Here are the words so far.", blank(recorded.prompt)),
        step("Predict", "Which word comes next?", form(recorded)),
        step(
            "Compare",
            "A model gives every token a probability. Where a word is several tokens, their probabilities "
            "are multiplied.",
            *table(recorded),
        ),
        step("Adjust", ADJUST, losses(recorded), tag("p", role="status", class_="fm-guess-loss fm-scripted")),
        step(
            "Repeat",
            "Then the same for the next token: millions of times in this book, trillions in a large model.",
            tag("button", "Guess again", type="button", class_="fm-button fm-guess-again fm-scripted"),
        ),
    ]
    return tag(
        "section",
        tag("ol", *steps),
        tag(
            "details",
            tag("summary", "How this was recorded"),
            tag("p", recorded.model),
            nodes.literal_block(recorded.command, recorded.command, language="sh"),
        ),
        asset="guess",
        class_="fm-guess",
        aria_label="Guess the next word",
    )


def step(name: str, text: str, *parts: html) -> html:
    return tag("li", tag("p", tag("b", f"{name}. "), text), *parts, class_="fm-guess-step")


def blank(prompt: str) -> html:
    return tag("p", f"{prompt} ", tag("span", "…", class_="fm-guess-blank"), class_="fm-guess-prompt")


def form(recorded: Record) -> html:
    """A field for a word, or a choice among the model's own ten, in an order that gives nothing away."""
    picks = [
        tag("button", word, type="button", class_="fm-button fm-guess-pick", data_word=word)
        for word, _ in sorted(recorded.top, key=lambda one: one[0].casefold())
    ]
    return tag(
        "form",
        tag(
            "label",
            tag("span", "Your next word"),
            tag("input", type="text", maxlength=30, autocomplete="off", autocapitalize="off"),
        ),
        tag("button", "Compare", class_="fm-button"),
        tag(
            "div", tag("p", "or pick one:"), *picks, class_="fm-guess-picks", role="group", aria_label="Words"
        ),
        tag("p", role="status", class_="fm-guess-result"),
        method="dialog",
        class_="fm-scripted",
    )


def table(recorded: Record) -> list[html]:
    largest = recorded.top[0][1]
    rows = [
        tag(
            "tr",
            tag("td", str(rank)),
            tag("td", word),
            tag("td", tag("span", class_="fm-guess-bar", style=f"width: {100 * p / largest:.1f}%")),
            tag("td", f"{100 * p:.1f}%"),
            data_word=word,
            data_p=p,
        )
        for rank, (word, p) in enumerate(recorded.top, start=1)
    ]
    head = tag(
        "tr",
        tag("th", "Rank", scope="col"),
        tag("th", "Word", scope="col"),
        tag("th", "Probability", scope="col", colspan=2),
    )
    caption = tag("caption", f"The model’s first {len(rows)} after “{recorded.prompt}”")
    return [tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="fm-guess-table")]


def losses(recorded: Record) -> html:
    """The loss for the first and for the last row; the script adds that of the reader's word."""
    said = [
        f"“{word}” it is −log\u00a0{p:.4f} =\u00a0{-math.log(p):.2f}\u00a0nats" for word, p in recorded.top
    ]
    return tag("p", f"For {said[0]}; for {said[-1]}.", class_="fm-guess-losses")


def setup(app: Sphinx) -> None:
    app.add_directive("guess", Guess)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bookkit.widgets.guess", description="Record a prediction."
    )
    parser.add_argument("directory", help="a model that fmkit saved")
    parser.add_argument("prompt")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trained", required=True, help="the command that made the model")
    parser.add_argument("--model", required=True, help="the model in words, for the reader")
    options = parser.parse_args()
    content = {
        "prompt": options.prompt,
        "top": record(options.directory, options.prompt),
        "model": options.model,
        "command": f"{options.trained}\n{parser.prog} {shlex.join(sys.argv[1:4])} …",
    }
    options.file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
