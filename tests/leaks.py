"""Search files for what must not be in them: passages of secret texts, and marks of keys.

Texts are compared as words: capitals, markup and punctuation do not count. A secret is found where eight of
its words follow each other, a short one where all of it does. What may be read anyway (`known`) is no secret.
"""

import gzip
import html
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

LENGTH, SHORTEST = 8, 6  # words of a passage; fewer than SHORTEST could be anything
WORD = re.compile(r"[^\W_]+")
TAG = re.compile(r"<[^>]*>")
ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[nrt])")
# In the source of a secret: what another form has on a page. It ends a passage.
DIVIDERS = re.compile(
    r"\$[^$]*\$|\{[\w:-]+\}`[^`]*`|\]\([^)]*\)|^ *(?:`{3,}|:{3,}|:[a-z-]+:).*$|\||\n\s*\n", re.M
)
MARKS = re.compile(
    r'data-(?:correct|tolerance)[=> ]|data-version=\\?"\w{16}|class=\\?"(?:solution|fm-quiz-(?:key|reason))'
    r"|\{solution|### BEGIN (?:SOLUTION|HIDDEN TESTS)|^\s*(?:correct: true|rationale:)",
    re.M,
)
ROLE = re.compile(r"\{[\w:-]+\}(?=`)|\]\([^)]*\)|<[^<>`]*>(?=`)")  # of Markdown: what a reader does not see
Passage = tuple[str, ...]


def passages(words: list[str], length: int) -> Iterator[Passage]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def readings(text: str) -> Iterator[list[str]]:
    """The words of a text as it is, with attributes and scripts, and of what a reader sees of it.

    It may be HTML, Markdown or a script.
    """
    text = ESCAPED.sub(lambda one: chr(int(one[1], 16)) if one[1] else " ", html.unescape(text))
    yield WORD.findall(text.lower())
    for markup in (TAG, ROLE):
        if (seen := markup.sub("", text)) != text:
            yield WORD.findall(seen.lower())


class Secrets:
    """The passages of secret texts, each with the name of its text."""

    def __init__(self, texts: Iterable[tuple[str, str]], known: Iterable[str] = ()) -> None:
        self.names: dict[Passage, str] = {}
        for name, text in texts:
            for part in DIVIDERS.split(text):
                words = WORD.findall(part.lower())
                if len(words) >= SHORTEST:
                    self.names |= dict.fromkeys(passages(words, min(LENGTH, len(words))), name)
        for text in known:
            for passage in self.within(text):
                del self.names[passage]

    def within(self, text: str) -> set[Passage]:
        """The secret passages of a text."""
        found: set[Passage] = set()
        for words in readings(text):
            for length in range(SHORTEST, LENGTH + 1):
                found |= self.names.keys() & passages(words, length)
        return found


def leaks(folder: Path, secrets: Secrets) -> list[str]:
    """A line for each secret, or mark of a key, in a file below the folder, also within archives."""
    found = {}
    for name, text in texts(folder):
        found |= {f"{name}: {secrets.names[passage]}": passage for passage in secrets.within(text)}
        found |= {f"{name}: {mark}": () for mark in MARKS.findall(text)}
    return [f"{line} {' '.join(passage)}".strip() for line, passage in sorted(found.items())]


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Each file once, by its first name, as text."""
    seen = set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for name, content in unpacked(path.relative_to(folder).as_posix(), path.read_bytes()):
            digest = sha256(content).digest()
            if digest not in seen:
                seen.add(digest)
                yield name, content.decode("utf-8", "ignore")


def unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """A file, or what is in it if it is an archive."""
    if content.startswith(b"\x1f\x8b"):
        yield from unpacked(f"{name}!", gzip.decompress(content))
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for one in archive.namelist():
                yield from unpacked(f"{name}!{one}", archive.read(one))
    else:
        yield name, content
