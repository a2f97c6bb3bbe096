"""The lab in JupyterLab: it trains in the kernel, which stays usable, and stops when told."""

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import browser as chromium
import nbformat
import pytest
from playwright.sync_api import Page, expect, sync_playwright

CELLS = (
    "from fmkit.widgets import TrainingLab\nlab = TrainingLab(batch_size=2, steps=800)\nlab",
    "'meanwhile: ' + lab.current.state",
)
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)
WAIT = 60_000  # milliseconds, for what takes five seconds on an idle machine


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """JupyterLab, open on a small notebook."""
    work = tmp_path / "work"
    work.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, work / "lab.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    folders = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
    )
    environment = {**os.environ, **{name: str(tmp_path / name) for name in folders}, "OMP_NUM_THREADS": "1"}
    where = [f"--ServerApp.port={port}", f"--ServerApp.root_dir={work}", f"--IdentityProvider.token={token}"]
    command = [sys.executable, "-m", "jupyterlab", *OPTIONS, *where]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert server.stderr
    for line in server.stderr:
        if "is running at" in line:
            break
    threading.Thread(target=server.stderr.read, daemon=True).start()  # a full pipe would stop the server
    yield f"http://127.0.0.1:{port}/lab/tree/lab.ipynb?token={token}"
    server.terminate()
    server.wait(20)


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    path = chromium.find()
    assert path, chromium.MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.goto(address, timeout=WAIT)
        yield page
        browser.close()


@pytest.mark.slow
def test_it_trains_in_the_kernel(page: Page) -> None:
    editors = page.locator(".jp-Notebook .jp-InputArea-editor")
    editors.first.click(timeout=WAIT)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".fm-mode")).to_have_text("live", timeout=WAIT)
    status = page.locator(".fm-status")
    page.get_by_role("button", name="Train").click()
    expect(status).to_contain_text("step 1", timeout=WAIT)
    editors.nth(1).click()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("'meanwhile: training'", exact=True)).to_be_visible(timeout=WAIT)
    before = status.text_content()
    expect(status).not_to_have_text(before or "", timeout=WAIT)
    assert page.locator(".fm-plot .fm-line").count() == 1
    page.get_by_role("button", name="Stop").click()
    expect(status).to_contain_text("of 800, stopped", timeout=WAIT)
    expect(page.locator(".fm-spoken")).to_contain_text("above the floor")
