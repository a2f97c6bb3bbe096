"""The chat page in a browser: used by keyboard, on a phone, with a key."""

import pytest
from playwright.sync_api import expect, sync_playwright
from serving import serving

from bookkit.site import browser
from fmkit import Transformer, reply
from fmkit.assets import asset

pytestmark = [pytest.mark.slow, pytest.mark.skipif(browser.find() is None, reason=browser.MISSING)]

QUESTION, KEY = "Where is my parcel?", "a-key-of-ours"


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser.find(), args=browser.ARGUMENTS)
        yield started
        started.close()


def opened(chromium, url: str):
    """The page on a phone in the dark, and what its console says."""
    page = chromium.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    return page, complaints


def test_a_chat_by_keyboard(chromium):
    with serving(asset("models/assistant"), key=KEY) as server:
        page, complaints = opened(chromium, server.url)
        page.keyboard.type(QUESTION)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Incorrect API key")
        page.keyboard.type(KEY)  # the focus is on its field
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Send")).to_be_visible()
        model = Transformer.from_pretrained(asset("models/assistant"))
        said = reply(model, model.tokenizer, [{"role": "user", "content": QUESTION}])
        expect(page.locator(".assistant span")).to_have_text(said)
        expect(page.get_by_role("log")).to_contain_text(QUESTION)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert [each for each in complaints if "401" not in each] == []
        assert "parameters. What it says may be false" in page.inner_text("header")


def test_a_page_that_continues_texts(chromium):
    with serving(asset("models/base")) as server:
        page, complaints = opened(chromium, server.url)
        expect(page.get_by_label("A text that the model continues")).to_be_focused()
        page.keyboard.type("Once upon")
        page.keyboard.press("Enter")
        expect(page.locator(".assistant span")).not_to_be_empty()
        assert complaints == []
