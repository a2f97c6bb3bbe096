"""The plan of an evaluation: each case has one, and what is left out says why."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Browser, Page, expect

from bookkit.widgets import plan

WAYS = [way for those in plan.WAYS.values() for way in those]
STATUS = ".fm-sift-status [role=status]"
KEPT = ".fm-plan-ways > li:not(.fm-sift-ruled-out)"
STAKES = list(plan.STAKES)


@pytest.fixture(scope="module")
def plan_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sections = "".join(f"\n({name})=\n## {name}\n" for name in dict.fromkeys(way.section for way in WAYS))
    page = f"# A plan\n\n```{{plan}}\n```\n{sections}"
    book = tiny.write(tmp_path_factory.mktemp("plan"), page)
    for folder in ("quizzes", "lessons"):
        shutil.rmtree(book / "assets" / folder, ignore_errors=True)
    return tiny.build(book)


@pytest.fixture(scope="module")
def tiny_browser(plan_site: Path) -> Iterator[tuple[Browser, str]]:
    with tiny.opened(plan_site) as both:
        yield both


def fitting(judged: str, reference: str, stakes: str) -> list[str]:
    """What makes the plan, by the words of the ways alone."""
    return [
        way.name
        for way in WAYS
        if judged in way.judged
        and (reference == "yes" or not way.reference)
        and STAKES.index(stakes) >= STAKES.index(way.least)
    ]


def kept(page: Page) -> list[str]:
    return page.locator(KEPT).evaluate_all("(all) => all.map((one) => one.dataset.name)")


@pytest.mark.parametrize("case", plan.CASES, ids=lambda case: case[0])
def test_a_case_has_a_plan(visit: Any, case: Any) -> None:
    name, answers = case
    page = visit()
    page.get_by_role("button", name=name).press("Enter")
    said = page.locator(STATUS).text_content()
    assert said.startswith("The plan. ")
    assert kept(page) == fitting(*answers)
    assert all(way in said for way in kept(page))
    assert 1 <= len(kept(page)) <= 6, "a plan that somebody carries out"


def test_what_is_rented_is_read_by_people() -> None:
    """A public benchmark makes a shortlist; the renter's own letters decide."""
    rented = fitting(*dict(plan.CASES)["Which model to rent?"])
    assert {"Benchmark datasets", "LLM-as-a-judge", "Human evaluation"} <= set(rented)
    assert "Perplexity" not in rented


@pytest.mark.parametrize("name", ["Sorting job applications", "Advice on medicines"])
def test_a_person_reviews_what_can_harm(name: str) -> None:
    assert "Review of each case by a person" in fitting(*dict(plan.CASES)[name])


def test_every_answer_leaves_a_plan(visit: Any) -> None:
    """But a judge of labels without labels, which has to be told what is missing."""
    page = visit()
    for answers in itertools.product(plan.JUDGED, plan.REFERENCE, plan.STAKES):
        page.evaluate(
            """(answers) => {
                const questions = [...document.querySelectorAll(".fm-plan select")];
                questions.forEach((one, number) => (one.value = answers[number]));
                questions[0].dispatchEvent(new Event("change"));
            }""",
            list(answers),
        )
        assert kept(page) == fitting(*answers), answers
        if not kept(page):
            assert "Nothing fits" in page.locator(STATUS).text_content(), answers


def test_what_is_left_out_says_why(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="Praise or complaint?").click()
    said = page.locator(".fm-sift-out:visible").all_inner_texts()
    assert len(said) == len(WAYS) - len(kept(page))
    assert "Left out: it is for summaries and translations." in said
    page.get_by_role("button", name="Start over").press("Enter")
    assert kept(page) == [way.name for way in WAYS]


@pytest.mark.parametrize("width", [tiny.DESK, tiny.PHONE])
def test_no_way_moves_when_left_out(visit: Any, width: int) -> None:
    page = visit(width)
    heights = set()
    for name, _ in plan.CASES:
        page.get_by_role("button", name=name).click()
        heights.add(page.locator(".fm-plan").evaluate("(one) => one.getBoundingClientRect().height"))
    assert len(heights) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_plans_are_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    page.get_by_role("button", name="A bot that sends refunds").click()
    complaints = tiny.faults(page, ".fm-plan")
    complaints += tiny.small_targets(page, ".fm-plan :is(button, select)")
    assert not complaints, "\n".join(complaints)


def test_the_ways_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.locator(".fm-sift-says:visible")).to_have_count(len(WAYS))
    expect(page.locator(".fm-sift-out:visible")).to_have_count(0)
    expect(page.get_by_label("What is judged?")).to_be_hidden()
