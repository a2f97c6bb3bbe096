"""Steps that the tests of quizzes, of the progress page and of the exam share, on the pages of quiz_book."""

from collections.abc import Iterable
from typing import Any

from playwright.sync_api import Locator, Page

SUMS, SIGNS, PROGRESS = "chapters/intro", "chapters/1-sums/adding", "chapters/back/progress"


def answer(page: Page, number: int, letters: str) -> None:
    form = page.locator(".fm-quiz form").nth(number)
    for letter in letters:
        form.locator(f"input[value={letter}]").check()
    form.get_by_role("button", name="Check").click()


def facts(page: Page) -> dict[str, Any]:
    return page.evaluate("""() => ({
        results: [...document.querySelectorAll(".fm-quiz form")].map((form) => form.dataset.result ?? null),
        score: document.querySelector(".fm-quiz-score").textContent,
        feedback: [...document.querySelectorAll(".fm-quiz-feedback")].map((box) => box.textContent),
        focused: document.activeElement.closest("label")?.querySelector(".fm-quiz-letter").textContent ??
            document.activeElement.textContent,
    })""")


def place(page: Page, number: int, values: str) -> None:
    form = page.locator(".fm-quiz form").nth(number)
    fill(form, values)
    form.get_by_role("button", name="Check").click()


def fill(form: Locator, values: Iterable[str]) -> None:
    """Places or matches by the order of the file, in whichever order they are shown."""
    for part, value in enumerate(values, start=1):
        form.locator(f"[name=part-{part}]").select_option(value)


def measure(page: Page, text: str) -> None:
    page.get_by_label("Your number").fill(text)
    page.locator(".fm-quiz form").nth(2).get_by_role("button", name="Check").click()


def said(page: Page, number: int) -> tuple[str, list[str]]:
    form = page.locator(".fm-quiz form").nth(number)
    return form.locator(".fm-quiz-verdict").inner_text(), form.locator(".fm-quiz-feedback").all_inner_texts()
