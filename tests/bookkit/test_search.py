"""The search finds whole words, in the browser, on a small book."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import tiny
from playwright.sync_api import Browser, Page

PAGES = {
    "intro": "# A book\n\nNothing of note.",
    "art": "# Painting\n\nIt is the art of the frank. " + "More words follow here. " * 20,
    "start": "# A smart start\n\nThe party started; the ranks of the general were there.",
    "rank": "# Sizes\n\nThe rank and LoRA's cache at int8. A general rule.\n\n## The KV cache\n\nIt has k.",
    "made": "# Generations\n\nA generation of text: ROUGE-L, GPT-2, BLEU and fine-tuning. DPO too. It's all.",
    "code": "# Traps\n\nA constructor, quantization and a cache. Also L and S.",
    "glossary": "# Glossary\n\n```{glossary}\ntoken\n  A word or a part.\n\ntokenizer\n  It cuts.\n```",
}
FOUND = {  # what is asked for, and the titles in their order
    "art": ["Painting"],
    "rank": ["Sizes", "A smart start"],
    "RANKS": ["A smart start", "Sizes"],
    "general": ["A smart start", "Sizes", "Generations"],
    "generation": ["Generations", "A smart start", "Sizes"],
    "KV cache": ["Sizes > The KV cache", "Sizes"],
    "k cache": ["Sizes"],
    "LoRA": ["Sizes"],
    "LoRA's": ["Sizes"],
    "ROUGE-L": ["Generations"],
    "GPT-2": ["Generations"],
    "fine-tuning": ["Generations"],
    "bleu": ["Generations"],
    "int8": ["Sizes"],
    "constructor": ["Traps"],
    "__proto__": [],
    "toString": [],
    "quantiz": ["Traps"],  # no page has it: the words that begin so
    "uantization": [],
    "cache zebra": [],
    "the": [],
    "?!": [],
    "a smart start": ["A smart start"],
    "token": ["Glossary", "Glossary", "Glossary"],  # the entry, that of a form, and the page
    "tokenizer": ["Glossary", "Glossary", "Glossary"],
    "<img src=x onerror=alert(1)>": [],
}


@pytest.fixture(scope="module")
def tiny_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    book = tiny.write(tmp_path_factory.mktemp("searched"), PAGES["intro"])
    chapters = "".join(f"- file: chapters/{name}\n" for name in PAGES if name != "intro")
    (book / "_toc.yml").write_text(f"format: jb-book\nroot: chapters/intro\nchapters:\n{chapters}")
    for name, text in PAGES.items():
        (book / "chapters" / f"{name}.md").write_text(text)
    with tiny.opened(tiny.build(book)) as both:
        yield both


def search(page: Page, query: str) -> list[str]:
    page.goto(f"{page.url.partition('/chapters')[0].partition('/search')[0]}/search.html?q={quote(query)}")
    ended = "#search-results h2:text('Search Results')"
    page.wait_for_selector(ended, state="attached")  # the theme hides it
    return page.locator("ul.search li > a").all_inner_texts()


def test_words_are_found_whole(visit: Any) -> None:
    page = visit()
    assert {query: search(page, query) for query in FOUND} == FOUND


def test_an_entry_is_found_by_its_words(visit: Any) -> None:
    page = visit()
    for word in ("token", "tokenizer"):
        search(page, word)
        first = page.locator("ul.search li > a").first
        assert first.get_attribute("href") == f"chapters/glossary.html#term-{word}"


def test_marks_are_whole_words(visit: Any) -> None:
    """In the summary, which is about the word, and on the page that is opened."""
    page = visit()
    search(page, "art")
    page.wait_for_selector("ul.search p.context .highlighted")
    assert "the art of the frank" in page.locator("p.context").inner_text()
    page.locator("ul.search li > a").click()
    page.wait_for_selector(".bd-article .highlighted")
    assert page.locator(".highlighted").all_inner_texts() == ["art"]
    search(page, "rank")
    page.locator("ul.search li > a").nth(1).click()
    page.wait_for_selector(".bd-article .highlighted")
    assert page.locator(".highlighted").all_inner_texts() == ["ranks"]
