"""Fonts cut down to the characters that the site shows."""

import logging
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont


def cut(source: Path, target: Path, characters: Iterable[int]) -> None:
    """Write the part of a TrueType font that has these code points, as WOFF."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it tells of every table and every date
    font = TTFont(source, recalcTimestamp=False)
    part = subset.Subsetter(subset.Options(hinting=False))  # instructions for screens of few pixels
    part.populate(unicodes=characters)
    part.subset(font)
    font.flavor = "woff"
    font.save(target)
