"""Sifting twelve pages: what is said of each, the count of what was kept, and all of it without a script."""

from functools import cache
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import crawl


@cache
def pages() -> list[dict[str, Any]]:
    return crawl.sift()


def notes() -> list[bool]:
    return [page["note"] for page in pages()]


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/crawl", **options)


def decide(page: Page, kept: list[bool]) -> None:
    for number, keep in enumerate(kept, start=1):
        choice = page.get_by_role("group", name=f"Page {number}", exact=True)
        choice.get_by_role("button", name="Keep" if keep else "Drop").press("Enter")
        page.get_by_role("button", name="Next page").press("Enter")


def row(page: Page, name: str) -> list[str]:
    found = page.locator("tbody tr", has=page.get_by_role("rowheader", name=name, exact=True))
    return found.locator("td").all_inner_texts()


@pytest.mark.slow
def test_the_pages_are_of_all_kinds() -> None:
    assert sum(notes()) == 3
    assert sum(page["sound"] for page in pages()) == 6
    assert len({page["truth"] for page in pages()}) == 9


@pytest.mark.slow
def test_filters_lose_notes_and_dsir_copies() -> None:
    rows = [crawl.tally(pages(), kept) for kept in crawl.kept_by(pages()).values()]
    assert [one["notes"] for one in rows] == [1, 1, 3]
    assert [one["rest"] for one in rows] == [1, 0, 1]


def test_what_you_kept_is_counted(visit: Any) -> None:
    page = visit()
    decide(page, notes())
    assert row(page, "you") == ["3", "3", "0", "0"]
    status = page.locator(".fm-crawl-status")
    assert status.inner_text() == "You kept 3 pages: 3 sound notes, 0 other sound pages, 0 of the rest."
    page.get_by_role("button", name="Back").press("Enter")
    page.get_by_role("group", name="Page 11").get_by_role("button", name="Keep").press("Enter")
    assert row(page, "you") == ["4", "3", "1", "0"]


def test_verdicts_come_with_your_decision(visit: Any) -> None:
    page = visit()
    says, table = page.locator(".fm-crawl-says").first, page.locator(".fm-crawl-tally")
    expect(says).to_be_hidden()
    page.get_by_role("button", name="Next page").press("Enter")  # not before the first decision
    page.get_by_role("button", name="Keep").press("Enter")
    expect(says).to_be_visible()
    expect(table).to_be_hidden()
    decide(page, notes())
    expect(table).to_be_visible()


def test_starting_again_hides_all(visit: Any) -> None:
    page = visit()
    decide(page, notes())
    page.get_by_role("button", name="Start again").click()
    expect(page.locator(".fm-crawl-says").first).to_be_hidden()
    assert page.locator(".fm-crawl-status").inner_text() == "0 of 12 pages decided."
    assert page.locator("[aria-pressed=true]").count() == 0


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_sifting_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-crawl")
    decide(page, notes())
    complaints += tiny.faults(page, ".fm-crawl")
    complaints += tiny.small_targets(page, ".fm-crawl button")
    assert not complaints, "\n".join(complaints)


def test_all_is_there_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.locator(".fm-crawl-says:visible")).to_have_count(12)
    assert row(page, "the filters") == ["4", "1", "2", "1"]
    expect(page.locator(".fm-crawl-you")).to_be_hidden()
