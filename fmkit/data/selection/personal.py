"""Personal data: found by its form, measured, replaced by placeholders.

Seven kinds have a form that a pattern can know, four of them with a check that most chance matches fail: card
numbers (Luhn), IBANs (ISO 13616, modulo 97), IP addresses and social security numbers (ranges never issued).
Names of people have none: telling them from other words takes a trained model, so none are found here. A text
whose spans were replaced is less identifying, not anonymous.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text are personal data of this type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True)
class Score:
    """Of the `found` spans, `precision` are true; of the `true` ones, `recall` were found. No spans: 1."""

    precision: float
    recall: float
    found: int
    true: int


def find_personal(text: str) -> list[Span]:
    """Spans of the types email, ip, iban, card, ssn, phone and address, in order and without overlap."""
    spans = []
    taken = bytearray(len(text))  # 1 where a type before in the list has its span
    for type, pattern, measure in DETECTORS:
        for match in pattern.finditer(text):
            start = match.start()
            end = start + measure(match[0])
            if end > start and taken.find(1, start, end) < 0:
                taken[start:end] = b"\x01" * (end - start)
                spans.append(Span(start, end, type))
    return sorted(spans)


def scrub(text: str) -> str:
    """The text with each span of `find_personal` replaced by its type: `[EMAIL]`, `[PHONE]`, …"""
    parts, last = [], 0
    for span in find_personal(text):
        parts += [text[last : span.start], f"[{span.type.upper()}]"]
        last = span.end
    return "".join(parts) + text[last:]


def precision_recall(
    found: Iterable[Collection[Span]], truth: Iterable[Collection[Span]]
) -> dict[str, Score]:
    """Scores by type, and of all under `"all"`, over texts: `found` and `truth` hold the spans of each.

    A span counts only if type, start and end are right.
    """
    pairs = [(set(a), set(b)) for a, b in zip(found, truth, strict=True)]
    types = sorted({span.type for pair in pairs for spans in pair for span in spans})
    scores = {type: _score(pairs, {type}) for type in types}
    return {**scores, "all": _score(pairs, set(types))}


def _score(pairs: Iterable[tuple[set[Span], set[Span]]], types: Collection[str]) -> Score:
    right = n_found = n_true = 0
    for found, true in pairs:
        right += sum(span.type in types for span in found & true)
        n_found += sum(span.type in types for span in found)
        n_true += sum(span.type in types for span in true)
    return Score(right / n_found if n_found else 1.0, right / n_true if n_true else 1.0, n_found, n_true)


# --- what a match must stand up to: how many of its characters are the real thing, 0 for none


def _is_ip(match: str) -> int:
    """A version 6 address needs a digit and three groups' worth of text, or `add::feed` would be one."""
    try:
        ipaddress.ip_address(match)
    except ValueError:
        return 0
    is_word = ":" in match and (len(match) < 6 or not any(map(str.isdigit, match)))
    return 0 if is_word else len(match)


def _is_card(match: str) -> int:
    digits = [int(character) for character in match if character.isdigit()]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]
    return len(match) if (sum(doubled) + sum(digits[::-2])) % 10 == 0 and len(set(digits)) > 1 else 0


def _is_iban(match: str) -> int:
    """Words in capitals may follow a number, so the longest of its beginnings that is right counts."""
    ends = [i for i in range(len(match), 0, -1) if i == len(match) or match[i] == " "]
    for end in ends:
        compact = match[:end].replace(" ", "")
        rotated = compact[4:] + compact[:4]
        if 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in rotated)) % 97 == 1:
            return end
    return 0


def _is_phone(match: str) -> int:
    return len(match) if 7 <= sum(map(str.isdigit, match)) <= 15 else 0


STREETS = (
    "Street|Avenue|Road|Boulevard|Lane|Drive|Court|Place|Square|Terrace|Way|Walk|Close|Circle|Row|Hill"
    "|Parkway|Highway|Trail|Alley|Path|Gardens|St|Ave|Rd|Blvd|Ln|Dr|Ct|Pl|Sq|Pkwy|Hwy"
)

# In this order: where two overlap, the first has it. Each repetition is bounded and starts only at the edge
# of a word, so that time grows with the length of the text and no faster.
DETECTORS: tuple[tuple[str, re.Pattern[str], Callable[[str], int]], ...] = tuple(
    (type, re.compile(pattern, re.ASCII), measure)
    for type, pattern, measure in (
        ("email", r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?!\w)", len),
        (
            "ip",
            r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)|[0-9A-Fa-f:]{4,39}(?![\w:]))",
            _is_ip,
        ),
        ("iban", r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", _is_iban),
        ("card", r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w-])", _is_card),
        ("ssn", r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])", len),
        (
            "phone",
            r"(?<![\w.+-])(?:\+\d{1,3}(?:[ .-]?(?:\(\d{1,4}\)|\d{1,4})){2,6}"
            r"|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}|\d{3}-\d{4})(?![\w-])",
            _is_phone,
        ),
        ("address", rf"(?<![\w.])\d{{1,5}} (?:[A-Z][\w'-]{{0,30}} ){{1,4}}(?:{STREETS})\b", len),
    )
)
