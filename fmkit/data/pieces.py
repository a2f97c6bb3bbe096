"""Decode ids as they are made: pieces of text that no later id changes, up to a stop string."""

import re
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

from fmkit.errors import FmkitError
from fmkit.settings import as_several

BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # a token that is one byte; with those beside it, it becomes text


class Pieces:
    """The text that ids add to that of the ids `before`; joined, its pieces are what decoding all gives.

    It ends before the first of the `stop` strings, of which no part is given out. Of two that a token
    completes, the one that ends first counts. `stopped` says whether there was one.
    """

    def __init__(self, tokenizer: Tokenizer, before: Sequence[int] = (), stop: Sequence[str] = ()) -> None:
        self.tokenizer, self.stop = tokenizer, tuple(stop)
        self.ids, self.start = list(before), len(before)
        self.window, self.read = (
            0,
            len(before),
        )  # ids up to `read` are text; those from `window` on are decoded
        self.text, self.given, self.stopped = "", 0, False  # decoded; how much of it was given out

    def add(self, token: int) -> str:
        """Take the next id; return what is certain now: whole characters, and no beginning of a stop."""
        self.ids.append(token)
        if BYTE.fullmatch(self.tokenizer.id_to_token(token) or "") or not self.tokenizer.decode([token]):
            return ""
        text = self.tokenizer.decode(self.ids[self.window :])
        if text.endswith("\ufffd"):  # the bytes so far are no character
            return ""
        known = len(self.tokenizer.decode(self.ids[self.window : self.read]))
        self.window, self.read = self.read, len(self.ids)
        return self._give(text[known:], last=False)

    def end(self) -> str:
        """Return the rest: there are no more ids."""
        whole, before = (self.tokenizer.decode(ids) for ids in (self.ids, self.ids[: self.start]))
        return self._give(whole[len(before) + len(self.text) :], last=True)

    def _give(self, new: str, last: bool) -> str:
        if self.stopped:
            return ""
        start = max(0, len(self.text) - max(map(len, self.stop), default=0) + 1)
        self.text += new
        found = [(at + len(stop), at) for stop in self.stop if (at := self.text.find(stop, start)) >= 0]
        self.stopped = bool(found)
        until = min(found)[1] if found else len(self.text) - (0 if last else self._held())
        piece, self.given = self.text[self.given : until], until
        return piece

    def _held(self) -> int:
        """Count the last characters that a stop string may begin with."""
        longest = min(len(self.text), max(map(len, self.stop), default=0))
        tails = (self.text[len(self.text) - n :] for n in range(longest, 0, -1))
        return next((len(tail) for tail in tails if any(stop.startswith(tail) for stop in self.stop)), 0)


def as_stops(stop: Any) -> tuple[str, ...]:
    """Take one stop string or several. Raises `FmkitError` for what is none, or empty."""
    stops = as_several(stop)
    if not isinstance(stops, list | tuple) or not all(isinstance(each, str) and each for each in stops):
        raise FmkitError(f"stop={stop!r:.60} must be a text or a list of texts, none of them empty")
    return tuple(stops)
