"""What the chapter on hardware shows as measured is what the benchmarks have printed."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
MEASURED = yaml.safe_load((ROOT / "assets/hardware/measured.yml").read_text(encoding="utf-8"))


def line_of(part: str, begins: str) -> str:
    lines = (ROOT / "benchmarks/results" / MEASURED[part]["results"]).read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(begins))


def test_mfu_is_that_of_the_gpu_run() -> None:
    for run in MEASURED["gpu"]["runs"]:
        assert f" {run['mfu']:.1%} " in line_of("gpu", f"{run['line']}  ")


def test_speeds_are_those_of_the_plan() -> None:
    for run in MEASURED["plan"]["runs"]:
        start = f"| {run['run']} | {run['predicted']:,} | {run['measured']:,} | "
        assert line_of("plan", start)
