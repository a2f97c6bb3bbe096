"""The diagnosis: each case ends where the book says, and beside the others is what would change it."""

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Browser, Page, expect

from bookkit.widgets.diagnose import FILE, Approach, read_diagnosis
from fmkit.errors import FmkitError

DIAGNOSIS = read_diagnosis(tiny.ROOT / FILE, FILE)
CASES = dict(DIAGNOSIS.cases)
ENDS = {
    "A first demo on Monday": "Prompting",
    "Five letters in the house style": "Few-shot prompting",
    "Prices that change hourly": "Retrieval (RAG)",
    "Thirty shops, thirty tones": "An adapter (LoRA)",
    "800 letters in the house style": "Fine-tuning",
    "An offline tablet": "Distillation",
    "A clinic’s shorthand": "Continuous pre-training",
    "Codes of a new machine": "Pre-training",
    "A tablet, and weekly prices": "",
}
STATUS = ".fm-diagnose [role=status]"


@pytest.fixture(scope="module")
def diagnose_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = dict.fromkeys(approach.section for approach in DIAGNOSIS.approaches)
    sections = "".join(f"\n({label})=\n## {label}\n" for label in labels)
    page = f"# A diagnosis\n\n```{{diagnose}}\n```\n{sections}"
    book = tiny.write(tmp_path_factory.mktemp("diagnose"), page)
    for folder in ("quizzes", "lessons"):
        shutil.rmtree(book / "assets" / folder, ignore_errors=True)
    return tiny.build(book)


@pytest.fixture(scope="module")
def tiny_browser(diagnose_site: Path) -> Iterator[tuple[Browser, str]]:
    with tiny.opened(diagnose_site) as both:
        yield both


def best(answers: dict[str, str]) -> str:
    """The cheapest that fits, by the words of the file alone."""

    def serves(approach: Approach) -> bool:
        return all(answers[question] in fitting for question, fitting in approach.fits.items())

    return next((approach.name for approach in DIAGNOSIS.approaches if serves(approach)), "")


def one_away(answers: dict[str, str]) -> dict[str, list[str]]:
    """The other approaches, each with the answers that would lead there."""
    near: dict[str, list[str]] = {}
    for question, (_, choices) in DIAGNOSIS.questions.items():
        for value, text in choices.items():
            found = best({**answers, question: value})
            if found and found != best(answers):
                near.setdefault(found, []).append(f"“{text}”")
    return near


def choose(page: Page, answers: dict[str, str]) -> dict[str, Any]:
    """Answer all questions at once; returns what the widget says."""
    return page.evaluate(
        """(answers) => {
            const questions = [...document.querySelectorAll(".fm-diagnose select")];
            for (const one of questions) one.value = answers[one.name];
            questions[0].dispatchEvent(new Event("change"));
            const rows = [...document.querySelectorAll(".fm-diagnose-approaches > li")];
            const near = rows.map((one) => [one.dataset.name, one.querySelector(".fm-diagnose-near")]);
            return {
                said: document.querySelector(".fm-diagnose [role=status]").textContent,
                near: Object.fromEntries(near.map(([name, one]) => [name, one.textContent])),
            };
        }""",
        answers,
    )


@pytest.mark.parametrize("name", ENDS)
def test_a_scenario_ends_at_its_approach(visit: Any, name: str) -> None:
    page = visit()
    page.get_by_role("button", name=name).press("Enter")
    said, end = page.locator(STATUS).text_content(), ENDS[name]
    assert said.startswith(f"What fits: {end}." if end else "Nothing fits yet.")
    assert page.get_by_role("button", name=name).get_attribute("aria-pressed") == "true"
    assert page.locator(".fm-diagnose-fits").count() == bool(end)


def test_every_scenario_of_the_file_is_known() -> None:
    found = {
        name: best(dict(zip(DIAGNOSIS.questions, chosen, strict=True))) for name, chosen in CASES.items()
    }
    assert found == ENDS
    assert {*ENDS.values()} - {""} == {approach.name for approach in DIAGNOSIS.approaches}


def test_a_network_changes_the_tablet(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="An offline tablet").click()
    page.get_by_label("Where must it run?").select_option("network")
    assert page.locator(STATUS).text_content().startswith("What fits: Prompting.")


def test_every_diagnosis_says_what_is_near(visit: Any) -> None:
    page = visit()
    for chosen in itertools.product(*(choices for _, choices in DIAGNOSIS.questions.values())):
        answers = dict(zip(DIAGNOSIS.questions, chosen, strict=True))
        shown, near, end = choose(page, answers), one_away(answers), best(answers)
        assert shown["said"].startswith(f"What fits: {end}." if end else "Nothing fits yet."), answers
        said = {name: f"Would fit with {' or '.join(texts)}." for name, texts in near.items()}
        assert {name: text for name, text in shown["near"].items() if text} == said, answers
        assert ("One answer away: " in shown["said"]) is bool(near), answers


def test_a_ruled_out_approach_says_why(visit: Any) -> None:
    page = visit()
    page.get_by_label("Where must it run?").select_option("device")
    said = page.locator(".fm-sift-out:visible").all_inner_texts()
    assert "Ruled out: a model that reads pages well is too large for the device." in said
    page.get_by_role("button", name="Start over").press("Enter")
    expect(page.locator(".fm-sift-ruled-out")).to_have_count(0)


@pytest.mark.parametrize("width", [tiny.DESK, tiny.PHONE])
def test_nothing_moves_in_a_diagnosis(visit: Any, width: int) -> None:
    page = visit(width)
    heights = set()
    for name in CASES:
        page.get_by_role("button", name=name).click()
        heights.add(page.locator(".fm-diagnose").evaluate("(one) => one.getBoundingClientRect().height"))
    assert len(heights) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_diagnoses_are_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    page.get_by_role("button", name="An offline tablet").click()
    complaints = tiny.faults(page, ".fm-diagnose")
    complaints += tiny.small_targets(page, ".fm-diagnose :is(button, select)")
    assert not complaints, "\n".join(complaints)


def test_approaches_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.locator(".fm-sift-says:visible")).to_have_count(len(DIAGNOSIS.approaches))
    expect(page.locator(".fm-sift-out:visible")).to_have_count(0)
    expect(page.get_by_label("Where must it run?")).to_be_hidden()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("lack: [untried, nothing]", "lack: [tired]", "an answer must be untried or nothing or price"),
        ("place: [network]", "palce: [network]", "fits has no key 'palce'"),
        (
            "      place: a model that follows",
            "      there: a model that follows",
            "reasons has no key 'there'",
        ),
        ("[untried, few, network, all, few]", "[untried, few]", "a case answers 5 questions, not 2"),
    ],
)
def test_a_faulty_diagnosis_is_one_line(tmp_path: Path, old: str, new: str, fault: str) -> None:
    text = (tiny.ROOT / FILE).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "faulty.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FmkitError, match=rf"^faulty.yml:\d+: {re.escape(fault)}"):
        read_diagnosis(tmp_path / "faulty.yml", "faulty.yml")
