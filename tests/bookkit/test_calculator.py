"""The calculator: its formulas are fmkit's; by keyboard, without numbers, without a script, on paper."""

import json
import random
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect
from scripts import run_script

from bookkit.widgets import calculator
from fmkit.errors import FmkitError
from fmkit.footprint import Job, gpu_hours, product, training_flops

PARTS = ("days", "kwh", "carbon_kg", "embodied_kg", "water_liters", "dollars")
TEXTS = [(tiny.ROOT / file).read_text() for file in (calculator.RUNS, calculator.FACTORS)]


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/calculator", **options)


def test_its_formulas_are_fmkits() -> None:
    rng = random.Random(0)

    def draw(most: float) -> tuple[float, float]:
        low, high = sorted(rng.uniform(0, most) for _ in range(2))
        return low, high

    keys = ("hours", "watts", "pue", "grid", "site", "source", "embodied", "price")
    jobs = [
        {key: draw(10 ** rng.uniform(-2, 7)) for key in keys} | {"chips": rng.randint(1, 9999)}
        for _ in range(200)
    ]
    found = run_script("footprint", f"{json.dumps(jobs)}.map(it.job)")
    for given, got in zip(jobs, found, strict=True):
        ours = Job(**given)
        assert [got[part] for part in PARTS] == [
            pytest.approx(getattr(ours, part), rel=1e-12) for part in PARTS
        ]
    sizes = [
        (rng.uniform(1e6, 1e12), rng.uniform(1e6, 1e13), rng.uniform(1e13, 1e15), rng.uniform(0.05, 0.6))
        for _ in range(50)
    ]
    hours = run_script(
        "footprint",
        f"{json.dumps(sizes)}.map(([n, d, peak, mfu]) => it.gpuHours(it.trainingFlops(n, d), peak, mfu))",
    )
    assert hours == pytest.approx(
        [gpu_hours(training_flops(n, d), peak, mfu) for n, d, peak, mfu in sizes], rel=1e-12
    )
    assert run_script("footprint", "it.product([1, 2], 3, [4, 5])") == list(product((1, 2), 3, (4, 5)))


@pytest.mark.parametrize(
    ("amount", "kind", "said"),
    [
        ([1_022_000, 1_022_000], "kwh", "1 GWh"),
        ([817_600, 1_277_500], "kwh", "820–1,300 MWh"),
        ([0.4, 2.5], "kwh", "400–2,500 Wh"),
        ([0, 12.4], "water_liters", "0–12 liters"),
        ([3e9, 4e9], "count", "3–4 billion"),
    ],
)
def test_amounts_are_read_easily(amount: list[float], kind: str, said: str) -> None:
    assert run_script("amounts", f"it.say({json.dumps(amount)}, {json.dumps(kind)})") == said


def result(page: Page, name: str) -> str:
    return page.locator(".fm-calculator-row", has_text=name).locator("output").inner_text()


def test_a_published_run_fills_the_inputs(visit: Any) -> None:
    page = visit()
    page.get_by_label("Start from").select_option("BLOOM")
    assert page.get_by_label("Size", exact=True).get_attribute("aria-valuetext") == "176 billion parameters"
    assert page.get_by_label("Grid", exact=True).input_value() == "0.057, as in the run"
    box = page.locator(".fm-calculator-published").inner_text()
    assert "433\t433" in box
    assert "24.7\t24.7" in box
    expect(page.locator(".fm-calculator-mark:visible")).to_have_count(3)


def test_all_runs_within_two_percent(visit: Any) -> None:
    page = visit()
    for run in calculator.read(*TEXTS)[0]:
        page.get_by_label("Start from").select_option(run["name"])
        cells = page.locator(".fm-calculator-published tbody td").all_inner_texts()
        numbers = [float(cell.replace(",", "")) if cell != "–" else None for cell in cells]
        for computed, published in zip(numbers[::2], numbers[1::2], strict=True):
            assert computed == pytest.approx(published or computed, rel=0.02)


def test_own_numbers_by_keyboard(visit: Any) -> None:
    page = visit()
    before = result(page, "Energy")
    page.get_by_label("Size", exact=True).press("End")
    assert result(page, "Energy") != before
    assert page.get_by_label("Start from").input_value() == "your own numbers"
    expect(page.locator(".fm-calculator-mark:visible")).to_have_count(0)
    days = result(page, "Days")
    page.get_by_label("Chips at a time").press("End")
    assert result(page, "Days") != days


def test_nothing_moves_with_the_inputs(visit: Any) -> None:
    page = visit()
    below, places = page.locator(".fm-calculator-note"), set()
    for run in ("GPT-3", "BLOOM", "your own numbers", "Llama 3.1 405B"):
        page.get_by_label("Start from").select_option(run)
        places.add(json.dumps(below.bounding_box()))
    assert len(places) == 1


def test_the_form_without_numbers(visit: Any) -> None:
    page = visit()
    page.get_by_role("radio", name="No numbers").check()
    said = page.locator(".fm-calculator-said")
    first = said.inner_text()
    assert first.startswith("Next to nothing")
    expect(said.locator("li")).to_have_count(3)
    page.get_by_role("radio", name="Small").press("ArrowLeft")  # around to the last: large
    page.get_by_role("radio", name="Sometimes").press("ArrowRight")
    assert said.inner_text().startswith("Noticeable")
    assert "large model" in said.locator("li").first.inner_text()
    assert page.locator(".fm-spoken").text_content().startswith("Noticeable")
    page.get_by_role("radio", name="Here An ordinary").press("ArrowRight")
    assert said.inner_text().startswith("Little")


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_the_calculator_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-calculator")
    complaints += tiny.small_targets(page, ".fm-calculator :is(input, select)")
    page.get_by_role("radio", name="No numbers").check()
    complaints += tiny.faults(page, ".fm-calculator")
    complaints += tiny.small_targets(page, ".fm-calculator :is(input, select)")
    assert not complaints, "\n".join(complaints)


def only_the_table(page: Page) -> None:
    expect(page.locator(".fm-calculator-table tbody tr:visible")).to_have_count(13)
    assert not page.locator(".fm-calculator-panel:visible").count()


def test_runs_without_a_script(visit: Any) -> None:
    only_the_table(visit(java_script_enabled=False))


def test_runs_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    only_the_table(page)


def test_an_unknown_chip_is_one_line() -> None:
    with pytest.raises(FmkitError, match=r"^assets/footprint/runs\.yml:\d+: no chip 'X9' in .*V100$"):
        calculator.read(TEXTS[0].replace("chip: H100", "chip: X9"), TEXTS[1])


def test_every_factor_says_its_source() -> None:
    factors = calculator.read(*TEXTS)[1]
    for group in ("chips", "sites", "grids", "water"):
        assert all(one["source"] and one["verified"] in ("source", "memory") for one in factors[group])
    for group in ("feel", "answers"):
        assert all(one["source"] for one in factors[group].values())
