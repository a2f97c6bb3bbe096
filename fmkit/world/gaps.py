"""What belongs in a gap of a text: the exact probability of each word, from one side or from both.

A model that reads from left to right can know at best what `fill_gap(grammar, left)` returns; one that sees
both sides, what `fill_gap(grammar, left, right)` does.
"""

from __future__ import annotations

import math
import re
from typing import Any

from fmkit.errors import FmkitError
from fmkit.world.grammar import Grammar
from fmkit.world.rules import Entity, Show

PIECE = re.compile(r" ?(?:[A-Za-z-]+|[^A-Za-z -])?")
INSIDE = re.compile(r"[A-Za-z-]{2}")  # two characters of one word


def fill_gap(grammar: Grammar, left: str, right: str | None = None) -> dict[str, float]:
    """The pieces that can follow `left`, likeliest first, with their exact probabilities, which add up to 1.

    A piece is a word (letters and hyphens) or another character, with the space before it if there is one;
    "" is the end of the text. With `right`, all of the text after the gap, the probabilities are those of a
    reader who sees both sides. Raises `FmkitError` where nothing fits.
    """
    logs: dict[str, list[float]] = {}
    # Depth first, as `Grammar.derivations` reads: (written so far, log_prob, bound, (part, rest)).
    agenda: list[Any] = [("", 0.0, {}, (grammar.rules["start"], None))]
    while agenda:
        text, log_prob, bound, todo = agenda.pop()
        while todo is not None:
            part, todo = todo
            if isinstance(part, str):
                text += part
                if not _fits(text, left, right):
                    break
                if right is None and len(text) > len(left + _piece(text, left)):
                    todo = None  # the piece has ended
            elif isinstance(part, Entity):
                todo = (part["name"], todo)
            elif isinstance(part, tuple):
                for inner in reversed(part):
                    todo = (inner, todo)
            elif isinstance(part, Show):
                todo = (grammar.shown(part, bound), todo)
            else:
                for probability, head, inner, thing in grammar.ways(part, bound):
                    if _fits(text + head, left, right):
                        now = bound if thing is None else {**bound, part.name: thing}
                        agenda.append((text, log_prob + math.log(probability), now, (inner, todo)))
                break
        else:
            piece = _piece(text, left)
            if text == left + piece + (right or text[len(left + piece) :]):
                logs.setdefault(piece, []).append(log_prob)
    if not logs:
        raise FmkitError(
            f"nothing fits after {left[-40:]!r}: give all the text around the gap, as it was told"
        )
    best = max(map(max, logs.values()))
    weights = {piece: math.fsum(math.exp(log - best) for log in found) for piece, found in logs.items()}
    total = math.fsum(weights.values())
    return {piece: weights[piece] / total for piece in sorted(weights, key=lambda piece: -weights[piece])}


def _piece(text: str, left: str) -> str:
    """What a text has in the gap, as far as it is written."""
    found = PIECE.match(text, len(left)) if len(text) > len(left) else None
    return found[0] if found else ""


def _fits(text: str, left: str, right: str | None) -> bool:
    """Whether a text that begins so can have these words around its gap."""
    if len(text) <= len(left):
        return left.startswith(text)
    if not text.startswith(left) or (INSIDE.match(text, max(len(left) - 1, 0)) and left):
        return False
    after = text[len(left + _piece(text, left)) :]
    return right is None or right.startswith(after)
