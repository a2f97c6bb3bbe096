"""Rating twelve answers: the numbers are fmkit's, the file is the assistant's; all of it without a script."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import annotate
from bookkit.widgets.annotate import making
from fmkit.errors import FmkitError
from fmkit.evaluation.agreement import cohen_kappa, krippendorff_alpha

ANSWERS = annotate.read_answers(tiny.ROOT / annotate.FILE, annotate.FILE)
TRUTH, ADA, BO = ([one[who] for one in ANSWERS] for who in ("truth", "careful", "hasty"))


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/annotate", **options)


def rate(page: Page, labels: list[str]) -> None:
    for item, label in zip(page.locator(".fm-annotate-items > li").all(), labels, strict=True):
        item.locator(f"input[value={label}]").press("Space")


def numbers(page: Page) -> dict[str, str]:
    rows = page.locator(".fm-annotate-result table").first.locator("tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").inner_text() for row in rows}


def test_the_numbers_are_fmkits(visit: Any) -> None:
    page, yours = visit(), ["wrong" if label == "partly" else label for label in TRUTH]
    rate(page, yours)
    assert numbers(page) == {
        "you and the world": f"{cohen_kappa(yours, TRUTH):.2f}",
        "you and Ada": f"{cohen_kappa(yours, ADA):.2f}",
        "you and Bo": f"{cohen_kappa(yours, BO):.2f}",
        "Ada and Bo": f"{cohen_kappa(ADA, BO):.2f}",
        "you, Ada, and Bo: α": f"{krippendorff_alpha([yours, ADA, BO]):.2f}",
    }
    divided = [i for i, labels in enumerate(zip(yours, ADA, BO, strict=True), 1) if len({*labels}) > 1]
    assert page.locator(".fm-annotate-status").inner_text() == (
        f"You agree with the world on 9 of 12 answers. The three annotators differ on {len(divided)}: "
        f"{', '.join(map(str, divided))}."
    )


def test_the_same_label_has_no_kappa(visit: Any) -> None:
    page = visit()
    rate(page, ["right"] * 12)
    assert numbers(page)["you and the world"] == "0.00"
    assert page.locator(".fm-annotate-result table").last.locator("td").all_inner_texts()[1:4] == [
        "5",
        "0",
        "0",
    ]


def test_others_are_hidden_until_you_rated(visit: Any) -> None:
    page = visit()
    others = page.locator(".fm-annotate-others").first
    expect(others).to_be_hidden()
    rate(page, TRUTH)
    expect(others).to_be_visible()
    page.get_by_role("button", name="Rate again").click()
    expect(others).to_be_hidden()
    assert page.locator(".fm-annotate-status").inner_text() == "0 of 12 rated."


def test_the_interval_is_the_bootstraps(visit: Any) -> None:
    page = visit()
    rate(page, TRUTH)
    slider, said = page.get_by_label("How many ratings are enough?"), page.locator(".fm-annotate-votes p")
    for key, votes in (("Home", 10), ("End", 1000)):
        slider.press(key)
        low, high = np.quantile(np.random.default_rng(0).binomial(votes, 0.6, 20_000) / votes, [0.025, 0.975])
        found = [int(word.rstrip("%.")) for word in said.inner_text().split() if word.rstrip("%.").isdigit()]
        assert found[:2] == [round(0.6 * votes), votes]
        assert found[-2:] == pytest.approx([100 * low, 100 * high], abs=11 if votes == 10 else 1.5)
    assert "very likely better" in said.inner_text()


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_before_and_after(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-annotate")
    rate(page, TRUTH)
    complaints += tiny.faults(page, ".fm-annotate")
    complaints += tiny.small_targets(page, ".fm-annotate button")
    assert not complaints, "\n".join(complaints)


def test_a_list_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.locator(".fm-annotate-others:visible")).to_have_count(12)
    assert "Cohen’s κ of the two" in page.locator(".fm-annotate-note").inner_text()
    expect(page.locator(".fm-annotate fieldset").first).to_be_hidden()


@pytest.mark.slow
def test_the_file_is_current() -> None:
    assert making.make() == ANSWERS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: whole["answers"].pop(), "11 answers, not 12"),
        (lambda whole: whole["answers"][0].pop("truth"), "is missing the key 'truth'"),
        (lambda whole: whole["answers"][0].update(hasty="odd"), "hasty must be one of right, partly, wrong"),
    ],
)
def test_a_fault_of_the_answers_is_one_line(tmp_path: Path, change: Any, said: str) -> None:
    whole = json.loads((tiny.ROOT / annotate.FILE).read_text())
    change(whole)
    (tmp_path / "a.json").write_text(json.dumps(whole))
    with pytest.raises(FmkitError, match=said):
        annotate.read_answers(tmp_path / "a.json", "a.json")
