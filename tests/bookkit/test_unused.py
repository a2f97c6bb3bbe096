"""Style sheets without the rules that no page needs."""

import pytest

from bookkit.site.unused import names, without_unused

KNOWN = names(['<p class="note big" id="top">'], ["one.classList.add('open')"])


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        (".note{a:b}.gone{a:b}", ".note{a:b}\n"),
        (".gone,.note.open,p{a:b}", ".note.open,p{a:b}\n"),
        (".note .gone{a:b}", ""),
        ("#top{a:b}#gone{a:b}", "#top{a:b}\n"),
        (".note:not(.gone)>p{a:b}", ".note:not(.gone)>p{a:b}\n"),
        ("@media print{.gone{a:b}.big{a:b}}@media screen{.gone{a:b}}", "@media print{.big{a:b}\n}\n"),
        (".bs-tooltip-top{a:b}", ".bs-tooltip-top{a:b}\n"),
        ("/* .note */@font-face{font-family:x}", "@font-face{font-family:x}\n"),
        ("[data-gone]{--color:#abc}", "[data-gone]{--color:#abc}\n"),
    ],
)
def test_rules_that_may_match_stay(style: str, kept: str) -> None:
    assert without_unused(style, KNOWN) == kept
