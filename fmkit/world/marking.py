"""A text with its first wrong word marked, and what the world expected there."""

from __future__ import annotations

import html

from fmkit.world.grammar import END, Grammar
from fmkit.world.stories import World

SHOWN = 5  # expected words


class MarkedText:
    """A text that a notebook shows with its first mistake marked; `print` writes it between »«.

    `wrong` is the range of characters of the first wrong word: empty at the end of a text that is unfinished,
    None where the text is valid. `expected` lists the words that `grammar`, by default `World()`, allows
    there. A `prompt` is a beginning of the text that somebody else wrote.
    """

    def __init__(self, text: str, grammar: Grammar | None = None, prompt: str = "") -> None:
        self.text, self.prompt = text, prompt
        self.wrong: tuple[int, int] | None = None
        self.expected: tuple[str, ...] = ()
        grammar = World() if grammar is None else grammar
        verdict = grammar.check(text)
        if verdict.broke_at is None:
            return
        self.expected, self.wrong = verdict.expected, (verdict.broke_at, verdict.broke_at)
        if verdict.unfinished:
            return
        start, end = self._word_at(verdict.broke_at)
        if start < verdict.broke_at and text[verdict.broke_at].isalnum():
            # Of the words that could be here, the verdict has those that begin in the same way.
            self.expected = grammar.check(text[:start] + "\0").expected
        self.wrong = (start, end)

    def _word_at(self, broke_at: int) -> tuple[int, int]:
        """The word around a character; for a space, the word that lacks something before it."""
        start = self.text.rfind(" ", 0, broke_at) + 1
        if self.text[broke_at] == " " and END in self.expected:  # the text goes on where it should end
            start = min(broke_at + 1, len(self.text) - 1)
        start = max(start, len(self.prompt))
        end = self.text.find(" ", max(broke_at, start + 1))  # at least a character, also of two spaces
        return start, len(self.text) if end < 0 else end

    @property
    def said(self) -> str:
        """What was expected, in words."""
        words = [word.strip() for word in self.expected[:SHOWN]]
        more = len(self.expected) - len(words)
        return f"expected: {', '.join(words)}" + (f" or {more} more" if more else "")

    def __repr__(self) -> str:
        if self.wrong is None:
            return self.text
        start, end = self.wrong
        return f"{self.text[:start]}»{self.text[start:end]}« ({self.said}){self.text[end:]}"

    def _repr_html_(self) -> str:
        given = len(self.prompt)
        start, end = self.wrong or (len(self.text),) * 2
        parts = [
            ("span", "fm-prompt", self.text[:given]),
            ("span", "fm-right", self.text[given:start]),
            ("mark", "fm-wrong", "" if self.wrong is None else self.text[start:end] or "(ends here)"),
            ("span", "fm-expected", self.wrong and self.said),
            ("span", "fm-after", self.text[end:]),
        ]
        shown = "".join(
            f'<{tag} class="{name}">{html.escape(text)}</{tag}>' for tag, name, text in parts if text
        )
        return f'<p class="fm-marked">{shown}</p>'
