"""The colors of figures, widgets and pages: legible on both grounds."""

import re
from pathlib import Path

import pytest

STYLES = (Path(__file__).parents[2] / "bookkit/site/book.css").read_text()
GROUNDS = {"light": "#ffffff", "dark": "#121212"}


def colors(block: str) -> dict[str, str]:
    return dict(re.findall(r"(--fm-[a-z-]+): (#[0-9a-f]{6});", block))


SCHEMES = {
    "light": colors(STYLES[STYLES.index("html {") : STYLES.index("html[data-theme")]),
    "dark": colors(STYLES[STYLES.index('html[data-theme="dark"]') :]),
}


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", SCHEMES)
def test_contrast(scheme: str) -> None:
    """4.5:1, so that a line's label may wear its line's color."""
    ground = luminance(GROUNDS[scheme])
    for name, color in SCHEMES[scheme].items():
        low, high = sorted((ground, luminance(color)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_both_schemes_name_the_same_ideas() -> None:
    assert SCHEMES["light"].keys() == SCHEMES["dark"].keys()
    assert len(SCHEMES["light"]) == 11
