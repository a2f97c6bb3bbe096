"""You are the rater: the pairs and their fit, rating by keyboard and mouse, every state accessible."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import rater
from bookkit.widgets.rater import making
from fmkit.errors import FmkitError
from fmkit.world import Preferences

PAGE = "chapters/back/rater"


@cache
def pairs() -> list[rater.Pair]:
    return rater.read_pairs(tiny.ROOT / rater.FILE, rater.FILE)[1]


RATED, HELD_OUT = pairs()[: rater.FITTED], pairs()[rater.FITTED :]
RULE = "".join("1" if pair["lead"] > 0 else "2" for pair in RATED)  # the keys of a rater who follows it


def right(answers: list[int]) -> int:
    """How many held-out pairs a model of these answers ranks as the rule does."""
    weights = rater.fit([pair["x"] for pair in RATED], answers)
    return rater.agreement([float(weights @ pair["x"]) for pair in HELD_OUT], HELD_OUT)


@pytest.mark.slow
def test_the_fit_learns_what_was_meant() -> None:
    """The rule's answers teach the rule; the longer ending's, and a coin's on average, do not."""
    assert right(rater.by_rule(RATED)) >= 85
    assert 40 <= right(rater.by_length(RATED)) <= 60
    tosses = np.random.default_rng(0).choice([-1, 1], size=(60, rater.FITTED))
    assert 45 <= np.mean([right(list(toss)) for toss in tosses]) <= 55


def test_the_fit_is_at_the_minimum() -> None:
    x, answers = np.array([pair["x"] for pair in RATED]), np.array(rater.by_rule(RATED))
    weights = rater.fit(x.tolist(), answers.tolist())
    wrong = 1 / (1 + np.exp(answers * (x @ weights)))
    assert np.abs(rater.RIDGE * weights - (wrong * answers) @ x).max() < 1e-6


def test_skipped_pairs_teach_nothing() -> None:
    x, answers = [pair["x"] for pair in RATED], rater.by_rule(RATED)
    few = rater.fit(x[:5], answers[:5])
    assert np.allclose(few, rater.fit(x, answers[:5] + [0] * 7))


def test_the_twelve_are_balanced() -> None:
    """Neither length nor side says which ending is better."""
    better = rater.by_rule(RATED)
    assert sum(better) == 0
    assert sum(a * b for a, b in zip(better, rater.by_length(RATED), strict=True)) == 0
    assert sorted(abs(pair["lead"]) for pair in RATED) == [2] * 4 + [4] * 4 + [6] * 4


def test_leads_are_true_and_pairs_apart() -> None:
    world = Preferences()
    for pair in pairs()[::5]:
        first, second = (world.truth(f"{pair['prompt']} {pair[one]}") for one in ("first", "second"))
        assert first - second == pair["lead"]
        assert [first, second] == [sum(rater.parts(pair[one])) for one in ("first", "second")]
    assert len({pair["prompt"] for pair in pairs()}) == len(pairs())


@pytest.mark.slow
def test_the_file_is_current() -> None:
    made = making.make()
    for old, new in zip(pairs(), made, strict=True):
        assert {k: v for k, v in old.items() if k not in ("x", "score")} == {
            k: v for k, v in new.items() if k not in ("x", "score")
        }
        assert np.allclose(old["x"], new["x"], atol=0.01)
        assert old["score"] == pytest.approx(new["score"], abs=0.1)
    assert rater.read_pairs(tiny.ROOT / rater.FILE, rater.FILE)[0] == making.judged()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: whole["pairs"].pop(), "111 pairs, not 112"),
        (lambda whole: whole["pairs"][0]["x"].pop(), "x must have 17 numbers"),
        (lambda whole: whole["pairs"][0].pop("lead"), "is missing the key 'lead'"),
        (lambda whole: whole.pop("judged"), "is missing the key 'judged'"),
    ],
)
def test_a_fault_of_the_pairs_is_one_line(tmp_path: Path, change: Any, said: str) -> None:
    whole = json.loads((tiny.ROOT / rater.FILE).read_text())
    change(whole)
    (tmp_path / "a.json").write_text(json.dumps(whole))
    with pytest.raises(FmkitError, match=said) as error:
        rater.read_pairs(tmp_path / "a.json", "a.json")
    assert re.fullmatch(r"a\.json:\d+: [^\n]+", str(error.value))


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, PAGE, **options)


def status(page: Page) -> str:
    page.locator(".fm-rater:not([aria-busy])").wait_for()
    return page.locator(".fm-rater-status").inner_text()


def rate(page: Page, keys: str) -> None:
    page.locator(".fm-rater-pair.now button").first.focus()
    for key in keys:
        page.keyboard.press(key)


def bars(page: Page) -> dict[str, int]:
    rows = page.locator(".fm-rater-bars tbody tr").all()
    return {row.locator("th").inner_text(): int(row.locator("td").last.inner_text()) for row in rows}


def test_rating_by_the_keys_of_the_endings(visit: Any) -> None:
    page = visit()
    rate(page, RULE)
    assert status(page) == (
        "You chose as the world’s rule does in 12 of 12 pairs. A model fitted to these answers agrees with "
        f"12 of them, and with the rule on {right(rater.by_rule(RATED))} of 100 pairs that it has not seen."
    )
    expect(page.locator(".fm-rater-rate")).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "fm-rater-status"


def test_rating_by_arrows_and_enter(visit: Any) -> None:
    page = visit()
    rate(page, "")
    for answer in RULE:
        page.keyboard.press("ArrowLeft" if answer == "1" else "ArrowRight")
        page.keyboard.press("Enter")
    assert status(page).startswith("You chose as the world’s rule does in 12 of 12 pairs.")


def test_rating_by_mouse_back_and_skip(visit: Any) -> None:
    page = visit()
    place, now = page.locator(".fm-rater-place"), page.locator(".fm-rater-pair.now button")
    assert page.get_by_role("button", name="Back").get_attribute("aria-disabled") == "true"
    now.nth(0).click()
    assert place.inner_text() == "Pair 2 of 12."
    page.get_by_role("button", name="Back").click()
    assert now.nth(0).get_attribute("aria-pressed") == "true"
    now.nth(1).click()
    page.get_by_role("button", name="Skip").click()
    for answer in RULE[2:]:
        now.nth(int(answer) - 1).click()
    assert status(page).startswith("You chose as the world’s rule does in 11 of 11 pairs.")


def test_all_skipped_is_nothing_to_fit(visit: Any) -> None:
    page = visit()
    for _ in RATED:
        page.get_by_role("button", name="Skip").click()
    assert status(page) == "You skipped all twelve pairs, so there is nothing to fit."
    assert page.locator(".fm-rater-place").inner_text() == "Pair 1 of 12."


def test_the_presets_side_by_side(visit: Any) -> None:
    page = visit()
    rate(page, "1" * 12)
    status(page)
    for name in ("at random", "by length", "by the true rule"):
        page.get_by_role("button", name=name).click()
        status(page)
    found = bars(page)
    assert [name.partition(" 12")[0] for name in found][:4] == [
        "Your model",
        "The coin’s model",
        "Length’s model",
        "The rule’s model",
    ]
    assert found["Length’s model 12 answers"] == right(rater.by_length(RATED))
    assert found["The rule’s model 12 answers"] == right(rater.by_rule(RATED))
    assert found["Your model 12 answers"] == right([1] * 12)
    assert list(found.values())[4:] == [
        rater.agreement([pair["score"] for pair in HELD_OUT], HELD_OUT),
        rater.agreement([pair["judge"] for pair in HELD_OUT], HELD_OUT),
        rater.careless(HELD_OUT),
    ]
    page.get_by_role("button", name="Rate again").click()
    assert page.locator(".fm-rater-place").inner_text() == "Pair 1 of 12."
    assert not page.locator(".fm-rater-bars").count()


def test_length_is_seen_in_what_is_rewarded(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="by length").click()
    status(page)
    caption, rows = page.locator(".fm-rater-learned caption"), page.locator(".fm-rater-learned tbody tr")
    assert "Its strongest taste is for more words" in caption.inner_text()
    model, rule = (rows.nth(3).locator("td").nth(k).inner_text() for k in (1, 2))
    assert int(model[:-1]) > 90
    assert 40 < int(rule[:-1]) < 60
    wrong = page.locator(".fm-rater-wrong").inner_text()
    taken, true = (
        re.search(r"preferred, \d+% sure · true reward (\S+)[\s\S]*", wrong),
        wrong.count("true reward"),
    )
    assert taken
    assert true == 2


def test_a_coin_is_tossed_anew(visit: Any) -> None:
    page, said = visit(), set()
    for _ in range(6):
        page.get_by_role("button", name="at random").click()
        said.add(status(page))
    assert len(said) > 2


def test_pairs_share_one_place(visit: Any) -> None:
    page = visit()
    below, places = page.locator(".fm-rater-moves"), set()
    rate(page, "")
    for _ in RATED[1:]:
        places.add(json.dumps(below.bounding_box()))
        page.keyboard.press("1")
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_in_every_state(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-rater")
    complaints += tiny.small_targets(page, ".fm-rater button")
    rate(page, "1" * 12)
    status(page)
    page.get_by_role("button", name="by the true rule").click()
    status(page)
    complaints += tiny.faults(page, ".fm-rater")
    complaints += tiny.small_targets(page, ".fm-rater button")
    assert not complaints, "\n".join(complaints)


def test_numbers_that_do_not_load_are_told(visit: Any, tiny_browser: Any) -> None:
    browser, address = tiny_browser
    page = browser.new_page()
    page.route("**/rater/pairs.js*", lambda route: route.fulfill(body=""))
    page.goto(f"{address}/{PAGE}.html")
    expect(page.locator(".fm-rater-status")).to_contain_text("did not load")  # after a while
    expect(page.locator(".fm-rater-pair.now button").first).to_be_disabled()
    assert not tiny.violations(page, ".fm-rater")
    page.close()


def all_of_them(page: Page) -> None:
    shown = [prompt for prompt in page.locator(".fm-rater-prompt").all() if prompt.is_visible()]
    assert len(shown) == rater.FITTED
    expect(page.get_by_text("The world’s rule prefers ending")).to_have_count(rater.FITTED)
    still = page.locator(".fm-rater-still").last
    assert f"ranks {right(rater.by_rule(RATED))} of 100 other pairs" in still.inner_text()
    expect(page.get_by_role("button", name="Skip")).to_be_hidden()


def test_a_list_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_a_list_on_paper(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="by length").click()
    status(page)
    page.emulate_media(media="print")
    all_of_them(page)
    expect(page.locator(".fm-rater-bars")).to_be_visible()
