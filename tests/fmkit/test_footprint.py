"""Energy and carbon: the published figures come out, and a run's own usage adds up."""

import json
import re
import time

import pytest

from fmkit import Transformer, pretrain
from fmkit.config import TrainConfig
from fmkit.flops import PEAK_FLOPS
from fmkit.footprint import (
    WATTS,
    WATTS_PER_CORE,
    Meter,
    Usage,
    carbon_kg,
    energy_kwh,
    gpu_hours,
    training_flops,
)

V100, A100, H100 = "Tesla V100-SXM2-32GB", "NVIDIA A100-SXM4-80GB", "NVIDIA H100 80GB HBM3"

# run, parameters, tokens, GPU-hours, chip, watts, PUE, kg CO2e/kWh, published MWh, published t CO2e
PUBLISHED = [
    ("GPT-3", 175e9, 300e9, 3.55e6, V100, 330, 1.10, 0.429, 1287, 552.1),
    ("OPT-175B", 175e9, 300e9, 809_472, A100, 400, 1.1, 0.385, 356, 137),
    ("BLOOM, dynamic", 176e9, 366e9, 1_082_990, A100, 400, 1.0, 0.057, 433.2, 24.7),
    ("LLaMA-7B", 6.7e9, 1e12, 82_432, A100, 400, 1.1, 0.385, 36, 14),
    ("LLaMA-13B", 13e9, 1e12, 135_168, A100, 400, 1.1, 0.385, 59, 23),
    ("LLaMA-33B", 32.5e9, 1.4e12, 530_432, A100, 400, 1.1, 0.385, 233, 90),
    ("LLaMA-65B", 65.2e9, 1.4e12, 1_022_362, A100, 400, 1.1, 0.385, 449, 173),
    ("Llama 2 7B", 6.74e9, 2e12, 184_320, A100, 400, 1.1, 0.385, None, 31.22),
    ("Llama 2 13B", 13e9, 2e12, 368_640, A100, 400, 1.1, 0.385, None, 62.44),
    ("Llama 2 70B", 69e9, 2e12, 1_720_320, A100, 400, 1.1, 0.385, None, 291.42),
    ("Llama 3.1 8B", 8.03e9, 15e12, 1.46e6, H100, 700, 1.0, 0.411, 1022, 420),
    ("Llama 3.1 70B", 70.6e9, 15e12, 7.0e6, H100, 700, 1.0, 0.416, 4900, 2040),
    ("Llama 3.1 405B", 405e9, 15.6e12, 30.84e6, H100, 700, 1.0, 0.4136, 21588, 8930),
]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row[0])
def test_published_energy_and_carbon(row):
    _, _, _, hours, _, watts, pue, grid, mwh, tons = row
    kwh = energy_kwh(hours, watts, pue)
    if mwh:
        assert kwh / 1000 == pytest.approx(mwh, rel=0.02)
    assert carbon_kg(kwh, grid) / 1000 == pytest.approx(tons, rel=0.02)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row[0])
def test_gpu_hours_within_a_factor_of_three(row):
    _, parameters, tokens, hours, chip, *_ = row
    predicted = gpu_hours(training_flops(parameters, tokens), PEAK_FLOPS[chip], mfu=0.4)
    assert 1 / 3 < predicted / hours < 3


def test_every_chip_with_watts_has_a_peak():
    assert WATTS.keys() <= PEAK_FLOPS.keys()


def test_an_estimate_is_a_range(tmp_path):
    meter = Meter(powercap=tmp_path)
    sum(range(300_000))
    used = meter.usage()
    low, high = used.joules
    assert 0 < low < high
    assert (low, high) == pytest.approx([used.cpu_seconds * watts for watts in WATTS_PER_CORE])
    assert used.cpu_seconds > 0
    assert "estimated" in " ".join(used.obtained)
    assert used.carbon_grams[0] < used.carbon_grams[1]


def test_wall_seconds_begin_with_the_meter(tmp_path):
    start = time.perf_counter()
    meter = Meter(powercap=tmp_path)
    time.sleep(0.01)
    assert 0.01 <= meter.usage().wall_seconds <= time.perf_counter() - start


def test_usage_adds_up():
    morning, evening = Usage(1.0, 2.0, (3.0, 4.0), ("a",)), Usage(10.0, 20.0, (30.0, 40.0), ("a", "b"))
    assert morning + evening == Usage(11.0, 22.0, (33.0, 44.0), ("a", "b"))
    used = Usage(joules=(3.6e6, 7.2e6))  # one kilowatt-hour, two
    assert used.kwh == (1.0, 2.0)
    assert used.carbon_grams == pytest.approx((57, 2 * 1.58 * 430))  # the low ends of PUE and grid, the high


def zone(powercap, name, microjoules, title="package-0"):
    path = powercap / name
    path.mkdir(exist_ok=True)
    (path / "name").write_text(f"{title}\n")
    (path / "energy_uj").write_text(f"{microjoules}\n")
    (path / "max_energy_range_uj").write_text("1000000000\n")


def test_processor_counter_may_wrap_around(tmp_path):
    zone(tmp_path, "intel-rapl:0", 900_000_000)
    zone(tmp_path, "intel-rapl:0:0", 0, "core")  # part of the package
    zone(tmp_path, "intel-rapl:1", 0, "psys")  # the whole computer, the package in it
    meter = Meter(powercap=tmp_path)
    zone(tmp_path, "intel-rapl:0", 950_000_000)
    meter.tick()
    zone(tmp_path, "intel-rapl:0", 20_000_000)
    zone(tmp_path, "intel-rapl:0:0", 7_000_000, "core")
    used = meter.usage()
    assert used.joules == (120.0, 120.0)
    assert "measured" in " ".join(used.obtained)


def test_accelerator_that_cannot_be_read(tmp_path):
    assert "mps cannot be read" in " ".join(Meter("mps", powercap=tmp_path).usage().obtained)


@pytest.mark.parametrize("content", [None, "", "[]", '{"joules": 3}', '{"joules": [1, 2]}'])
def test_usage_that_cannot_be_read(content, tmp_path):
    if content is not None:
        (tmp_path / "usage.json").write_text(content)
    assert "not counted" in Usage.of(tmp_path).obtained[0]


def test_resumed_run_adds_to_its_usage(model, tokenizer, stories, tmp_path):
    config = TrainConfig(steps=3, batch_size=2, eval_rows=2, checkpoint_every=1)
    run = pretrain(model, tokenizer, stories, config, output_dir=tmp_path / "run")
    file = tmp_path / "run" / "usage.json"
    assert Usage.of(tmp_path / "run") == run.usage
    assert run.usage.cpu_seconds > 0

    earlier = Usage(1000.0, 2000.0, (5000.0, 9000.0), ("by a sundial",))
    file.write_text(json.dumps(earlier.to_json()))
    checkpoints = sorted((tmp_path / "run" / "checkpoints").iterdir())
    for path in checkpoints[-1].iterdir():  # the run stopped at its second step
        path.unlink()
    checkpoints[-1].rmdir()
    again = pretrain(
        Transformer(model.config), tokenizer, stories, config, output_dir=tmp_path / "run", resume=True
    )
    assert 1000 < again.usage.cpu_seconds < 1000 + run.usage.cpu_seconds + 60
    assert again.usage.joules[0] > 5000
    assert again.usage.obtained[0] == "by a sundial"
    assert len(again.usage.obtained) == 2
    assert Usage.of(tmp_path / "run") == again.usage


def test_usage_without_a_directory(model, tokenizer, stories):
    run = pretrain(model, tokenizer, stories, TrainConfig(steps=1, batch_size=2, eval_rows=2))
    assert re.search("measured|estimated", run.usage.obtained[0])
