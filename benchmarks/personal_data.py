"""How much personal data `find_personal` finds, and how much else it takes for such.

    python benchmarks/personal_data.py

On a crawl of the story world, which holds only forms that the patterns know, and on hand-written sentences
(`tests/data/personal.txt`, whose head says what is marked): those that were at hand when the patterns were
written, and held-out ones that were not. A span counts as found if kind, start and end are right; `cut` are
those of which some characters are covered and others left.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from fmkit.selection import Span, find_personal, precision_recall
from fmkit.world import WEB

SENTENCES = Path(__file__).parent.parent / "tests" / "fmkit" / "selection" / "personal.txt"
FOUND_KINDS = {"email", "phone", "address", "ip", "card", "iban", "ssn"}  # the others, no pattern can know

Marked = tuple[str, list[Span]]


def read_sentences(half: str) -> list[Marked]:
    """The sentences of a half, `development` or `held-out`, each with the spans marked in it."""
    halves = re.split(r"^== (.+)\n", SENTENCES.read_text("utf-8"), flags=re.M)[1:]
    lines = dict(zip(halves[::2], halves[1::2], strict=True))[half].splitlines()
    return [read_marks(line) for line in lines if line]


def read_marks(line: str) -> Marked:
    """`I am {name:Ann}` as `I am Ann` and its span; `\\u00a0` as the character."""
    line = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), line)
    text, spans = "", []
    for plain, kind, value in re.findall(r"(.*?)(?:\{(\w+):([^{}]*)\}|$)", line):
        text += plain + value
        if kind:
            spans.append(Span(len(text) - len(value), len(text), kind))
    return text, spans


def read_crawl() -> Iterator[Marked]:
    """Of another world than the patterns were written with."""
    for page in WEB.load(2_500, 10, seed=1, world=1)["train"]:
        yield page["text"], [Span(**span) for span in page["personal"]]


def count_cut(found: list[Span], truth: Iterable[Span]) -> int:
    covered = set(chain.from_iterable(range(span.start, span.end) for span in found))
    shares = [
        sum(i in covered for i in range(span.start, span.end)) / (span.end - span.start) for span in truth
    ]
    return sum(0 < share < 1 for share in shares)


def tabulate(marked: Iterable[Marked]) -> str:
    texts, truth = zip(*marked, strict=True)
    found = [find_personal(text) for text in texts]
    known = [[span for span in spans if span.type in FOUND_KINDS] for spans in truth]
    scores = precision_recall(found, truth)
    rows = {**scores, "the seven kinds": precision_recall(found, known)["all"]}
    lines = [f"{len(texts)} texts\n{'':16} true  found  precision  recall  cut"]
    for kind, score in sorted(rows.items(), key=lambda row: (row[0] in {"all", "the seven kinds"}, row[0])):
        kinds = {"all": set(scores), "the seven kinds": FOUND_KINDS}.get(kind, {kind})
        pairs = zip(found, truth, strict=True)
        cut = sum(count_cut(a, [span for span in b if span.type in kinds]) for a, b in pairs)
        precision = f"{score.precision:.2f}" if score.found else "-"
        recall = f"{score.recall:.2f}" if score.true else "-"
        lines.append(f"{kind:15} {score.true:5} {score.found:6} {precision:>10} {recall:>7} {cut:4}")
    return "\n".join(lines)


def main() -> None:
    print("crawl:", tabulate(read_crawl()))
    for half in ("development", "held-out"):
        print(f"\n{half} half:", tabulate(read_sentences(half)))


if __name__ == "__main__":
    main()
