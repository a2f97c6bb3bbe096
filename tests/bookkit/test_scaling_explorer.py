"""What a budget buys: the same rules and formulas in Python and in the page, usable in every state."""

import json
import random
from dataclasses import asdict
from typing import Any

import pytest
import tiny
import yaml
from playwright.sync_api import Page, expect
from scripts import run_script

from bookkit.widgets import scaling
from bookkit.widgets.calculator import FACTORS, MFU, RUNS, facts, read
from fmkit.footprint import PUE, SERVER, Job, gpu_hours, product
from fmkit.scaling import EPOCH, HOFFMANN

KNOWN = facts(*read(*((tiny.ROOT / file).read_text() for file in (RUNS, FACTORS))))
INPUT = ".fm-scaling :is(input, select)"
BUDGETS = [10 ** random.Random(0).uniform(18, 26) for _ in range(40)]


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/scaling", **options)


def test_rules_are_those_of_the_laws() -> None:
    for rule, law in ((scaling.RULES[1], EPOCH), (scaling.RULES[2], HOFFMANN)):
        for flops in BUDGETS:
            assert rule.parameters(flops) == pytest.approx(law.compute_optimal(flops)[0])


def test_rules_say_what_was_published() -> None:
    twenty, epoch, printed, kaplan = scaling.RULES
    assert twenty.ratio(1e23) == pytest.approx(20)
    assert kaplan.parameters(scaling.PF_DAY) == pytest.approx(1.3e9)
    assert [round(rule.ratio(5.76e23)) for rule in (epoch, printed)] == [18, 93]


def test_the_page_has_the_same_sizes() -> None:
    rules = json.dumps([asdict(rule) for rule in scaling.RULES])
    ask = f"{rules}.map((rule) => {BUDGETS}.map((flops) => it.advise(rule, flops)))"
    for rule, found in zip(scaling.RULES, run_script("scaling", ask), strict=True):
        for flops, pair in zip(BUDGETS, found, strict=True):
            assert pair["parameters"] == pytest.approx(rule.parameters(flops))
            assert pair["tokens"] / pair["parameters"] == pytest.approx(rule.ratio(flops))


def test_longer_training_keeps_the_budget() -> None:
    rule = json.dumps(asdict(scaling.RULES[1]))
    one, ten = run_script("scaling", f"[1, 10].map((over) => it.advise({rule}, 1e23, over))")
    assert ten["parameters"] * ten["tokens"] == pytest.approx(one["parameters"] * one["tokens"])
    ratios = [each["tokens"] / each["parameters"] for each in (one, ten)]
    assert ratios[1] == pytest.approx(10 * ratios[0])


def test_the_page_has_the_same_loss() -> None:
    """And finds the budget again that the best size needs for a loss."""
    law = json.dumps(asdict(EPOCH))
    best = [EPOCH.compute_optimal(flops) for flops in BUDGETS]
    pairs = [{"parameters": N, "tokens": D} for N, D in best]
    ask = f"{json.dumps(pairs)}.map((pair) => it.lossOf({law}, pair)).map((l) => [l, it.flopsFor({law}, l)])"
    for flops, pair, (loss, budget) in zip(BUDGETS, best, run_script("scaling", ask), strict=True):
        assert loss == pytest.approx(EPOCH.loss(*pair))
        assert budget == pytest.approx(flops, rel=1e-6)


def test_the_page_takes_the_same() -> None:
    chip, grid = KNOWN["chips"][2], (0.03, 0.7)
    given = json.dumps({"mfu": MFU, "server": SERVER, "pue": PUE, "grid": grid})
    found = run_script("scaling", f"it.taken(1e23, {json.dumps(chip)}, {given})")
    hours = gpu_hours(1e23, chip["peak"], MFU * 1.25), gpu_hours(1e23, chip["peak"], MFU / 1.25)
    watts = product(chip["watts"], SERVER)
    job = Job(hours, watts, chips=1024, pue=PUE, grid=grid, price=tuple(chip["price"]))
    for what in ("hours", "days", "kwh", "carbon_kg", "dollars"):
        assert found[what] == pytest.approx(getattr(job, what))


def test_money_and_hours_are_flops() -> None:
    chip = KNOWN["chips"][2]
    ask = f"['flops', 'hours', 'dollars'].map((kind) => it.flopsOf(kind, 1000, {json.dumps(chip)}, {MFU}))"
    flops, hours, dollars = run_script("scaling", ask)
    assert flops == 1000
    assert gpu_hours(hours, chip["peak"], MFU) == pytest.approx(1000)
    low, high = chip["price"]
    assert gpu_hours(dollars, chip["peak"], MFU) * (low * high) ** 0.5 == pytest.approx(1000)


def test_known_chips_and_grids() -> None:
    factors = yaml.safe_load((tiny.ROOT / FACTORS).read_text())
    assert [chip["name"] for chip in KNOWN["chips"]] == [chip["name"] for chip in factors["chips"]]
    assert {point["name"] for point in scaling.published(KNOWN["runs"])} == {*scaling.SHOWN, "Chinchilla"}


def says(page: Page) -> str:
    return page.locator(".fm-scaling-verdict").inner_text()


def test_it_begins_with_twenty(visit: Any) -> None:
    page = visit()
    assert says(page) == "10²³ FLOPs: 29 billion parameters and 580 billion tokens, 20 for each parameter."
    expect(page.locator(".fm-scaling svg circle")).to_have_count(len(scaling.SHOWN) + 1)


def test_rules_and_budgets_by_keyboard(visit: Any) -> None:
    page = visit()
    page.get_by_label("Rule for the best size").select_option(index=3)
    assert says(page).startswith("10²³ FLOPs: 220 billion parameters")
    before = says(page)
    page.get_by_label("Budget, FLOPs").press("ArrowRight")
    assert says(page) != before
    assert page.locator(".fm-spoken").text_content() == says(page)


def test_longer_training_costs_loss(visit: Any) -> None:
    page = visit()
    parts = page.locator(".fm-scaling-parts")
    assert "the best size for this budget" in parts.inner_text()
    page.get_by_label("Smaller, and trained longer").press("End")
    assert "2,000 for each parameter" in says(page)
    assert "% of the FLOPs" in parts.inner_text()


def test_a_budget_keeps_its_worth(visit: Any) -> None:
    """In another currency it is the nearest of the offered amounts."""
    page = visit()
    page.get_by_label("Budget in").select_option(index=1)
    expect(page.get_by_label("Budget, FLOPs")).to_be_hidden()
    dollars = page.get_by_label("Budget, dollars").get_attribute("aria-valuetext")
    assert dollars == "500 thousand"
    page.get_by_label("Budget in").select_option(index=0)
    assert says(page).startswith("10²³ FLOPs")


def test_a_budget_moves_nothing(visit: Any) -> None:
    page, places = visit(), set()
    for key in ("Home", "End"):
        for label in ("Budget, FLOPs", "Smaller, and trained longer"):
            page.get_by_label(label).press(key)
            places.add(json.dumps(page.locator(".fm-scaling-note").bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_a_budget_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-scaling")
    page.get_by_label("Budget in").select_option(index=2)
    complaints += tiny.faults(page, ".fm-scaling")
    complaints += tiny.small_targets(page, INPUT)
    assert not complaints, "\n".join(complaints)


def only_the_runs(page: Page) -> None:
    expect(page.locator(".fm-scaling-table tbody tr:visible")).to_have_count(len(scaling.SHOWN) + 1)
    assert "1,868" in page.locator(".fm-scaling-table").inner_text()
    expect(page.locator(".fm-scaling-live")).to_be_hidden()


def test_budgets_without_a_script(visit: Any) -> None:
    only_the_runs(visit(java_script_enabled=False))


def test_budgets_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    only_the_runs(page)
