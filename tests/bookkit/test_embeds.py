"""Labs: each has a page of its own, a lesson plan and a place in the list; faults of a plan have a line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import quiz_book
import tiny
from playwright.sync_api import expect

from bookkit.site.lessons import read_lesson
from fmkit.errors import FmkitError

FAULTS = [
    ("title: A life", "titel: A life", 1, "a lesson plan has no key 'titel'"),
    ("needs: [Nothing]\n", "", 1, "is missing the key 'needs'"),
    ("level: introductory", "level: easy", 3, "level must be introductory, intermediate, advanced"),
    ("minutes: 12", "minutes: 15", 4, "the activities take 12 minutes together, not 15"),
    ("chapter: ft-task", "chapter: A task", 5, "chapter must be small letters"),
    ("    see: An example.\n", "", 8, "an activity is missing the key 'see'"),
    ("minutes: 5", "minutes: 0", 8, "an activity takes a minute or more"),
    ("[hu2021]", "[]", 18, "sources is empty"),
]
LED_NOWHERE = [
    ("chapter: ft-task", "chapter: ft-tusk", 5, "no section has the label 'ft-tusk'"),
    ("[ft-adapters]", "[ft-adopters]", 17, "no section has the label 'ft-adopters'"),
    ("[hu2021]", "[hu1021]", 18, "no source 'hu1021' in chapters/back/references.bib"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS, ids=[fault[3] for fault in FAULTS])
def test_a_faulty_plan_is_one_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    (tmp_path / "assets/lessons").mkdir(parents=True)
    (tmp_path / "assets/lessons/life.yml").write_text(quiz_book.LESSON.replace(old, new, 1))
    with pytest.raises(FmkitError) as error:
        read_lesson(tmp_path, "life")
    assert str(error.value).startswith(f"assets/lessons/life.yml:{line}: ")
    assert words in str(error.value)


def write_lab(folder: Path, lesson: str) -> Path:
    """A book with one lab, whose pages are made in this process, in a second."""
    labels = quiz_book.METHODS.partition("```\n\n")[2]
    book = tiny.write(folder, f"# A life\n\n{labels}\n```{{guess}} once\n```\n")
    (book / "assets/guess/once.json").write_text(json.dumps(quiz_book.GUESS))
    (book / "assets/lessons").mkdir()
    (book / "assets/lessons/guess-once.yml").write_text(lesson)
    shutil.copy(tiny.ROOT / "chapters/back/references.bib", book / "chapters/back")
    return book


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "line", "words"), LED_NOWHERE, ids=[one[3] for one in LED_NOWHERE])
def test_a_link_to_nothing(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    book = write_lab(tmp_path, quiz_book.LESSON.replace(old, new))
    _, warnings = tiny.read(book, "site.embeds")
    assert f"assets/lessons/guess-once.yml:{line}: WARNING: {words}" in warnings


@pytest.mark.slow
def test_a_plan_without_a_lab(tmp_path: Path) -> None:
    book = tiny.write(tmp_path, "# A life\n")
    (book / "assets/lessons").mkdir()
    (book / "assets/lessons/nobody.yml").write_text(quiz_book.LESSON)
    _, warnings = tiny.read(book, "site.embeds")
    assert "assets/lessons/nobody.yml:1: WARNING: no page shows the lab nobody" in warnings


def test_the_list_of_labs(visit: Any) -> None:
    page = visit(name="chapters/back/labs")
    first = page.locator(".fm-labs li").first
    assert first.locator("h2").inner_text() == "A life in a picture"
    assert "One picture shows a <life>." in first.inner_text()
    assert "Introductory, 12 minutes" in first.inner_text()
    addresses = [link.get_attribute("href") for link in first.locator("a").all()]
    assert addresses == [
        "../../embed/explorer.html",
        "../../embed/explorer-lesson.html",
        "../../chapters/back/methods.html#ft-task",
    ]
    assert not tiny.faults(page, ".fm-labs")


def test_ways_to_and_from_a_lab(visit: Any) -> None:
    page = visit(name="chapters/back/explorer")
    page.get_by_role("link", name="Open on its own page").click()
    assert page.url.endswith("/embed/explorer.html")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Lesson plan").click()
    plan = opened.value
    assert 'src="https://example.org/book/embed/explorer.html"' in plan.locator("pre").inner_text()
    expect(plan.get_by_text("Two.")).to_be_hidden()
    plan.get_by_text("Answer", exact=True).click()
    expect(plan.get_by_text("Two.")).to_be_visible()
    assert "E. Hu et al. (2021)" in plan.locator("main").inner_text()
    plan.get_by_role("link", name="A task").first.click()
    assert plan.url.endswith("/chapters/back/methods.html#ft-task")


@pytest.mark.slow
def test_without_an_address_it_says_how(tmp_path: Path) -> None:
    book = write_lab(tmp_path, quiz_book.LESSON)
    tiny.read(book, "site.embeds")
    plan = (book / "_build/html/embed/guess-once-lesson.html").read_text()
    assert "FMKIT_PUBLIC_URL=https://…" in plan
    assert "iframe" not in plan
