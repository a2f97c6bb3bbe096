"""Four ways to share a model's training: as fmkit counts, where it does; by keyboard; without a script."""

import json
from dataclasses import replace
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import parallel
from bookkit.widgets.parallel import MODELS, ROWS, WAYS, row_of, share
from fmkit.cluster import bytes_per_device, bytes_sent, plan_run
from fmkit.config import TrainConfig
from fmkit.flops import num_parameters

SEVEN = MODELS["7B"]
HOW: dict[str, Any] = {"dtype": "bfloat16", "gradient_checkpointing": True}


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/parallel", **options)


def press(page: Page, label: str, *keys: str) -> None:
    for key in keys:
        page.get_by_label(label, exact=True).press(key)


def table(page: Page) -> dict[str, list[str]]:
    return {way: page.locator(f"tr[data-way={way}] td").all_inner_texts() for way in WAYS}


@pytest.mark.parametrize("devices", parallel.DEVICES)
@pytest.mark.parametrize(("way", "fsdp"), [("data", False), ("sharded", True)])
def test_shares_are_those_of_fmkit(way: str, fsdp: bool, devices: int) -> None:
    rows = {"batch_size": devices, "gradient_accumulation_steps": ROWS // devices}
    config = TrainConfig(steps=3600, fsdp=fsdp, **rows, **HOW)
    mine = share(SEVEN, devices, way, 1)
    assert mine.held == bytes_per_device(SEVEN, config, devices, most_logits=80e9 / 64)
    assert mine.sent == bytes_sent(SEVEN, config, devices)
    for link in parallel.LINKS:
        plan = plan_run(SEVEN, config, devices, "NVIDIA H100 80GB HBM3", mfu=0.4, bandwidth=link * 1e9)
        assert row_of(way, "7B", devices, link=link)["seconds"] == f"{plan.hours:.1f}"


@pytest.mark.parametrize("way", ["sharded", "tensor"])
def test_one_device_shares_nothing(way: str) -> None:
    assert row_of(way, "7B", 1) == row_of("data", "7B", 1)


def test_slices_are_the_whole() -> None:
    slices = 8 * num_parameters(parallel.sliced(SEVEN, 8))
    norms = (2 * SEVEN.num_hidden_layers + 1) * SEVEN.hidden_size  # each device has them whole
    assert slices - 7 * norms == num_parameters(SEVEN)


def test_stages_are_the_whole() -> None:
    stage = replace(SEVEN, num_hidden_layers=SEVEN.num_hidden_layers // 8)
    blocks = 8 * num_parameters(stage, embeddings=False) - 7 * SEVEN.hidden_size  # one last norm
    assert blocks == num_parameters(SEVEN, embeddings=False)


def test_a_pipeline_waits_for_its_ends() -> None:
    """7 of 8 + 7 times, with 8 stages and 8 micro-batches."""
    assert row_of("pipeline", "7B", 8, micro=8)["idle"] == f"{7 / 15:.0%}"
    assert row_of("pipeline", "7B", 8, micro=64)["idle"] == f"{7 / 71:.0%}"


@pytest.mark.parametrize(("number", "micro"), [(0, 1), (2, 64), (3, 1), (3, 8)])
def test_page_computes_what_python_does(visit: Any, number: int, micro: int) -> None:
    page, devices = visit(), parallel.DEVICES[number]
    press(page, "Devices", "Home", *["ArrowRight"] * number)
    if micro != parallel.START["micro"]:
        press(page, "Micro-batches", "Home" if micro == 1 else "End")
    for link, place in parallel.LINKS.items():
        page.get_by_label(place).check()
        for key, model in (("Home", "1B"), ("ArrowRight", "7B"), ("End", "70B")):
            press(page, "Model", key)
            expected = {way: [*row_of(way, model, devices, micro, link).values()] for way in WAYS}
            assert table(page) == expected


@pytest.mark.parametrize(("way", "blocks"), [("sharded", 8), ("pipeline", 8 * 2 * 8), ("tensor", 8 * 12)])
def test_a_step_is_drawn(visit: Any, way: str, blocks: int) -> None:
    page = visit()
    page.get_by_label(way, exact=True).check()
    assert page.locator("path.works").get_attribute("d").count("M") == blocks
    assert page.locator(".fm-spoken").text_content().startswith(f"{way}: ")
    assert page.locator("tr.now").get_attribute("data-way") == way


def test_what_does_not_fit_is_said(visit: Any) -> None:
    page = visit()
    readout = page.locator(".fm-parallel-readout")
    assert "108 GB per device does not fit in 80." in readout.inner_text()
    page.get_by_label("sharded", exact=True).check()
    assert "18 GB per device fits in 80." in readout.inner_text()


def test_sharing_moves_nothing(visit: Any) -> None:
    page = visit()
    below, seen = page.locator(".fm-parallel-note"), set()
    for way in WAYS:
        page.get_by_label(way, exact=True).check()
        for label in ("Model", "Devices", "Micro-batches"):
            for key in ("Home", "End"):
                press(page, label, key)
                seen.add(json.dumps(below.bounding_box()))
    assert len(seen) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_parallel_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-parallel")
    page.get_by_label("pipeline", exact=True).check()
    complaints += tiny.faults(page, ".fm-parallel")
    complaints += tiny.small_targets(page, ".fm-parallel :is(input, button)")
    assert not complaints, "\n".join(complaints)


def test_parallel_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    assert table(page) == {way: [*row_of(way, "7B", 8).values()] for way in WAYS}
    expect(page.locator(".fm-parallel-drawn")).to_be_hidden()
