"""The widgets in JupyterLab: they train in the kernel, which stays usable, and stop when told."""

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from bookkit.site import browser as chromium

CELLS = (
    "from fmkit.widgets import TrainingLab\nlab = TrainingLab(batch_size=2, steps=800)\nlab",
    "'meanwhile: ' + lab.current.state",
)
RECIPES = (
    """
from fmkit import ModelConfig, TrainConfig, Transformer, pretrain, train_tokenizer
from fmkit.widgets import LiveLoss, RecipeLab
from fmkit.world import load_stories
stories = load_stories(300, 20)
tokenizer = train_tokenizer(stories["train"], 300)
shape = ModelConfig(
    vocab_size=300, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=64
)
model = Transformer(shape)
with LiveLoss(floor=0.3):
    run = pretrain(model, tokenizer, stories, TrainConfig(steps=50_000, batch_size=2, eval_every=50_000))
f"returned after Stop: {run.interrupted}"
""",
    "RecipeLab(pretrain, model, tokenizer, stories, TrainConfig(steps=20, batch_size=2, eval_every=10))",
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
def cells() -> tuple[str, ...]:
    return CELLS


@pytest.fixture
def address(tmp_path: Path, cells: tuple[str, ...]) -> Iterator[str]:
    """JupyterLab, open on a small notebook."""
    work = tmp_path / "work"
    work.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
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
        expect(page.get_by_text("| Idle")).to_be_visible(timeout=WAIT)  # a cell run earlier can be forgotten
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
    expect(page.locator(".fm-plot .fm-line")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(status).to_contain_text("of 800, stopped", timeout=WAIT)
    expect(page.locator(".fm-spoken")).to_contain_text("above the floor")


@pytest.mark.slow
@pytest.mark.parametrize("cells", [RECIPES])
def test_stop_is_heard_while_a_cell_runs(page: Page) -> None:
    """Whatever the kernel's version does with messages: here the press is heard by a cell that trains."""
    page.locator(".jp-Notebook .jp-InputArea-editor").first.click(timeout=WAIT)
    page.keyboard.press("Control+Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_have_attribute("aria-disabled", "false", timeout=WAIT)
    status = page.locator(".fm-status")
    expect(status).to_contain_text("of 50000", timeout=WAIT)
    before = status.text_content()
    expect(status).not_to_have_text(before or "", timeout=WAIT)
    expect(page.locator(".fm-facts")).to_contain_text("Tokens/s")
    stop.click()
    expect(page.get_by_text("'returned after Stop: True'", exact=True)).to_be_visible(timeout=WAIT)
    expect(status).to_contain_text("of 50000, stopped")


@pytest.mark.slow
@pytest.mark.parametrize("cells", [(RECIPES[0].partition("with")[0], RECIPES[1])])
def test_recipes_are_run_and_compared(page: Page) -> None:
    editors = page.locator(".jp-Notebook .jp-InputArea-editor")
    for number in range(2):
        editors.nth(number).click(timeout=WAIT)
        page.keyboard.press("Control+Enter")
    run, status = page.get_by_role("button", name="Run", exact=True), page.locator(".fm-widget .fm-status")
    expect(page.locator(".fm-mode")).to_have_text("live", timeout=WAIT)
    run.click()
    expect(status).to_contain_text("Run A: loss", timeout=WAIT)
    page.get_by_label("Learning rate").focus()
    page.keyboard.press("ArrowRight")  # which is a shortcut of JupyterLab, too
    run.click()
    expect(status).to_contain_text("Run B: loss", timeout=WAIT)
    expect(page.locator(".fm-code")).to_contain_text("learning_rate=0.005")
    run.click()
    expect(status).to_contain_text("These settings have already run.")
    page.get_by_text("More settings").click()
    page.get_by_label("Warmup steps").focus()
    page.keyboard.press("End")
    run.click()
    expect(status).to_contain_text("failed. warmup_steps=500 must lie between 0 and steps=20", timeout=WAIT)
    expect(page.locator(".fm-runs tbody tr")).to_have_count(3)
    styles = [line.get_attribute("stroke-dasharray") for line in page.locator(".fm-plot .fm-line").all()]
    assert len(set(styles)) == len(styles)
