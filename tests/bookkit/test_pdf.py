"""`make pdf`: the book as one file, whose links and outline lead to their places in it."""

from pathlib import Path

import pytest
from pypdf import PdfReader

from bookkit.site import pdf
from fmkit.errors import FmkitError

pytestmark = pytest.mark.slow

TOC = """
format: jb-book
root: intro
parts:
  - caption: 1 · First
    chapters: [file: one, file: two]
"""
LONG = "<p>Words.</p>" * 120  # more than a sheet
PAGES = {
    "intro": "<h1>The book</h1><a href='two.html#late'>late in two</a> <a href='https://example.org/'>out</a>",
    "one": f"<h1>One</h1><section id='a'><h2>A</h2>{LONG}</section><a href='#a'>back to A</a>",
    "two": f"<h1>Two</h1>{LONG}<section id='late'><h2>Late</h2></section><details>Folded away</details>",
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    root = tmp_path_factory.mktemp("book")
    (root / "_toc.yml").write_text(TOC)
    (root / "_build/html").mkdir(parents=True)
    for name, main in PAGES.items():
        (root / f"_build/html/{name}.html").write_text(f"<title>{name}</title><main>{main}</main>")
    return PdfReader(pdf.write_pdf(root))


def text(printed: PdfReader, number: int) -> str:
    return printed.pages[number].extract_text()


def links(printed: PdfReader, number: int) -> list:
    return [link.get_object() for link in printed.pages[number]["/Annots"]]


def test_links_lead_into_the_file(printed):
    inside, out = links(printed, 0)
    there = printed.get_page_number(inside["/Dest"][0].get_object())
    assert "Late" in text(printed, there)
    assert "Late" not in text(printed, there - 1)
    assert out["/A"]["/URI"] == "https://example.org/"


def test_links_within_a_page_do(printed):
    (back,) = next(links(printed, n) for n in range(1, 9) if "back to A" in text(printed, n))
    assert printed.get_page_number(back["/Dest"][0].get_object()) == 1


def test_outline_has_parts_and_sections(printed):
    book, part, (one, sections, two, others) = printed.outline
    assert [item.title for item in (book, part, one, *sections, two, *others)] == [
        *("The book", "1 · First", "One", "A", "Two", "Late")
    ]
    assert "Late" in text(printed, printed.get_destination_page_number(others[0]))


def test_folded_parts_are_printed(printed):
    assert "Folded away" in "".join(text(printed, n) for n in range(len(printed.pages)))


def test_without_chromium_one_line(monkeypatch, tmp_path):
    (tmp_path / "_toc.yml").write_text(TOC)
    monkeypatch.setattr(pdf, "find", lambda: None)
    with pytest.raises(FmkitError, match="install it"):
        pdf.write_pdf(Path(tmp_path))
