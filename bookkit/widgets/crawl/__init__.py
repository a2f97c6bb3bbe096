"""The `crawl` directive: the reader keeps or drops twelve pages of a crawl, then sees what the filters say.

    ```{crawl}
    ```

The pages have the numbers `PAGES` in a crawl of the world. What the quality filters, the search for copies,
the search for personal data and DSIR say of each is computed when the page is built. crawl.js compares it
with the reader's decisions. On paper and without a script, all of it is a list.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.selection import drop_duplicates, drop_near_duplicates, dsir_weights, find_fault, find_personal
from fmkit.world import MEDICAL, WEB

SIZE, TARGET, TARGET_SEED = 4_000, 300, 1_000  # pages of the crawl; notes that show what to look for
THRESHOLD = 0.5  # of near-duplicates
PAGES = (138, 11, 30, 111, 40, 62, 394, 170, 1270, 26, 18, 31)
LIKELY = 4  # how many pages DSIR keeps
KINDS = {
    "boilerplate": "no prose, but what a site puts around it",
    "spam": "spam, written for search engines",
    "mojibake": "a note whose encoding is broken",
    "personal": "somebody’s personal data",
    "near-duplicate": "a note once more, with a few words changed",
}
SOURCES = {
    "medical": "a sound medical note",
    "reviews": "a sound review",
    "stories": "a sound story",
    "legal": "a sound clause of a contract",
}


@cache
def sift() -> list[dict[str, Any]]:
    """The pages, each with what is said of it, and with the world's truth."""
    crawl = WEB.load(SIZE, 1)["train"]
    weights = dsir_weights(crawl["text"], MEDICAL.load(TARGET, 1, TARGET_SEED)["train"]["text"])
    first = copies(crawl)
    return [
        {
            "text": page["text"],
            "fault": find_fault(page["text"]),
            "copy_of": PAGES.index(first[number]) + 1 if number in first else None,
            "personal": Counter(span.type for span in find_personal(page["text"])),
            "weight": round(float(weights[number])),
            "note": page["kind"] == "prose" and page["source"] == "medical",
            "sound": page["kind"] == "prose",
            "truth": SOURCES[page["source"]] if page["kind"] == "prose" else KINDS[page["kind"]],
        }
        for number in PAGES
        for page in [crawl[number]]
    ]


def copies(crawl: Any) -> dict[int, int]:
    """Of the pages found to repeat an earlier one, the number of that one."""
    single, same = drop_duplicates(crawl)
    repeats = {number for cluster in same.clusters for number in cluster[1:]}
    places = [number for number in range(len(crawl)) if number not in repeats]
    _, near = drop_near_duplicates(single, THRESHOLD)
    return {places[copy]: places[cluster[0]] for cluster in near.clusters for copy in cluster[1:]}


def kept_by(pages: list[dict[str, Any]]) -> dict[str, list[bool]]:
    """Which pages each way of sifting keeps."""
    likely = sorted((page["weight"] for page in pages), reverse=True)[LIKELY - 1]
    return {
        "the filters": [page["fault"] is None for page in pages],
        "filters, then copies dropped": [page["fault"] is None and not page["copy_of"] for page in pages],
        f"the {LIKELY} with the highest DSIR weight": [page["weight"] >= likely for page in pages],
    }


def tally(pages: list[dict[str, Any]], kept: list[bool]) -> dict[str, int]:
    """What was kept: notes for the clinic, other sound pages, and the rest."""
    chosen = [page for page, keep in zip(pages, kept, strict=True) if keep]
    notes, sound = sum(page["note"] for page in chosen), sum(page["sound"] for page in chosen)
    return {"kept": len(chosen), "notes": notes, "other": sound - notes, "rest": len(chosen) - sound}


class SiftCrawl(PageWidget):
    """Twelve pages of a crawl to keep or drop."""

    widget = "crawl"

    def values(self) -> dict[str, Any]:
        pages = sift()
        weights = [page["weight"] for page in pages]
        truth = [{"note": page["note"], "sound": page["sound"]} for page in pages]
        return {
            "pages": pages,
            "rows": {name: tally(pages, kept) for name, kept in kept_by(pages).items()},
            "whole": tally(pages, [True] * len(pages)),
            "low": min(weights),
            "span": max(weights) - min(weights),
            "data": json.dumps(truth, separators=(",", ":")),
        }


def setup(app: Sphinx) -> None:
    app.add_directive("crawl", SiftCrawl)
