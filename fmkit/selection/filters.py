"""Quality filters: each a function of a text that returns why it fails, or None.

The rules are those of C4 (Raffel et al. 2020, arXiv:1910.10683, section 2.2) and of Gopher (Rae et al. 2021,
arXiv:2112.11446, appendix A.1.1), with Gopher's thresholds as defaults. They are heuristics for English web
pages: what they let through need not be good, and what they drop need not be bad. For other text, give other
thresholds: `functools.partial(length, min_words=20)`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from datasets import Dataset

from fmkit.data.tables import Data
from fmkit.selection.text_column import iterate_texts, with_places

Filter = Callable[[str], str | None]

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})  # Gopher's
BULLETS = ("•", "‣", "▪", "●", "-", "*")
BOILERPLATE = re.compile(  # C4's phrases, and others that pages of a site share
    r"\b(?:javascript|cookie policy|uses? (?:of )?cookies|privacy policy|terms of (?:use|service)|click here"
    r"|all rights reserved|sign up for|log in|subscribe|skip to (?:main )?content)\b|©"
)
END_MARKS = (".", "!", "?", '"', "”", "'", "’", ")", ":", "…")
SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")
# The bytes from 80 to BF, which in UTF-8 only follow another byte, as Windows-1252 and Latin-1 read them:
# marks that follow a letter in good text, too (`voilà\xa0»`), letters that do (`Tomáš`), signs that don't.
MARKS = "\xa0«»©®ª°ºª¹²³·…‘’“”‹›„‚–—•™"
LETTERS = "ƒŠŒŽšœžŸ"
SIGNS = "\x80-\x9f€†‡ˆ‰˜¡-¨¬\xad¯±´-¶¸¼-¿"
# UTF-8 that was read as one of the two. Of two bytes: the letters of the Latin, Greek, Cyrillic, Hebrew and
# Arabic alphabets, after which a mark counts only where no capital would stand. Of three, unless they read as
# a letter and its marks. Emoji. Then HTML that was escaped twice, and the mark of a lost byte.
MOJIBAKE = re.compile(
    r"Â[\xa0-\xbf]"
    r"|[ÃÄÎÏÐÑØÙÛ][¡-ª¬-º¼-¿]"
    rf"|(?<!\d)[ÃÄÅÎÏÐÑ×ØÙÛ][{LETTERS}{SIGNS}]"
    rf"|(?<=[a-z])[ÃÄÅÈ×ØÙÛ][{MARKS}]"
    r"|(?<![A-ZÀ-Þ])(?:[ÃÄÅÈ][‘“”‹›„‚–—•™](?=[a-z])|Ã\xa0)"
    rf"|×[{MARKS}]×"
    rf"|[à-ï](?:[{SIGNS}][{LETTERS}{MARKS}{SIGNS}]|[{LETTERS}{MARKS[1:]}][{SIGNS}])"
    r"|ð[Ÿ\x9f]"
    "|&amp;(?:amp|quot|apos|lt|gt|nbsp|#[0-9]{1,5});|\ufffd"
)


@dataclass(frozen=True)
class FilterReport:
    """`reasons` counts the dropped documents by the first filter that each failed."""

    total: int
    kept: int
    reasons: Mapping[str, int]

    def __str__(self) -> str:
        lines = [f"{self.kept} of {self.total} documents kept"]
        return "\n".join(lines + [f"{count:8} {reason}" for reason, count in self.reasons.items()])


def length(text: str, min_words: int = 50, max_words: int = 100_000) -> str | None:
    count = len(text.split())
    if count < min_words:
        return f"fewer than {min_words} words"
    return f"more than {max_words} words" if count > max_words else None


def word_length(text: str, low: float = 3, high: float = 10) -> str | None:
    words = text.split()
    mean = sum(map(len, words)) / max(1, len(words))
    return None if low <= mean <= high else f"mean word length outside {low} to {high}"


def symbols(text: str, max_symbols: float = 0.1, min_alphabetic: float = 0.8) -> str | None:
    """Hash signs and ellipses to words; and words with at least one letter."""
    words = text.split()
    if text.count("#") + text.count("...") + text.count("…") > max_symbols * len(words):
        return f"more than {max_symbols:.0%} symbols"
    alphabetic = sum(any(map(str.isalpha, word)) for word in words)
    return (
        f"fewer than {min_alphabetic:.0%} words of letters"
        if alphabetic < min_alphabetic * len(words)
        else None
    )


def list_like(text: str, max_bullets: float = 0.9, max_ellipses: float = 0.3) -> str | None:
    """Lines that begin with a bullet, and lines that break off: a list, or teasers of other pages."""
    lines = _lines(text)
    if sum(line.startswith(BULLETS) for line in lines) > max_bullets * len(lines):
        return f"more than {max_bullets:.0%} bullets"
    if sum(line.endswith(("...", "…")) for line in lines) > max_ellipses * len(lines):
        return f"more than {max_ellipses:.0%} lines break off"
    return None


def repeated_lines(text: str, max_lines: float = 0.3, max_characters: float = 0.2) -> str | None:
    """The share of lines that occurred before in the text, and of characters in them."""
    seen: set[str] = set()
    repeated, lines = [], _lines(text)
    for line in lines:
        if line in seen:
            repeated.append(line)
        seen.add(line)
    too_many = len(repeated) > max_lines * len(lines)
    too_long = sum(map(len, repeated)) > max_characters * sum(map(len, lines))
    return "repeated lines" if too_many or too_long else None


def repeated_phrases(text: str, max_share: float = 0.2) -> str | None:
    """The share of characters in the most frequent pair of neighboring words, if it comes more than once."""
    words = text.split()
    counts = Counter(pairwise(words))
    if not counts:
        return None
    (a, b), count = counts.most_common(1)[0]
    characters = (len(a) + len(b)) * count
    return "a repeated phrase" if count > 1 and characters > max_share * sum(map(len, words)) else None


def stop_words(text: str, minimum: int = 2) -> str | None:
    """English prose has at least two of eight very frequent words."""
    found = STOP_WORDS.intersection(re.findall(r"[a-z]+", text.lower()))
    return f"fewer than {minimum} stop words" if len(found) < minimum else None


def boilerplate(text: str, max_share: float = 0.3) -> str | None:
    """Placeholder text, program code, and the share of characters in sentences about the site itself."""
    lowered = text.lower()
    if "lorem ipsum" in lowered:
        return "lorem ipsum"
    if "{" in text:
        return "a curly bracket"
    sentences = SENTENCE_END.split(lowered)
    found = sum(len(sentence) for sentence in sentences if BOILERPLATE.search(sentence))
    return "boilerplate" if found > max_share * sum(map(len, sentences)) else None


def unfinished_lines(text: str, max_share: float = 0.5) -> str | None:
    """The share of characters in lines that end without a mark, as in menus (C4 keeps no such line)."""
    lines = _lines(text)
    found = sum(len(line) for line in lines if not line.endswith(END_MARKS))
    return "lines without an end" if found > max_share * sum(map(len, lines)) else None


def encoding(text: str) -> str | None:
    """Mojibake (`cafÃ©`, `donâ€™t`, `ðŸ˜€`) and replacement characters."""
    return "a wrong encoding" if MOJIBAKE.search(text) else None


FILTERS: tuple[Filter, ...] = (
    length,
    encoding,
    word_length,
    symbols,
    list_like,
    repeated_lines,
    repeated_phrases,
    stop_words,
    boilerplate,
    unfinished_lines,
)


def find_fault(text: str, filters: Iterable[Filter] = FILTERS) -> str | None:
    """Say why the text fails the first filter that it fails; None if it passes all."""
    return next(filter(None, (check(text) for check in filters)), None)


def filter_corpus(dataset: Data, filters: Iterable[Filter] = FILTERS) -> tuple[Dataset, FilterReport]:
    """Keep the documents that pass all filters, in order, and count the others by reason.

    Raises `FmkitError` if there is no column `text`, and for a stream, which can be filtered when it is read,
    without counts: `stream.filter(lambda row: find_fault(row["text"]) is None)`.
    """
    table = with_places(dataset)
    filters = (filters,) if callable(filters) else tuple(filters)
    reasons = [find_fault(text, filters) for text in iterate_texts(table)]
    kept = [i for i, reason in enumerate(reasons) if reason is None]
    counts = Counter(reason for reason in reasons if reason is not None)
    return table.select(kept), FilterReport(len(table), len(kept), dict(counts.most_common()))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
