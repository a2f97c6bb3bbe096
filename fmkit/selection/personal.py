"""Find personal data by its form, measure how well, and replace it by placeholders.

Seven kinds have a form that a pattern can match, four of them with a check that most chance matches fail:
card numbers (Luhn), IBANs (ISO 13616, modulo 97), IP addresses and social security numbers (ranges never
issued). Forms that usually mean something else, such as 415-2024, count only near a word that says what they
are. Names of people have no form: finding them takes a trained model, so they are not found here, nor are
birthdays, passports, plates and handles. A text whose spans were replaced is less identifying, not anonymous.

Patterns are for English pages: addresses are those of English-speaking countries, telephone numbers those of
North America, Britain, France and whatever begins with `+`. `benchmarks/personal_data.py` measures what is
found and what is not; its figures are in `benchmarks/results/personal-data.txt`.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial

from fmkit.errors import FmkitError


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
    """Find spans of the types email, ip, iban, card, ssn, phone and address, in order and without overlap.

    The module's docstring says what is not found.
    """
    spans = []
    plain = text.translate(PLAIN)
    taken = bytearray(len(text))  # 1 inside the spans of earlier detectors
    for detector in DETECTORS:
        for match in detector.pattern.finditer(plain):
            start, end = match.start(), match.start() + detector.measure(match[0])
            if end > start and taken.find(1, start, end) < 0 and detector.speaks_of(plain, start, end):
                taken[start:end] = b"\x01" * (end - start)
                spans.append(Span(start, end, detector.type))
    return sorted(spans)


def scrub(text: str) -> str:
    """Replace each span of `find_personal` in the text by its type: `[EMAIL]`, `[PHONE]`, …

    Names stay, and so does everything else that `find_personal` can't find.
    """
    if not isinstance(text, str):
        raise FmkitError("scrub reads one text: of a data set, map(lambda row: {'text': scrub(row['text'])})")
    parts, last = [], 0
    for span in find_personal(text):
        parts += [text[last : span.start], f"[{span.type.upper()}]"]
        last = span.end
    return "".join(parts) + text[last:]


def precision_recall(
    found: Iterable[Collection[Span]], truth: Iterable[Collection[Span]]
) -> dict[str, Score]:
    """Score by type, and all types together as `"all"`: `found` and `truth` hold the spans of each text.

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


# --- checks of a match: how many of its characters are personal data, 0 for none


def _is_ip(match: str) -> int:
    """Of a machine: no mask, and not the loopback. A version 6 address needs a digit and three groups' worth
    of text, or `add::feed` would be one."""
    try:
        address = ipaddress.ip_address(match)
    except ValueError:
        return 0
    is_word = ":" in match and (len(match) < 6 or not any(map(str.isdigit, match)))
    is_any = address.is_loopback or address.is_unspecified or match.startswith("255.")
    return 0 if is_word or is_any else len(match)


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


def _is_national(match: str) -> int:
    """With the 0 of a call within the country. Fewer digits may be a part's number, more a table's row."""
    return len(match) if match[0] == "(" or 10 <= sum(map(str.isdigit, match)) <= 11 else 0


# --- the forms


@dataclass(frozen=True)
class Detector:
    """A pattern of `type`, how much of a match `measure` accepts, and the `cue` that must be near, if any."""

    type: str
    pattern: re.Pattern[str]
    measure: Callable[[str], int] = len
    cue: re.Pattern[str] | None = None

    def speaks_of(self, text: str, start: int, end: int) -> bool:
        return self.cue is None or bool(self.cue.search(text, max(0, start - NEAR), end + NEAR))


NEAR = 40  # characters before and after a match in which its cue may be
PHONE_CUE = re.compile(
    r"@|\b(?:(?:tele)?phone|tel|cell|mobile|call|dial|ring|text|fax|sms|reach"
    r"|(?:my|your|his|her|our) number)\b",
    re.I,
)
SSN_CUE = re.compile(r"\b(?:ssn|social security)\b", re.I)

# The spaces and dashes of typography, and its apostrophe: one character for one, so that places stay.
PLAIN = str.maketrans("\u00a0\u2007\u2009\u202f\u2010\u2011\u2012\u2013\u2019", "    ----'")

# Of mail: letters of every alphabet with their combining marks. Not those of Chinese, Japanese and Korean:
# their words stand beside an ASCII address without a space.
LETTER = r"\w\u00c0-\u1fff"
V4 = r"(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)"
STREETS = (
    "Street|Avenue|Road|Boulevard|Lane|Drive|Court|Place|Square|Terrace|Way|Walk|Close|Circle|Row|Hill"
    "|Parkway|Highway|Trail|Alley|Path|Gardens|Crescent|Parade|Loop|Quay|Cottages"
    "|St|Ave|Rd|Blvd|Ln|Dr|Ct|Pl|Sq|Pkwy|Hwy|Ter|Cres"
)

# In order of precedence if two overlap. Each repetition is bounded and starts only at the edge of a word, so
# that time is linear in the length of the text.
form = partial(re.compile, flags=re.ASCII)
DETECTORS = (
    Detector(
        "email",
        form(
            rf"(?<![{LETTER}.+%-])[{LETTER}.+%-]{{1,64}}(?:@| ?[\[(]at[\])] ?)"
            rf"(?:[{LETTER}-]{{1,63}}\.){{1,8}}[A-Za-z\u00c0-\u1fff]{{2,24}}(?![{LETTER}])"
        ),
    ),
    Detector(  # version 6, which may end in version 4
        "ip",
        form(
            r"(?<![\w.])(?:[0-9A-Fa-f]{0,4}:){2,7}"
            rf"(?:{V4}|(?:[0-9A-Fa-f]{{1,4}}|(?<=::))(?!\w|:[\w:]|\.\d))"
        ),
        _is_ip,
    ),
    Detector("ip", form(rf"(?<![\w.])(?<!(?i:version|release) )(?<!(?i:build) ){V4}"), _is_ip),
    Detector("iban", form(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"), _is_iban),
    Detector("card", form(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w-])"), _is_card),
    Detector("ssn", form(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")),
    Detector("ssn", form(r"(?<![\w-])(?!000|666|9)\d{3} ?(?!00)\d{2} ?(?!0000)\d{4}(?![\w-])"), cue=SSN_CUE),
    Detector(  # abroad, and North America
        "phone",
        form(
            r"(?<![\w.+-])(?:\+\d{1,3}(?:[ .-]?(?:\(\d{1,4}\)|\d{1,4})){2,6}"
            r"|(?<!\d )(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ ./-])\d{3}[ .-]\d{4})(?![\w-])"
        ),
        _is_phone,
    ),
    Detector(  # France, and Britain and its like
        "phone",
        form(
            r"(?<![\w.+-])(?<!\d )(?:0[1-9](?:[ .]\d\d){4}"
            r"|(?:\(0\d{1,4}\) ?|0\d{2,4}[ -])\d{3,8}(?:[ -]\d{3,6}){0,2})(?![\w-]| \d)"
        ),
        _is_national,
    ),
    Detector(  # a local number, ten digits, a call abroad
        "phone",
        form(r"(?<![\w.+-])(?:\d{3}-\d{4}|\d{10}|00(?: ?\d{1,4}){4,6})(?![\w-])"),
        _is_phone,
        PHONE_CUE,
    ),
    Detector(
        "address",
        form(
            r"(?<![\w.])(?<!\b[Ii]n )(?:\d{1,5}-)?\d{1,5}[A-Z]? (?!The )"
            r"(?:(?:[A-Z][\w'-]{0,30}|\d{1,3}(?:st|nd|rd|th)) ){1,4}"
            rf"(?:{STREETS}|{STREETS.upper()})\b(?: (?:NE|NW|SE|SW|[NESW])\b)?"
        ),
    ),
    Detector("address", form(r"\bP\.? ?O\.? ?Box \d{1,6}\b")),
)
