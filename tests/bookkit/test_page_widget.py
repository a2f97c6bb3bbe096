"""Page widgets: a folder is enough, and a page loads what its own widgets need, in order, once."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from bookkit.site.scripts import assets, script, sources
from fmkit.widgets.modules import needed

LOADED = re.compile(r'src="[./]*(_static/widgets/[\w-]+\.js)"')
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
DEFINED = re.compile(r'fmkit\.define\("([\w-]+)"')


@pytest.fixture
def read(tiny_site: Path):
    """The styles of a page, and the bundles of scripts that it loads for its widgets."""

    def parts(page: str) -> tuple[str, list[str]]:
        text = (tiny_site / f"{page}.html").read_text()
        scripts = [(tiny_site / name).read_text() for name in LOADED.findall(text)]
        return "".join(STYLE.findall(text)), scripts

    return parts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "widget"), [("chapters/back/guess", "guess"), ("embed/explorer", "explorer")]
)
def test_a_page_loads_only_its_own(read, page: str, widget: str) -> None:
    style, [script] = read(page)
    assert [name for name in ("guess", "explorer", "quiz") if f".fm-{name}" in style] == [widget]
    assert DEFINED.findall(script) == needed(widget, sources())


@pytest.mark.slow
def test_the_search_loads_no_widget(read) -> None:
    style, scripts = read("search")
    assert ".fm-button" in style
    assert ".fm-quiz" not in style
    assert scripts == []


@pytest.mark.slow
def test_shared_scripts_come_once_and_first(read) -> None:
    script = read("chapters/1-sums/adding")[1][-1]
    found = DEFINED.findall(script)
    assert sorted(found) == ["quiz", "random", "read", "shuffle", "store"]
    assert found.index("random") < found.index("shuffle") < found.index("quiz")
    assert found.index("store") < found.index("quiz")
    assert script.index("Object.assign(window.fmkit,{") < script.index("fmkit.define(")


@pytest.mark.parametrize("name", sorted(sources()))
def test_modules_follow_what_they_import(name: str) -> None:
    order = needed(name, sources())
    assert order[-1] == name
    assert len(set(order)) == len(order)
    for place, one in enumerate(order):
        assert set(needed(one, sources())) <= set(order[: place + 1])


def test_a_module_becomes_a_plain_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = 'import { a as b } from "./one.js";\nimport * as two from "./two-x.js";\n\nexport const c = b;\n'
    (tmp_path / "new.js").write_text(text + "export async function d() {}\nexport default { render: d };\n")
    monkeypatch.setattr("bookkit.site.scripts.sources", lambda: {"new": tmp_path / "new.js"})
    made = script("new")
    assert "fmkit.define('new', ['one', 'two-x'], ({ a: b }, two) => {" in made
    assert "return { c, d, default: widget };" in made
    assert not re.search("^(import|export)", made, re.MULTILINE)


def test_no_widget_no_script() -> None:
    assert assets(["downloads"]) == ([], [])


def test_one_fault_stops_no_other_widget(tiny_browser: tuple[Browser, str]) -> None:
    browser, address = tiny_browser
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(error.message))

    def broken(route: Route) -> None:
        text = route.fetch().text()
        assert 'fmkit.define("quiz"' in text
        route.fulfill(body=text.replace('fmkit.define("quiz"', 'throw Error("broken");("quiz"'))

    page.route("**/widgets/script-*.js", broken)
    page.goto(f"{address}/chapters/1-sums/adding.html")
    page.get_by_role("button", name="Mark this page as read").click()
    expect(page.get_by_text("✓ Read on")).to_be_visible()
    assert errors[0] == "broken"
    page.close()
