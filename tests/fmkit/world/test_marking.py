"""A text with its first wrong word marked, as HTML and in print."""

import pytest

from fmkit.world import Grammar, MarkedText

GRAMMAR = Grammar({"start": "Tim [=saw|sawed|ate] {x=toy}. The {x} [fell|flew].", "toy": ["kite", "<drum>"]})
GOOD = "Tim saw kite. The kite fell."


@pytest.mark.parametrize(
    ("text", "wrong", "expected"),
    [
        ("Tim saw kite. The <drum> fell.", "<drum>", ("kite",)),
        ("Tim sang kite. The kite fell.", "sang", ("saw", "sawed", "ate")),
        ("Tim saw kite! The kite fell.", "kite!", (".",)),
        ("Tim saw kite. The kite fell. Oh", "Oh", ("(the end)",)),
        ("Tim saw kite The kite fell.", "kite", (".",)),
        ("Tim saw  kite. The kite fell.", " kite.", ("kite", "<drum>")),
        ("Tim saw kite. The kite fell. ", " ", ("(the end)",)),
        ("Tim saw kite. The kite fell.  Oh", " Oh", ("(the end)",)),
        ("Tim saw kite. The", "", ("The",)),
        ("", "", ("Tim",)),
    ],
)
def test_the_first_wrong_word(text: str, wrong: str, expected: tuple[str, ...]) -> None:
    marked = MarkedText(text, GRAMMAR)
    assert marked.wrong is not None
    assert text[slice(*marked.wrong)] == wrong
    assert {word.strip() for word in marked.expected} == {*expected}


def test_a_true_text_has_no_mark() -> None:
    marked = MarkedText(GOOD, GRAMMAR)
    assert marked.wrong is None
    assert repr(marked) == GOOD
    assert "<mark" not in marked._repr_html_()


def test_a_mark_in_print_and_on_a_page() -> None:
    marked = MarkedText("Tim saw kite. The <drum> fell.", GRAMMAR, prompt="Tim saw")
    assert repr(marked) == "Tim saw kite. The »<drum>« (expected: kite) fell."
    assert marked._repr_html_() == (
        '<p class="fm-marked"><span class="fm-prompt">Tim saw</span><span class="fm-right"> kite. The </span>'
        '<mark class="fm-wrong">&lt;drum&gt;</mark><span class="fm-expected">expected: kite</span>'
        '<span class="fm-after"> fell.</span></p>'
    )


def test_a_text_that_only_ends_too_early() -> None:
    marked = MarkedText("Tim saw kite. The", GRAMMAR)
    assert repr(marked) == "Tim saw kite. The»« (expected: The)"
    assert "(ends here)" in marked._repr_html_()


def test_many_words_are_counted() -> None:
    numbers = Grammar({"start": "[=a|b|c|d|e|f|g]"})
    assert MarkedText("x", numbers).said.endswith(" or 2 more")


def test_a_mistake_right_after_the_prompt() -> None:
    marked = MarkedText("Tim saw!!", GRAMMAR, prompt="Tim saw")
    assert marked.wrong == (7, 9)
