"""What an assistant saves: the sums by hand, ranges that cover what was put in, and errors in one line."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit import FmkitError, asset
from fmkit.evaluation.business import (
    BusinessCase,
    draw,
    middle,
    percentiles,
    swings,
    turning_point,
)

CASES = json.loads(asset("business/cases.json").read_text(encoding="utf-8"))
RANGES = {name: case["ranges"] for name, case in CASES.items()}
# 1,000 letters of 6 minutes at $30: $3, and 10% wrong at $5: $3.50 a letter.
SHOP = BusinessCase(1000, 6, 30, 0.1, 0.5, 0.2, 5, 1000, 2, 6000, 100, 12)
SHARE, MONEY = st.floats(0, 1), st.floats(0, 1e4)


def test_a_letter_by_hand():
    assert SHOP.by_person == pytest.approx(3.5)
    assert SHOP.by_model == pytest.approx(0.002)
    # Half are answered, a fifth of those wrongly: 0.5 · 0.2 · $5; half cost $3.50; $100 over 1,000 letters.
    assert SHOP.per_interaction == pytest.approx(0.002 + 0.5 + 1.75 + 0.1)


def test_a_year_by_hand():
    assert SHOP.saving == pytest.approx(1148)
    assert SHOP.net == pytest.approx(12 * 1148 - 6000)
    assert SHOP.break_even_month == pytest.approx(6000 / 1148)
    assert SHOP.roi == pytest.approx((12 * 1148 - 6000) / (6000 + 12 * 102))


def test_the_volume_that_breaks_even():
    volume = SHOP.break_even_volume
    assert replace(SHOP, volume=volume).net == pytest.approx(0, abs=1e-6)


def test_no_saving_never_breaks_even():
    worse = replace(SHOP, errors=1.0)
    assert worse.saving < 0
    assert worse.break_even_month == worse.break_even_volume == math.inf


COUNT = st.floats(1, 1e5)
ANY_CASE = st.builds(
    BusinessCase, COUNT, MONEY, MONEY, SHARE, SHARE, SHARE, MONEY, MONEY, MONEY, MONEY, MONEY, COUNT
)


@given(ANY_CASE)
def test_costs_add_up(case):
    """The saving is the difference of two bills for the same interactions."""
    answered = case.volume * case.handled
    person = case.minutes / 60 * case.wage + case.people_errors * case.error_cost
    without = case.volume * person
    tokens = case.volume * case.tokens / 1e6 * case.price
    with_it = (
        answered * case.errors * case.error_cost + (case.volume - answered) * person + tokens + case.keep
    )
    assert case.saving == pytest.approx(without - with_it, rel=1e-6, abs=1e-6 * (without + with_it + 1))


@pytest.mark.parametrize("name", RANGES)
def test_draws_fill_their_ranges(name):
    for field, values in asdict(draw(RANGES[name])).items():
        low, high = RANGES[name][field]
        assert low <= values.min() <= values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, rel=0.005)
        if high > low:
            assert np.histogram(values, 10, (low, high))[0] == pytest.approx(200, abs=10)


def test_inputs_are_drawn_apart():
    ranges = dict.fromkeys(asdict(SHOP), (0.0, 1.0)) | {"volume": (1.0, 2.0), "months": (1.0, 2.0)}
    drawn = np.array(list(asdict(draw(ranges)).values()))
    assert np.abs(np.corrcoef(drawn) - np.eye(len(drawn))).max() < 0.02


def test_ranges_agree_with_random_draws():
    """numpy's generator finds the same percentiles, within what chance moves them."""
    rng, ranges = np.random.default_rng(0), RANGES["law"]
    chance = BusinessCase(**{name: rng.uniform(*ends, 200_000) for name, ends in ranges.items()})
    width = np.ptp(percentiles(chance.net))
    assert percentiles(draw(ranges).net) == pytest.approx(percentiles(chance.net), abs=0.05 * width)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.sampled_from([0.1, 0.5, 0.9]))
def test_percentiles_by_numpy(values, share):
    expected = np.percentile(values, 100 * share, method="inverted_cdf")
    assert percentiles(np.array(values), (share,)) == (expected,)


def test_percentiles_may_be_infinite():
    assert percentiles(np.array([1.0, math.inf, math.inf])) == (1.0, math.inf, math.inf)


@pytest.mark.parametrize("name", RANGES)
def test_at_the_turning_point_net_is_zero(name):
    found = {field: turning_point(RANGES[name], field) for field in RANGES[name]}
    for field, value in found.items():
        if value is not None:
            center = middle(RANGES[name])
            assert replace(center, **{field: value}).net == pytest.approx(0, abs=1e-6 * abs(center.net))
    assert sum(value is not None for value in found.values()) >= 4


def test_what_cannot_turn_it_is_none():
    free = {name: (value, value) for name, value in asdict(SHOP).items()} | {"handled": (0, 0)}
    assert turning_point(free, "errors") is None  # nobody sees an answer
    assert turning_point(free, "wage") is None


def test_the_widest_swing_comes_first():
    rows = swings(RANGES["law"])
    widths = [abs(high - low) for _, low, high in rows]
    assert widths == sorted(widths, reverse=True)
    assert rows[0][0] == "error_cost"
    assert rows[-1] == ("months", *rows[-1][1:])  # the same twice moves nothing


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"errors": 1.2}, r"^errors: 1.2 is not a share; give one from 0 to 1.*$"),
        ({"wage": -1}, r"^wage: -1 to -1 has to be finite, and 0 or more$"),
        ({"price": math.nan}, r"^price: nan to nan has to be finite.*$"),
        ({"volume": 0}, r"^volume: has to be more than 0$"),
    ],
)
def test_impossible_cases_are_one_line(change, says):
    with pytest.raises(FmkitError, match=says):
        replace(SHOP, **change)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wage": (30, 20)}, r"^wage: the range begins at 30 and ends at 20; swap them$"),
        ({"wages": (1, 2)}, r"^wages: not an input; those are volume, .*$"),
    ],
)
def test_faulty_ranges_are_one_line(change, says):
    with pytest.raises(FmkitError, match=says):
        draw(RANGES["law"] | change)


def test_a_missing_range_is_one_line():
    ranges = {name: ends for name, ends in RANGES["law"].items() if name != "keep"}
    with pytest.raises(FmkitError, match=r"^keep: missing; give a range .*$"):
        middle(ranges)
