"""Math: typeset while the site is built, whole without a script, and refused where it is wrong."""

from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Browser, Page, expect

from bookkit.site import formulas, node

PAGE = "chapters/back/math"

# What is wrong with the formulas of a page: boxes of no size, other fonts, bars that are not drawn.
FAULTS = """async () => {
    await document.fonts.ready;
    const found = [...document.querySelectorAll("math + .katex-html, .katex-html")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width < 4 || box.height < 8;
    }).map((one) => `no size: ${one.textContent}`);
    for (const bar of document.querySelectorAll(".frac-line, .overline-line, .hline")) {
        const [high, wide] = [getComputedStyle(bar).borderBottomWidth, bar.getBoundingClientRect().width];
        if (parseFloat(high) < 0.5 || wide < 4) found.push("no bar");
    }
    const loaded = [...document.fonts].filter((font) => font.status === "loaded").map((font) => font.family);
    for (const family of ["KaTeX_Main", "KaTeX_Math", "KaTeX_Size2"]) {
        if (!loaded.includes(family)) found.push(`not loaded: ${family}`);
    }
    return found;
}"""


def test_a_wrong_formula_is_a_warning(tmp_path: Path) -> None:
    book = tiny.write(tmp_path, "# Math\n\nRight: $x$, wrong: $\\frac{1}{$.\n")
    _, warnings = tiny.read(book, "site.formulas")
    assert "chapters/intro.md:3: WARNING: math: KaTeX parse error" in warnings


@pytest.mark.parametrize("tex", [r"\unknown", r"{", r"é", r"a \\ b"])
def test_what_katex_refuses(tex: str) -> None:
    formula = (tex, True)
    formulas.typeset([formula])
    assert "fault" in formulas._typeset[formula]


def test_all_formulas_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    run, calls = node.subprocess.run, []
    monkeypatch.setattr(node.subprocess, "run", lambda *a, **k: calls.append(a) or run(*a, **k))
    formulas.typeset((f"x_{number}", False) for number in range(50))
    formulas.typeset([("x_0", False)])
    assert len(calls) == 1


@pytest.fixture
def without_scripts(tiny_browser: tuple[Browser, str]) -> Any:
    browser, address = tiny_browser
    context = browser.new_context(java_script_enabled=False)
    yield lambda name: opened(context.new_page(), f"{address}/{name}.html")
    context.close()


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    return page


def test_math_without_scripts(without_scripts: Any) -> None:
    page = without_scripts(PAGE)
    assert page.evaluate(FAULTS) == []
    assert page.locator(".math").count() == page.locator(".math > .katex, .math > .katex-display").count() > 8
    shown = page.locator(".bd-article").evaluate(
        "(all) => [...all.querySelectorAll('.katex-mathml')].forEach((one) => one.remove()) ?? all.innerText"
    )
    assert "$" not in shown
    assert "\\" not in shown


def test_quizzes_have_math_without_scripts(without_scripts: Any) -> None:
    page = without_scripts("chapters/intro")
    assert page.locator(".fm-quiz-stem .katex-html").first.inner_text() == "1+1"


def test_math_needs_no_script(visit: Any) -> None:
    page = visit(name=PAGE)
    assert "mathjax" not in page.content().lower()
    fonts = "[...document.fonts].filter((font) => font.family.startsWith('KaTeX')).length"
    assert page.evaluate(fonts) > 10
    assert page.evaluate("document.documentElement.dataset.theme = 'dark'") == "dark"
    colors = "(one) => getComputedStyle(one).color"
    assert page.locator(".katex").first.evaluate(colors) == page.locator(".bd-article p").first.evaluate(
        colors
    )
    assert visit(name="chapters/back/guess").evaluate(fonts) == 0


def test_math_is_read_out(visit: Any) -> None:
    page = visit(name=PAGE)
    assert page.locator(".math math").count() == page.locator(".math").count()
    assert tiny.faults(page) == []


def test_wide_math_scrolls_in_its_box(visit: Any) -> None:
    page = visit(tiny.PHONE, PAGE)
    assert tiny.faults(page) == []
    boxes = page.locator("div.math").evaluate_all(
        "all => all.map((one) => [one.scrollWidth > one.clientWidth, one.tabIndex])"
    )
    assert (True, 0) in map(tuple, boxes), "the last one is made to be wider than a phone"
    assert {(True, 0), (False, -1)} >= {*map(tuple, boxes)}, (
        "a stop of the keyboard where there is nothing to scroll"
    )


def test_numbers_of_equations(visit: Any) -> None:
    page = visit(name=PAGE)
    assert page.locator("#equation-the-floor .eqno").inner_text().startswith("(1)")
    assert page.locator("a[href='#equation-the-floor']").first.inner_text() == "(1)"
    expect(page.locator(".eqno")).to_have_count(2)
    expect(page.locator(".katex .tag")).to_have_count(0)


def test_displayed_math_is_in_the_middle(visit: Any) -> None:
    page = visit(name=PAGE)
    left, right = (
        page.locator("div.math .katex-html")
        .nth(1)
        .evaluate("""(one) => {
        const box = one.closest("div.math").getBoundingClientRect();
        const [first, last] = [one.firstElementChild, one.lastElementChild];
        const [left, right] = [first.getBoundingClientRect().left, last.getBoundingClientRect().right];
        return [left - box.left, box.right - right];
    }""")
    )
    assert left == pytest.approx(right, abs=3)
