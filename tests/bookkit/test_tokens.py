"""The tokenizer explorer: it shows what `tokenizers` says, loads nothing unasked, and takes any text."""

from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import tokens
from fmkit import asset, load_tokenizer

PIECES = ".fm-tokens-pieces .fm-piece"
HOSTILE = tokens.EXAMPLES["Hostile"]


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/tokens", **options)


@pytest.fixture
def page(visit: Any) -> Page:
    opened: Page = visit()
    return opened


def write(page: Page, text: str) -> None:
    page.get_by_label("Your text").fill(text)
    expect(page.locator("[data-count=characters]")).to_have_text(f"{len(text):,}")
    page.wait_for_timeout(300)


def use(page: Page, merges: int) -> None:
    slider = page.get_by_label("Merges used")
    slider.focus()
    slider.fill(str(merges))
    expect(page.locator(".fm-tokens-merge")).to_contain_text(f"Merge {merges}" if merges else "No merges")


def numbers(page: Page) -> list[int]:
    """The numbers of the tokens in sight."""
    expect(page.locator(f"{PIECES}:not([aria-label])")).to_have_count(0)
    names = page.locator(PIECES).evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    return [int(name.rpartition("token ")[2]) for name in names]


def count(page: Page, what: str) -> str:
    return page.locator(f"[data-count={what}]").inner_text()


def test_the_page_says_it_without_loading(page: Page) -> None:
    """What is there before a press, and without a script, is what comes after it."""
    before = page.locator(PIECES).all_inner_texts()
    assert before == ["Ret", "urn", "·the", "·number", "·of", "·nodes", "·in", "·the", "·graph", "."]
    assert not page.evaluate("Object.keys(fmkit.modules).filter((name) => name.startsWith('tokenizers/'))")
    page.get_by_label("Your text").focus()
    expect(page.locator(".fm-spoken").last).to_contain_text("10 tokens with 764 merges: Python docs.")
    expect(page.locator(PIECES)).to_have_text(before, use_inner_text=True)
    assert page.locator("output").all_inner_texts()[-3:] == ["19 tokens", "20 tokens", "10 tokens"]


@pytest.mark.parametrize("title", list(tokens.EXAMPLES))
@pytest.mark.parametrize("name", list(tokens.VOCABULARIES))
def test_tokens_are_those_of_tokenizers(page: Page, title: str, name: str) -> None:
    page.get_by_role("button", name=title, exact=True).click()
    page.locator(f".fm-tokens input[value={name}]").check()
    folder, _ = tokens.VOCABULARIES[name]
    ids = load_tokenizer(tiny.ROOT / folder).encode(tokens.EXAMPLES[title], add_special_tokens=False).ids
    expect(page.locator("[data-count=tokens]")).to_have_text(str(len(ids)))
    assert numbers(page) == ids
    assert count(page, "bytes") == str(len(tokens.EXAMPLES[title].encode()))


def test_pieces_grow_with_the_merges(page: Page) -> None:
    write(page, "the graph")
    seen = []
    for merges in (0, 40, 764):
        use(page, merges)
        seen.append("|".join(page.locator(PIECES).all_inner_texts()))
        assert count(page, "vocabulary") == f"{260 + merges:,}"
    assert seen[0] == "t|h|e|·|g|r|a|p|h"
    assert seen[-1] == "the|·graph"
    assert len(seen[0]) > len(seen[1]) > len(seen[2])


def test_steps_go_to_merges_of_the_text(page: Page) -> None:
    """Back and Next stop only where the text gets other tokens; the merge's tokens are marked."""
    write(page, "the graph")
    use(page, 0)
    texts = []
    for _ in range(7):
        page.get_by_role("button", name="Next").click()
        page.wait_for_timeout(60)
        assert page.locator(f"{PIECES}.fm-made").count()
        texts.append(page.locator(".fm-tokens-merge").inner_text())
    assert len(set(texts)) == 7
    assert all("in this text" in text and "not" not in text for text in texts)
    expect(page.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Back").click()
    expect(page.locator(".fm-tokens-merge")).to_have_text(texts[-2])


def test_the_first_press_counts(page: Page) -> None:
    """Also before the tokenizers are there, which it loads."""
    page.get_by_role("button", name="Back", exact=True).click()
    expect(page.locator(".fm-tokens-merge")).to_contain_text("Merge 371 joins")


@pytest.mark.parametrize("width", [tiny.DESK, tiny.PHONE])
def test_nothing_moves_as_it_wakes(visit: Any, width: int) -> None:
    """What is pressed stays under the finger."""
    page = visit(width)
    before = page.locator(".fm-tokens-from").bounding_box()
    page.evaluate("document.querySelector('.fm-tokens textarea').focus({ preventScroll: true })")
    expect(page.locator(".fm-tokens-tree")).to_be_visible()
    assert page.locator(".fm-tokens-from").bounding_box() == before


def test_how_a_token_was_made(page: Page) -> None:
    """The boxes of a word are its merges in their order; what is not used yet is dashed."""
    write(page, "in the graph")
    page.locator(PIECES, has_text="·graph").click()
    facts = page.locator(".fm-tokens-how dl").inner_text()
    assert "457" in facts
    assert "20 67 72 61 70 68" in facts
    tokenizer = load_tokenizer(asset("tokenizers/python-docs"))
    assert tokenizer.encode(" graph").ids[1:] == [457]
    boxes = page.locator(".fm-tokens-box:not(.fm-byte)")
    expect(boxes).to_have_count(5)
    assert not page.locator(".fm-later").count()
    use(page, 0)
    expect(page.locator(".fm-later")).to_have_count(5)
    assert page.locator(".fm-tokens-one").inner_text() == "·", "the chosen byte stays chosen"


def test_by_keyboard(page: Page) -> None:
    page.get_by_label("Your text").focus()
    expect(page.locator(f"{PIECES}[aria-selected=true]")).to_have_text("·number")
    page.locator(f"{PIECES}[aria-selected=true]").press("ArrowRight")
    expect(page.locator(".fm-tokens-one")).to_have_text("·of")
    page.keyboard.press("End")
    expect(page.locator(".fm-tokens-one")).to_have_text(".")
    page.keyboard.press("Home")
    expect(page.locator(".fm-tokens-one")).to_have_text("Ret")
    assert page.evaluate("document.activeElement.textContent") == "Ret"
    assert page.locator(f"{PIECES}[tabindex='0']").count() == 1
    page.get_by_role("button", name="Token after").press("Enter")
    expect(page.locator(".fm-tokens-one")).to_have_text("urn")


def test_pointing_is_a_look_ahead(page: Page) -> None:
    page.get_by_label("Your text").focus()
    expect(page.locator(".fm-tokens-one")).to_have_text("·number")
    page.locator(PIECES).first.hover()
    expect(page.locator(".fm-tokens-one")).to_have_text("Ret")
    page.get_by_role("button", name="Next").hover()
    expect(page.locator(".fm-tokens-one")).to_have_text("·number")


def test_all_three_side_by_side(page: Page) -> None:
    page.get_by_text("Show the tokens of all three").click()
    expect(page.locator(".fm-tokens-view")).to_have_count(3)
    heads = [text.split() for text in page.locator(".fm-tokens-view > p").all_inner_texts()]
    assert [head[-2] for head in heads] == ["19", "20", "10"]
    page.locator(".fm-tokens-view").first.locator(".fm-piece").nth(2).click()
    assert page.locator(f"{PIECES}[aria-selected=true]").count() == 1
    assert page.locator(f"{PIECES}[tabindex='0']").count() == 3


def test_what_is_typed_stays_text(page: Page) -> None:
    write(page, HOSTILE)
    expect(page.locator(".fm-tokens b"), "the name of the tokenizer").to_have_count(1)
    assert "<b>bold?</b>" in "".join(page.locator(PIECES).all_inner_texts())
    note = page.locator(".fm-tokens-note").inner_text()
    assert note.startswith("<|bos|>, <|assistant|>: in a text, ordinary characters.")
    assert page.locator(".fm-hex").all_inner_texts()[:3] == ["E2", "80", "AE"], (
        "what turns the line around is shown as bytes"
    )


def test_half_a_character_and_no_text(page: Page) -> None:
    page.get_by_label("Your text").focus()
    page.evaluate(
        "() => { const field = document.querySelector('.fm-tokens textarea'); field.value = 'a\\ud83d'; "
        "field.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(page.locator(".fm-tokens-note")).to_have_text("Half a character was replaced by \ufffd.")
    assert count(page, "bytes") == "4"
    page.get_by_label("Your text").fill("")
    expect(page.locator(".fm-tokens-note")).to_have_text("No text: type one, or choose an example.")
    assert (count(page, "tokens"), count(page, "rate")) == ("0", "–")
    expect(page.get_by_text("Press a token")).to_be_visible()


@pytest.mark.parametrize("text", ["word " * 24_000, "a" * 120_000], ids=["words", "one word"])
def test_a_long_text_is_counted(page: Page, text: str) -> None:
    """All of it up to 100,000 characters, of which the first are shown."""
    page.get_by_label("Your text").fill(text)
    note = page.locator(".fm-tokens-note")
    expect(note).to_contain_text("Only the first 100,000 of 120,000 characters are read.")
    expect(note).to_contain_text("those of the first 600 bytes are shown")
    ids = load_tokenizer(asset("tokenizers/python-docs")).encode(text[:100_000], add_special_tokens=False).ids
    assert count(page, "tokens") == f"{len(ids):,}"
    assert numbers(page) == ids[: len(numbers(page))]
    assert 100 < len(numbers(page)) <= 600


def test_a_fault_of_the_network_is_said(visit: Any) -> None:
    page = visit()
    page.route("**/tokenizers/*.js", lambda route: route.fulfill(body=""))
    page.get_by_label("Your text").focus()
    expect(page.locator(".fm-tokens-note")).to_contain_text("Check your connection and try again.")
    page.unroute("**/tokenizers/*.js")
    page.get_by_role("button", name="Story").click()
    expect(page.locator(".fm-tokens-note")).to_have_text("")
    assert count(page, "tokens") == "63"


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_in_each_state(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    faults = tiny.faults(page, ".fm-tokens")
    for title in ("Story", "Hostile"):
        page.get_by_role("button", name=title).click()
        page.wait_for_timeout(200)
        use(page, 100)
        faults += tiny.faults(page, ".fm-tokens")
    page.get_by_text("Show the tokens of all three").click()
    faults += tiny.faults(page, ".fm-tokens")
    write(page, "")
    faults += tiny.faults(page, ".fm-tokens")
    faults += tiny.small_targets(page, ".fm-tokens :is(.fm-button, textarea, label[data-name], [type=range])")
    assert not faults, "\n".join(faults)


def test_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    assert page.locator(PIECES).all_inner_texts()[0] == "Ret"
    expect(page.get_by_text("10 tokens").first).to_be_visible()
    expect(page.get_by_label("Your text")).to_be_hidden()
    expect(page.get_by_role("button", name="Next")).to_be_hidden()
