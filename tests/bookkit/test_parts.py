"""The drawing of the transformer that returns: two drawings, one part marked, a name for a screen reader."""

import re
from pathlib import Path

import pytest
import tiny

from bookkit.site.parts import PARTS


def page(part: str) -> str:
    return f"# One\n\n```{{parts}} {part}\n```\n"


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_one_part_is_marked(tmp_path: Path, part: str) -> None:
    html, warnings = tiny.read(tiny.write(tmp_path, page(part)), "site.parts")
    assert not warnings
    assert f'head make logits of the sum. You are here: {part}."' in html
    drawings = re.findall(r'(?s)<svg class="(fm-\w+)"[^>]* aria-hidden="true">(.*?)</svg>', html)
    assert [look for look, _ in drawings] == ["fm-wide", "fm-narrow"]
    for _, drawing in drawings:
        marked = {*re.findall(r'<text class="fm-here"[^>]*>([^<]+)</text>', drawing)}
        assert marked == ({part} if part != "residual stream" else set())
        assert ("fm-parts-stream fm-here" in drawing) == (part == "residual stream")


def test_the_whole_has_no_mark(tmp_path: Path) -> None:
    html, warnings = tiny.read(tiny.write(tmp_path, page("")), "site.parts")
    assert not warnings
    assert "fm-parts" in html
    assert "fm-here" not in html
    assert "You are here" not in html


def test_a_wrong_part_is_an_error(tmp_path: Path) -> None:
    _, warnings = tiny.read(tiny.write(tmp_path, page("engine")), "site.parts")
    assert "intro.md:3: ERROR: no part 'engine' of the transformer: choose from embedding" in warnings
