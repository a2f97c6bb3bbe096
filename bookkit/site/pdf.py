"""The whole book as one PDF: each page printed by Chromium with its own print styles, then bound by pypdf.

Links between pages lead to their places in the file, the outline has the parts, pages and sections, and all
others, such as those to papers, stay as they are.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Page, PdfMargins, sync_playwright
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, Fit, NameObject, TextStringObject

from bookkit.site.browser import ARGUMENTS, MISSING, find
from bookkit.site.build import site, toc_parts
from bookkit.site.offline import NAME
from bookkit.site.serve import HOST, open_server
from fmkit.errors import FmkitError

MARGIN: PdfMargins = {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"}
Place = tuple[int, Fit]  # the number of a sheet, and where on it
FOOTER = """<div style="width: 100%; margin: 0 16mm; font: 8px sans-serif; display: flex;
    justify-content: space-between"><span class="title"></span><span class="pageNumber"></span></div>"""
# Chromium notes the place of an id only where something on the same page links to it.
PREPARE = """() => {
    for (const folded of document.querySelectorAll("main details")) folded.open = true;
    const places = document.createElement("div");
    places.ariaHidden = true;
    places.style.cssText = "position: absolute; top: 0; font-size: 1px; line-height: 1px; opacity: 0.01";
    for (const { id } of document.querySelectorAll("main [id]")) {
        const link = document.createElement("a");
        link.href = "#" + id;
        link.textContent = ".";
        places.append(link);
    }
    document.body.append(places);
    const text = (heading) => heading.innerText.replace(/#\\s*$/, "").trim();
    const sections = [...document.querySelectorAll("main section[id] > h2")];
    const title = text(document.querySelector("main h1"));
    return [title, sections.map((heading) => [text(heading), heading.parentElement.id])];
}"""


@dataclass(frozen=True)
class Printed:
    """A page of the book on paper; `sections` are the headings and ids of its sections."""

    title: str
    sections: list[tuple[str, str]]
    pages: PdfReader


def write_pdf(root: Path) -> Path:
    """Print `_build/html`, which must have been built, into a file. Raises FmkitError without Chromium."""
    parts = toc_parts(root)
    with _printer(site(root)) as (page, address):
        printed = {name: _print(page, f"{address}{name}.html") for pages in parts.values() for name in pages}
    path = root / "_build" / f"{NAME}.pdf"
    bind(parts, printed, address).write(path)
    return path


@contextmanager
def _printer(folder: Path) -> Iterator[tuple[Page, str]]:
    """A page of a browser, and the address under which it finds the site."""
    path = find()
    if path is None:
        raise FmkitError(MISSING)
    with open_server(folder) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser.new_page(color_scheme="light"), f"http://{HOST}:{server.server_port}/"
        browser.close()
        server.shutdown()


def _print(page: Page, address: str) -> Printed:
    page.goto(address, wait_until="networkidle")
    title, sections = page.evaluate(PREPARE)
    content = page.pdf(
        format="A4",
        scale=0.8,
        margin=MARGIN,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
    )
    return Printed(title, sections, PdfReader(BytesIO(content)))


def bind(parts: dict[str, list[str]], printed: dict[str, Printed], address: str) -> PdfWriter:
    """Bind the pages of the book, `printed` from under `address`, in the order of its parts."""
    writer = PdfWriter()
    writer.add_metadata({"/Title": "Training Foundation Models"})
    places: dict[str, Place] = {}
    for part, names in parts.items():
        above = None
        for name in names:
            one, first = printed[name], len(writer.pages)
            writer.append(one.pages, import_outline=False)
            here = f"{address}{name}.html"
            places |= _places(one.pages, first, here)
            for sheet in writer.pages[first:]:
                _name_links(sheet, here)
            if part and not above:
                above = writer.add_outline_item(title=part, page_number=first)
            item = writer.add_outline_item(title=one.title, page_number=first, parent=above)
            for title, id in one.sections:
                number, fit = places.get(f"{here}#{id}", places[here])
                writer.add_outline_item(title=title, page_number=number, parent=item, fit=fit)
    for sheet in writer.pages:
        _lead_links(sheet, writer, places)
    writer.compress_identical_objects()  # such as the fonts, which each page of the site brought along
    return writer


def _places(pages: PdfReader, first: int, here: str) -> dict[str, Place]:
    """The places of a page's ids by their addresses, where its first sheet has the number `first`."""
    places: dict[str, Place] = {here: (first, Fit.fit())}
    for name, place in pages.named_destinations.items():
        sheet = pages.get_destination_page_number(place)
        if sheet is not None:
            fit = Fit.xyz(place.left, place.top)
            places[f"{here}#{unquote(name.removeprefix('/'))}"] = (first + sheet, fit)
    return places


def _name_links(sheet: PageObject, here: str) -> None:
    """Give links within a page their whole address, and drop those that only noted places."""
    links = [link.get_object() for link in sheet.get("/Annots", [])]
    kept = [link for link in links if link["/Rect"][3] - link["/Rect"][1] > 2]
    for link in kept:
        if "/Dest" in link:
            address = f"{here}#{unquote(str(link.pop('/Dest')).removeprefix('/'))}"
            action = {"/S": NameObject("/URI"), "/URI": TextStringObject(address)}
            link[NameObject("/A")] = DictionaryObject({NameObject(k): v for k, v in action.items()})
    sheet[NameObject("/Annots")] = ArrayObject(kept)


def _lead_links(sheet: PageObject, writer: PdfWriter, places: dict[str, Place]) -> None:
    """Lead the links to pages of the book to their places in the file."""
    for link in sheet.get("/Annots", []):
        address = unquote(link.get("/A", {}).get("/URI", ""))
        found = places.get(address) or places.get(address.partition("#")[0])
        if found:
            number, fit = found
            del link["/A"]
            sheet_there = writer.pages[number].indirect_reference
            link[NameObject("/Dest")] = ArrayObject([sheet_there, fit.fit_type, *fit.fit_args])
