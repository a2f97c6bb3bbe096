"""The built site in a browser: what each page loads before anything is clicked, and how soon it is there.

    python benchmarks/page.py [--rounds 3] [--pages chapters/intro …]

A local server compresses as hosts do; the browser's cache is empty. kB are those transferred, with headers.
"Slow 4G" is that of Chromium's tools: 562 ms to the first byte of each answer, 1.44 Mbit/s. LCP is the
largest contentful paint, CLS the cumulative layout shift, "longest" the longest block of the main thread, of
which Chromium reports those above 50 ms. Times are medians over the rounds, in milliseconds.
"""

import argparse
import gzip
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bookkit.experiments.recording import processor
from bookkit.site import browser as chromium
from bookkit.site.build import build, site, toc_pages
from bookkit.site.serve import HOST, Handler

ROOT = Path(__file__).parents[1]

DESK = {"width": 1300, "height": 900}
CALM = 1500  # milliseconds after which a page that was painted asks for no more by itself
SLOW_4G = {"offline": False, "latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
SLOWER = 4  # the factor of the processor's throttle

OBSERVE = """window.measured = { lcp: 0, longest: 0, shift: 0 };
function observe(type, note) {
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
}
observe("largest-contentful-paint", (entry) => { measured.lcp = entry.startTime; });
observe("longtask", (entry) => { measured.longest = Math.max(measured.longest, entry.duration); });
observe("layout-shift", (entry) => { measured.shift += entry.hadRecentInput ? 0 : entry.value; });"""


@cache
def compressed(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes())


class Compressing(Handler):
    """Answers as a host would: compressed, over connections that are kept."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        if path.suffix not in (".html", ".css", ".js", ".json", ".svg") or not path.is_file():
            return super().send_head()
        content = compressed(str(path))
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return BytesIO(content)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer((HOST, 0), partial(Compressing, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


def load(browser: Browser, url: str, slow: bool) -> dict[str, float]:
    """What a new visitor's browser loads, and when it paints."""
    with browser.new_context(viewport=DESK) as context:
        page, sizes = context.new_page(), []
        page.add_init_script(OBSERVE)
        devtools = context.new_cdp_session(page)
        devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        devtools.send("Network.enable")
        if slow:
            devtools.send("Network.emulateNetworkConditions", SLOW_4G)
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(url, wait_until="networkidle")
        page.wait_for_function("() => document.readyState === 'complete' && measured.lcp > 0")
        page.wait_for_timeout(CALM)
        own = [size for size in sizes if size]  # an address that begins with data: transfers nothing
        return page.evaluate("measured") | {"requests": len(own), "bytes": sum(own)}


def pages(browser: Browser, address: str, names: list[str], rounds: int) -> None:
    """Print what every page loads, and how fast, normal and throttled."""
    print(f"\n{'':55}normal  slow 4G, {SLOWER}x CPU")
    print(f"{'page':36}requests   kB     LCP  longest     LCP  longest   CLS")
    for name in names:
        cells, shift, sizes = [], 0.0, set()
        for slow in (False, True):
            seen = [load(browser, f"{address}/{name}.html", slow) for _ in range(rounds)]
            lcp, longest = (statistics.median(one[key] for one in seen) for key in ("lcp", "longest"))
            cells.append(f"{lcp:8.0f}{longest:9.0f}" if longest else f"{lcp:8.0f}{'<= 50':>9}")
            shift = max(shift, *(one["shift"] for one in seen))
            sizes.update((one["requests"], one["bytes"]) for one in seen)
        requests, size = max(sizes)
        loaded = f"{requests:8}{size / 1000:5.0f}"
        print(f"{name:36}{loaded}{''.join(cells)}{shift:6.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", nargs="*", default=[*toc_pages(ROOT), "search", "genindex"])
    options = parser.parse_args()
    build(ROOT)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    with served(site(ROOT)) as address, sync_playwright() as playwright:
        path = chromium.find()
        with playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS) as browser:
            print(
                f"{processor()}; Chromium {browser.version}; commit {commit.strip()}; {options.rounds} rounds"
            )
            pages(browser, address, options.pages, options.rounds)


if __name__ == "__main__":
    main()
