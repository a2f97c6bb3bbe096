"""Training once against tokens served: the same bill in Python and in the page, usable in every state."""

import json
import math
import random
from dataclasses import asdict
from typing import Any

import pytest
import tiny
import yaml
from playwright.sync_api import Page, expect
from scripts import run_script

from bookkit.widgets.calculator import payback
from bookkit.widgets.calculator.payback import Plan, plan

KNOWN, FACTORS, SERVICES = (
    yaml.safe_load((tiny.ROOT / file).read_text())
    for file in (payback.CASES, payback.FACTORS, payback.SERVICES)
)
SHOP, GPU, FIELD, NOTHING = KNOWN["cases"]
FOUND = ("training", "once", "machine", "capacity", "hosted", "break_even")
INPUT = ".fm-payback :is(input, select, .fm-button)"


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/payback", **options)


def drawn(rng: random.Random) -> Plan:
    """A plan between a small server and a GPU, and between a cheap hosted model and an expensive one."""
    spans = (
        (4, 11),
        (5, 13),
        (0, 6),
        (0, 1.8),
        (10, 15),
        (9, 14),
        (-3, 2),
        (1, 4),
        (1, 3),
        (1, 5),
        (-2, 2),
        (-2, 2),
    )
    return Plan(*(10 ** rng.uniform(*span) for span in spans))


def test_both_have_the_same_bill() -> None:
    rng = random.Random(0)
    plans = [plan(case, KNOWN, FACTORS) for case in KNOWN["cases"]] + [drawn(rng) for _ in range(300)]
    asks = "{training, once, machine, capacity, hosted, breakEven: break_even, own}"
    values = "[training, once, machine, capacity, hosted, String(break_even), own(12345)]"
    given = json.dumps([asdict(one) for one in plans])
    page = run_script("payback", f"{given}.map(it.costs).map(({asks}) => {values})")
    for ours, theirs in zip(plans, page, strict=True):
        expected = [getattr(ours, name) for name in FOUND] + [ours.own(12345)]
        numbers = [float(str(number).replace("Infinity", "inf")) for number in theirs]
        assert numbers == pytest.approx(expected, rel=1e-9)
    assert {math.isinf(one.break_even) for one in plans} == {False, True}


def test_break_even_is_where_lines_meet() -> None:
    rng = random.Random(1)
    met = [one for one in (drawn(rng) for _ in range(300)) if not math.isinf(one.break_even)]
    for one in met:
        assert one.hosted * one.break_even == pytest.approx(one.own(one.break_even * (1 - 1e-12)), rel=1e-6)
        for share in (0.1, 0.5, 0.9):
            assert one.hosted * one.break_even * share < one.own(one.break_even * share)
    assert len(met) > 50


def test_prices_are_those_of_a_dated_claim() -> None:
    (claim,) = (fact for fact in SERVICES if fact["id"] == KNOWN["claim"])
    assert claim["verified"] == "unverified"
    hosted = KNOWN["hosted"]
    assert f"${hosted['price_read']} and ${hosted['price_written']} " in claim["claim"]


def says(page: Page) -> str:
    return page.locator(".fm-payback-verdict").inner_text()


def test_it_begins_with_the_shop(visit: Any) -> None:
    page = visit()
    shop = plan(SHOP, KNOWN, FACTORS)
    assert says(page) == (
        f"Your own model becomes cheaper at {shop.break_even:,.0f} requests a month. "
        f"At 1,200 requests a month, your own costs ${shop.own(1200):.2f} a month, "
        f"and the hosted one ${1200 * shop.hosted:.2f}."
    ).replace(f"{shop.break_even:,.0f}", f"{float(f'{shop.break_even:.3g}'):,.0f}")
    assert "third parties" in page.locator(".fm-payback-note").inner_text()


def test_cases_and_inputs_by_keyboard(visit: Any) -> None:
    page = visit()
    for case in KNOWN["cases"]:
        page.get_by_role("button", name=case["title"]).press("Enter")
        assert page.locator("[aria-pressed=true]").inner_text() == case["title"]
        assert page.locator(".fm-spoken").text_content() == says(page)
    before = says(page)
    page.get_by_label("Your requests a month").press("End")
    assert says(page) != before
    assert not page.locator("[aria-pressed=true]").count()


def test_a_machine_brings_its_price(visit: Any) -> None:
    page = visit()
    hour = page.get_by_label("An hour of it")
    page.get_by_label("Machine").select_option("H100")
    assert hour.input_value() == "7.4"
    hour.fill("3")
    assert "$2,190 a month" in page.locator(".fm-payback-parts").inner_text()


def test_a_cheap_hosted_model_wins(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name=GPU["title"]).press("Enter")
    page.get_by_label("A million tokens read").fill("0.01")
    page.get_by_label("A million written").fill("0.01")
    assert says(page).startswith("Your own model never becomes cheaper")


@pytest.mark.parametrize("typed", ["", "-3", "1e99"])
def test_an_impossible_price_says_how(visit: Any, typed: str) -> None:
    page = visit()
    box = page.get_by_label("A million tokens read")
    box.fill(typed)
    assert box.get_attribute("aria-invalid") == "true"
    fault = page.locator(".fm-payback-fault")
    assert fault.inner_text() == "A million tokens read: write dollars from 0 to a billion."
    expect(page.locator(".fm-payback-verdict")).to_be_hidden()
    box.fill("3")
    expect(page.locator(".fm-payback-verdict")).to_be_visible()
    assert not fault.inner_text()


def test_a_bill_keeps_its_place(visit: Any) -> None:
    page, places = visit(), set()
    for case in KNOWN["cases"]:
        page.get_by_role("button", name=case["title"]).press("Enter")
        places.add(json.dumps(page.locator(".fm-payback-note").bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_a_bill_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-payback")
    page.get_by_label("A million tokens read").fill("")
    complaints += tiny.faults(page, ".fm-payback")
    complaints += tiny.small_targets(page, INPUT)
    assert not complaints, "\n".join(complaints)


def only_the_cases(page: Page) -> None:
    expect(page.locator(".fm-payback-table tbody tr:visible")).to_have_count(len(KNOWN["cases"]))
    assert "13,400" in page.locator(".fm-payback-table").inner_text()
    expect(page.locator(".fm-payback-live")).to_be_hidden()


def test_bills_without_a_script(visit: Any) -> None:
    only_the_cases(visit(java_script_enabled=False))


def test_bills_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    only_the_cases(page)
