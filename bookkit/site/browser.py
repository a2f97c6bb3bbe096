"""A Chromium for the tests of the site and for its PDF: the machine's own, or Playwright's, or a new one.

`python -m bookkit.site.browser` gets one where there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# --no-sandbox: CI runs as root, where Chromium's sandbox does not start; it only sees our own pages.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
MISSING = "Chromium is needed for this: install it (Debian: apt-get install chromium), then try again."


def find() -> str | None:
    """The path of a Chromium, or None."""
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    return on_path or playwrights_own()


def playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> str | None:
    """Playwright's download where it works, Debian's package where apt and root are there."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts += [["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", "chromium"]]
    for command in attempts:
        print("$", *command, flush=True)
        subprocess.run(command, timeout=900)
        if path := find():
            return path
    return None


def main() -> int:
    if find() or install():
        return 0
    print(MISSING, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
