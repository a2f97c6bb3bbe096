"""Energy and carbon: the published figures come out, and a run's own usage adds up."""

import json
import re
import time
from pathlib import Path

import pytest
import yaml

from fmkit import Transformer, asset, pretrain
from fmkit.config import TrainConfig
from fmkit.flops import PEAK_FLOPS
from fmkit.footprint import (
    SERVER,
    WATER_SITE,
    WATER_SOURCE,
    WATTS,
    WATTS_PER_CORE,
    Job,
    Meter,
    Usage,
    answer_kwh,
    carbon_kg,
    energy_kwh,
    gpu_hours,
    product,
    training_flops,
    water_liters,
)

RUNS = yaml.safe_load(asset("footprint/runs.yml").read_text())
FACTORS = yaml.safe_load(asset("footprint/factors.yml").read_text())
CHIPS = {chip["name"]: chip["torch"] for chip in FACTORS["chips"]}
by_run = pytest.mark.parametrize("run", RUNS, ids=lambda run: run["name"])


def test_thirteen_runs_say_their_source():
    assert len({run["name"] for run in RUNS}) == 13
    assert {run["verified"] for run in RUNS} <= {"source", "memory"}
    keys = (Path(__file__).parents[2] / "chapters/back/references.bib").read_text()
    assert all(f"{{{run['source']}," in keys for run in RUNS)


@by_run
def test_published_energy_and_carbon(run):
    kwh = energy_kwh(run["hours"], run["watts"], run["pue"])
    assert kwh / 1000 == pytest.approx(run.get("mwh", kwh / 1000), rel=0.02)
    assert carbon_kg(kwh, run["grid"]) / 1000 == pytest.approx(run["tons"], rel=0.02)


@by_run
def test_gpu_hours_within_a_factor_of_three(run):
    peak = PEAK_FLOPS[CHIPS[run["chip"]]]
    predicted = gpu_hours(training_flops(run["parameters"], run["tokens"]), peak, mfu=0.4)
    assert 1 / 3 < predicted / run["hours"] < 3


def test_water_of_gpt_3():
    """0.7 million liters on the site, 5.4 in all (Li et al. 2023, table 1: the mean of the United States)."""
    kwh = 1_287_000  # as there: of the computers
    assert water_liters(kwh, 0.55, 0.0) == pytest.approx(0.7e6, rel=0.02)
    assert water_liters(kwh, 0.55, 3.142, 1.17) == pytest.approx(5.4e6, rel=0.02)


def test_water_of_olmo_3():
    """15,887,000 liters of 12.3 GWh in a building that evaporates nothing (Morrison et al. 2026)."""
    assert water_liters(12.3e6, WATER_SITE[0], WATER_SOURCE[0]) == pytest.approx(15.887e6, rel=0.02)


def test_embodied_carbon_of_bloom():
    bloom = Job((1_082_990,) * 2, (400.0, 400.0))
    assert bloom.embodied_kg[1] == pytest.approx(11_200, rel=0.02)


def test_job_without_ranges_is_its_formulas():
    job = Job(
        (1000.0,) * 2,
        (700.0,) * 2,
        10,
        (1.1,) * 2,
        (0.4,) * 2,
        (0.5,) * 2,
        (3.0,) * 2,
        (0.01,) * 2,
        (2.0,) * 2,
    )
    assert job.days == pytest.approx((1000 / 240,) * 2)
    assert job.kwh == pytest.approx((770,) * 2)
    assert job.carbon_kg == pytest.approx((308,) * 2)
    assert job.embodied_kg == pytest.approx((10,) * 2)
    assert job.water_liters == pytest.approx((700 * (0.5 + 1.1 * 3),) * 2)
    assert job.dollars == pytest.approx((2000,) * 2)


def test_the_ends_of_a_job_are_in_order():
    job = Job((100.0, 300.0), product(700.0, SERVER), price=(2.5, 12.0))
    for low, high in (job.days, job.kwh, job.carbon_kg, job.embodied_kg, job.water_liters, job.dollars):
        assert 0 < low < high


def test_answer_is_a_third_of_its_training():
    """Of a token's: 2 N FLOPs instead of 6 N."""
    answer = answer_kwh(8e9, 1.0, 989e12, 700.0, 0.4)
    training = energy_kwh(gpu_hours(training_flops(8e9, 1.0), 989e12, 0.4), 700.0)
    assert answer == pytest.approx(training / 3)


def test_every_chip_with_watts_has_a_peak():
    assert WATTS.keys() <= PEAK_FLOPS.keys()
    assert {*CHIPS.values()} <= WATTS.keys()


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
