"""The ladder of methods: each case ends where the book says, and each choice has a verdict."""

import itertools
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import methods

LADDER = ".fm-methods-ladder > li"
STATUS = ".fm-sift-status [role=status]"
OTHERS = methods.METHODS[1:]


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/methods", **options)


def choose(page: Page, answers: dict[str, str]) -> str:
    """Answer the questions at once, as fast as a script can; returns the verdict."""
    return str(
        page.evaluate(
            """(answers) => {
                const questions = [...document.querySelectorAll(".fm-methods select")];
                for (const one of questions) one.value = answers[one.name] ?? "";
                questions[0].dispatchEvent(new Event("change"));
                return document.querySelector(".fm-sift-status [role=status]").textContent;
            }""",
            answers,
        )
    )


def low(method: methods.Method) -> str:
    return method.name[0].lower() + method.name[1:]


def fitting(answers: dict[str, str]) -> list[methods.Method]:
    """What is left but the adapter, by the words of the methods alone."""
    left = [methods.PROMPT] if answers["prompted"] == "no" else []
    serves = [one for one in OTHERS if answers["need"] in one.needs and answers["source"] in one.sources]
    return left + [one for one in serves if one is not methods.ADAPTER]


@pytest.mark.parametrize("case", methods.CASES, ids=lambda case: case[0])
def test_a_case_ends_at_its_method(visit: Any, case: Any) -> None:
    name, _, method, adapter = case
    page = visit()
    page.get_by_role("button", name=name).press("Enter")
    said = page.locator(STATUS).text_content()
    assert page.get_by_role("button", name=name).get_attribute("aria-pressed") == "true"
    assert page.locator(".fm-methods-fits").count() == (2 if adapter else bool(method))
    if method:
        assert said.startswith(f"What fits: {method.name}{', as an adapter' if adapter else '.'}")
        assert method.exam in said
    else:
        assert said.startswith("Nothing fits yet.")


def test_every_choice_has_a_verdict(visit: Any) -> None:
    page = visit()
    for answers in itertools.product(*(answers for _, answers in methods.QUESTIONS.values())):
        chosen = dict(zip(methods.QUESTIONS, answers, strict=True))
        said, left = choose(page, chosen), fitting(chosen)
        if left:
            assert said.startswith(f"What fits: {left[0].name}"), chosen
            follows = f"If it is not enough: {low(left[1])}." if len(left) > 1 else "If it is not enough"
            assert (follows in said) is (len(left) > 1), chosen
            cheaper = left[0].trains and chosen["memory"] == "all"
            assert ("An adapter trains it for less" in said) is cheaper, chosen
        else:
            wanted = next(one for one in OTHERS if chosen["need"] in one.needs and one is not methods.ADAPTER)
            assert f"is {low(wanted)}. {wanted.lacks} Collect that first." in said, chosen


def test_the_verdict_follows_every_choice(visit: Any) -> None:
    """Questions without an answer, too: no error, and the verdict names the rung that is marked."""
    page = visit()
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    for answers in itertools.product(*(("", *answers) for _, answers in methods.QUESTIONS.values())):
        chosen = dict(zip(methods.QUESTIONS, answers, strict=True))
        said = choose(page, chosen)
        marked = page.evaluate(
            """() => [...document.querySelectorAll(".fm-methods-fits")].map((one) => one.dataset.name)"""
        )
        marked = [name for name in marked if name != methods.ADAPTER.name] or ["Nothing fits yet"]
        start = "" if not said.startswith("What") else said.partition(": ")[0] + ": "
        assert said.startswith(start + marked[0]), chosen
        assert start in ("", "What fits: " if all(answers) else "What fits so far: "), chosen
    assert not errors


def test_each_answer_rules_out_by_keyboard(visit: Any) -> None:
    page = visit()
    rungs = page.locator(LADDER)
    assert page.locator(STATUS).text_content().startswith("What fits so far: Prompting.")
    page.get_by_label("What is missing?").press("O")  # One task …
    out = page.locator(".fm-sift-ruled-out").count()
    assert out == rungs.count() - 3, "a prompt, an adapter and a head are left"
    assert rungs.nth(1).locator(".fm-sift-out:visible").inner_text() == (
        "Ruled out: It looks up facts and teaches no skill."
    )
    page.get_by_role("button", name="Start over").press("Enter")
    expect(page.locator(".fm-sift-ruled-out")).to_have_count(0)


@pytest.mark.parametrize("width", [tiny.DESK, tiny.PHONE])
def test_nothing_moves_when_methods_drop(visit: Any, width: int) -> None:
    page = visit(width)
    heights = set()
    for name, *_ in methods.CASES:
        page.get_by_role("button", name=name).click()
        heights.add(page.locator(".fm-methods").evaluate("(one) => one.getBoundingClientRect().height"))
    assert len(heights) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_methods_are_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-methods")
    page.get_by_role("button", name="Three bots").click()
    complaints += tiny.faults(page, ".fm-methods")
    complaints += tiny.small_targets(page, ".fm-methods :is(button, select)")
    assert not complaints, "\n".join(complaints)


def whole(page: Page) -> None:
    expect(page.locator(".fm-sift-says:visible")).to_have_count(len(methods.METHODS))
    expect(page.locator(".fm-sift-out:visible")).to_have_count(0)
    expect(page.get_by_label("What is missing?")).to_be_hidden()


def test_the_ladder_without_a_script(visit: Any) -> None:
    whole(visit(java_script_enabled=False))


def test_the_ladder_on_paper(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="Three bots").click()
    page.emulate_media(media="print")
    whole(page)
