"""A business case of one's own: fmkit's numbers, every state usable, and input that stays text."""

import json
import subprocess
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from bookkit.site.node import node_js
from bookkit.site.scripts import script
from bookkit.widgets import business
from fmkit import asset
from fmkit.errors import FmkitError
from fmkit.evaluation.business import BusinessCase, draw, percentiles, swings, turning_point

CASES = json.loads(asset("business/cases.json").read_text(encoding="utf-8"))
RESULTS = ("by_person", "per_interaction", "saving", "net", "roi", "break_even_month", "break_even_volume")
LOADER = """
const fs = require("fs"), modules = {};
const fmkit = { define: (name, needs, make) => { modules[name] = make(); } };
"""
MAIN = """
const { draw, percentiles, swings, turningPoint, NAMES } = modules.business;
const all = JSON.parse(fs.readFileSync(0, "utf8")).map((ranges) => {
  const found = Object.entries(draw(ranges)).map(([name, values]) => [name, percentiles(values).map(String)]);
  const turns = NAMES.map((name) => [name, turningPoint(ranges, name).value]);
  return { found: Object.fromEntries(found), swings: swings(ranges), turns: Object.fromEntries(turns) };
});
process.stdout.write(JSON.stringify(all));
"""


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/business", **options)


@pytest.fixture(scope="module")
def in_node(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the page's formulas make of several sets of ranges."""
    path = tmp_path_factory.mktemp("business") / "run.js"
    path.write_text("\n".join([LOADER, script("business"), MAIN]), encoding="utf-8")

    def run(ranges: list[Any]) -> list[Any]:
        done = subprocess.run([node_js(), path], input=json.dumps(ranges), capture_output=True, text=True)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return run


def random_ranges(rng: np.random.Generator) -> dict[str, list[float]]:
    """Ranges around a case of the book, each input up to four times as large or as small."""
    ranges = {}
    for name, ends in rng.choice(list(CASES.values()))["ranges"].items():
        most = 1.0 if name in ("people_errors", "handled", "errors") else np.inf
        ranges[name] = sorted(min(float(end * 4 ** rng.uniform(-1, 1)), most) for end in ends)
    return ranges


@pytest.mark.slow
def test_the_script_has_fmkits_formulas(in_node: Any) -> None:
    rng = np.random.default_rng(0)
    given = [case["ranges"] for case in CASES.values()] + [random_ranges(rng) for _ in range(200)]
    for ranges, page in zip(given, in_node(given), strict=True):
        drawn = draw(ranges)
        for name in RESULTS:
            found = [float(text.replace("Infinity", "inf")) for text in page["found"][name]]
            assert found == pytest.approx(percentiles(getattr(drawn, name)), rel=1e-9)
        for (name, *ends), (other, *others) in zip(page["swings"], swings(ranges), strict=True):
            assert name == other
            assert ends == pytest.approx(others, rel=1e-9, abs=1e-6)
        for name, value in page["turns"].items():
            expected = turning_point(ranges, name)
            assert (value is None) == (expected is None), name
            assert expected is None or value == pytest.approx(expected, rel=1e-6)


def says(page: Page) -> str:
    return page.locator(".fm-business-verdict").inner_text()


def number(page: Page, row: str) -> str:
    return page.locator(".fm-business-numbers tr", has_text=row).locator("td").inner_text()


def test_it_starts_with_the_shop(visit: Any) -> None:
    page = visit()
    net = draw(CASES["letters"]["ranges"]).net
    ahead = round(100 * float(np.mean(net > 0)))
    assert says(page).startswith(f"It loses money: after 24 months it is ahead in {ahead} of 100 draws.")
    assert "loses money unless a wrong answer costs under $" in says(page)
    low, _, high = percentiles(draw(CASES["letters"]["ranges"]).saving)
    assert number(page, "saves in a month") == f"{business.money(low)} to {business.money(high)}"


def test_each_case_has_its_verdict(visit: Any) -> None:
    page, found = visit(), {}
    for case in CASES.values():
        page.get_by_role("button", name=case["title"]).press("Enter")
        assert page.locator("[aria-pressed=true]").inner_text() == case["title"]
        found[case["title"]] = says(page).split(":")[0]
        assert page.locator(".fm-business-spoken").text_content() == says(page)
    assert [*found.values()] == ["It loses money", "It pays", "It may pay, or not", "It pays"]


def test_arrow_keys_step(visit: Any) -> None:
    page = visit()
    field = page.get_by_label("Its wrong answers, %, from")
    before = says(page)
    for _ in range(24):
        field.press("ArrowDown")
    assert field.input_value() == "0"
    field.press("ArrowDown")
    assert field.input_value() == "0"
    page.get_by_label("Its wrong answers, %, to").fill("2")
    assert says(page) != before
    assert says(page).startswith("It pays")


def test_the_chart_shows_the_widest_first(visit: Any) -> None:
    page = visit()
    labels = page.locator(".fm-business-chart th").all_inner_texts()
    assert labels[0] == "A wrong answer costs 10 to 40".replace(
        "10 to 40", "$10.0 to $40.0".replace(".0", "")
    )
    widths = page.locator(".fm-business-track").evaluate_all(
        "(tracks) => tracks.map((one) => [...one.querySelectorAll('i')]"
        ".reduce((sum, bar) => sum + bar.getBoundingClientRect().width, 0))"
    )
    assert widths == sorted(widths, reverse=True)
    assert len(widths) == 6


@pytest.mark.parametrize(
    ("field", "typed", "fault"),
    [
        ("Its wrong answers, %, to", "130", "Its wrong answers: 130 is too large. Write 100 or less."),
        ("An hour of work costs, $, from", "-3",
         "An hour of work costs: -3 is negative. Write 0 or more."),
        ("An hour of work costs, $, from", "", "An hour of work costs: no number yet. Write one."),
        ("An hour of work costs, $, from", "40",
         "An hour of work costs: the first number, 40, is above the second, 30. Swap them."),
        ("Letters a day, from", "0", "Letters a day: 0 is too small. Write more than 0."),
        ("Tokens a letter, to", "1e99", "Tokens a letter: “1e99” is not a number. Write one like 7.5."),
        ("Months of use", "NaN", "Months of use: “NaN” is not a number. Write one like 7.5."),
        ("A million tokens cost, $, to", "<img src=x onerror=alert(1)>",
         "A million tokens cost: “<img src=x onerror=a…” is not a number. Write one like 7.5."),
    ],
)  # fmt: skip
def test_impossible_input_says_how(visit: Any, field: str, typed: str, fault: str) -> None:
    """Whatever is typed stays text; the field is marked, and mended it works again."""
    page = visit()
    box = page.get_by_label(field, exact=True)
    before = box.input_value()
    box.fill(typed)
    assert page.locator(".fm-business-faults").inner_text() == fault
    assert box.get_attribute("aria-invalid") == "true"
    expect(page.locator(".fm-business-verdict")).to_be_hidden()
    box.fill(before)
    expect(page.locator(".fm-business-verdict")).to_be_visible()
    assert not page.locator(".fm-business img, .fm-business script").count()


def test_numbers_as_people_write_them(visit: Any) -> None:
    page = visit()
    before = number(page, "by people")
    page.get_by_label("An hour of work costs, $, from").fill(" $22.00 ")
    page.get_by_label("Tokens a letter, to").fill("2,000")
    page.get_by_label("People’s wrong answers, %, to").fill("4%")
    assert number(page, "by people") == before


def test_the_case_as_text(visit: Any) -> None:
    """Where the clipboard is closed, the text is there to be copied by hand."""
    page = visit(script="Object.defineProperty(navigator, 'clipboard', {value: undefined});")
    page.get_by_role("button", name="Copy as text").press("Enter")
    text = page.get_by_label("Your case as text").input_value()
    assert "Letters a day: 35 to 45\n" in text
    assert says(page) in text
    assert f"It saves in a month: {number(page, 'saves in a month')}" in text


def test_the_clipboard_gets_the_case(visit: Any) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as text").press("Enter")
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("My business case")


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_a_case_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-business")
    for case in CASES.values():
        page.get_by_role("button", name=case["title"]).press("Enter")
        complaints += tiny.faults(page, ".fm-business")
    page.get_by_label("Months of use").fill("long")
    complaints += tiny.faults(page, ".fm-business")
    complaints += tiny.small_targets(page, ".fm-business :is(input, button)")
    assert not complaints, "\n".join(complaints)


def test_the_cases_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    rows = page.locator(".fm-business-table tbody tr").all_inner_texts()
    assert [row.split("\t")[-1] for row in rows] == ["loses money", "pays", "may pay", "pays"]
    expect(page.locator(".fm-business-live")).to_be_hidden()


def test_a_case_on_paper(visit: Any) -> None:
    """As the reader left it, without the buttons."""
    page = visit()
    page.get_by_role("button", name="a law office").press("Enter")
    page.emulate_media(media="print")
    expect(page.get_by_label("Tokens a letter, to")).to_be_visible()
    assert says(page).startswith("It may pay")
    assert not page.locator(".fm-business button:visible").count()
    expect(page.locator(".fm-business-table")).to_be_hidden()


@given(st.floats(0.01, 1e8))
@settings(max_examples=200)
def test_money_keeps_its_size(value: float) -> None:
    assert float(business.money(value)[1:].replace(",", "")) == pytest.approx(value, rel=0.006, abs=0.006)


def test_fields_are_those_of_the_formulas() -> None:
    assert {*business.FIELDS} == {field.name for field in fields(BusinessCase)}


def test_a_faulty_case_is_one_line() -> None:
    case = {"law": {"ranges": CASES["law"]["ranges"] | {"errors": [0.1, 2]}}}
    with pytest.raises(FmkitError, match=r"^cases\.json:1: law: errors: .* is not a share; .*$"):
        business.read(json.dumps(case), "cases.json")


def test_paid_back_in_words() -> None:
    assert business.paid_back((2.0, 3.0, 5.123)) == "2.0 to 5.1 months"
    assert business.paid_back((17.6, np.inf, np.inf)) == "17.6 months or never"
    assert business.paid_back((np.inf, np.inf, np.inf)) == "never"
