"""What training and answering cost: GPU-hours, energy, carbon, water and money by formula, and a meter for
a run of your own.

What is not measured is a range, never a single number: watts, cooling and grids differ too much.
"""

import ctypes
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Range = tuple[float, float]  # low and high; equal where something was measured

WATTS = {
    "Tesla V100-SXM2-32GB": 300.0,
    "NVIDIA A100-SXM4-80GB": 400.0,
    "NVIDIA H100 80GB HBM3": 700.0,
    "NVIDIA H200": 700.0,
}
"""Thermal design power of boards in watts, from NVIDIA's data sheets, by the names of `PEAK_FLOPS`."""

WATTS_PER_CORE: Range = (4.0, 12.0)
"""A busy core's share of its processor in watts; memory and board are not counted. By data sheets, the
thermal design power over cores is 3.9 for an AMD EPYC 9755 (500 W, 128 cores) and 10.5 for an Intel Core
i9-14900K (253 W, 24 cores)."""

PUE: Range = (1.0, 1.58)
"""Energy of the building over that of its computers: from a desk without cooling to the mean of the world's
data centers (Uptime Institute, Global Data Center Survey 2023); AWS reports 1.15, Google about 1.1."""

GRID: Range = (0.057, 0.43)
"""Carbon intensity in kg CO2e per kWh: the grids of France (Luccioni et al. 2022, arXiv:2211.02001) and of
the United States (Patterson et al. 2021, arXiv:2104.10350)."""

SERVER: Range = (0.85, 1.74)
"""Power of a whole server over the design power of its chips: from 85%, the most that chips drew in training
OLMo, and nothing besides (Morrison et al. 2025, arXiv:2503.05804), to all that OLMo 3's servers and network
took (Morrison et al. 2026, arXiv:2605.01158)."""

WATER_SITE: Range = (0.0, 1.8)
"""Water that cooling evaporates, in liters per kWh of the computers (site WUE): from none (Morrison et al.
2026) to the mean of studies of the industry; AWS reported 0.25 for 2021."""

WATER_SOURCE: Range = (1.29, 3.14)
"""Water that power plants evaporate, in liters per kWh: of Texas (Morrison et al. 2026) and the mean of the
United States (Li et al. 2023, arXiv:2304.03271)."""

EMBODIED: Range = (0.0023, 0.0103)
"""Carbon of making a chip, in kg CO2e for each hour of its life that it works: an NVIDIA H100 by its maker
(0.66 g for 10^18 FLOPs, at the dense peak), and BLOOM's share of its servers (11.2 t in 1.08 million
hours)."""

JOULES_PER_KWH = 3.6e6


# --- formulas ---------------------------------------------------------------------------------------------


def product(*factors: Range | float) -> Range:
    """Multiply ranges of numbers that are 0 or more; a number is a range without width."""
    low = high = 1.0
    for factor in factors:
        a, b = factor if isinstance(factor, tuple) else (factor, factor)
        low, high = low * a, high * b
    return low, high


def training_flops(parameters: float, tokens: float) -> float:
    """Compute 6 N D, the FLOPs to train N parameters (without embeddings) on D tokens, without attention
    (Kaplan et al. 2020, arXiv:2001.08361, section 2.1). `flops_per_token` counts a model exactly."""
    return 6 * parameters * tokens


def gpu_hours(flops: float, peak: float, mfu: float) -> float:
    """Compute the hours of a chip of `peak` FLOP/s, of which the share `mfu` is used."""
    return flops / (peak * mfu * 3600)


def energy_kwh(hours: float, watts: float, pue: float = 1.0) -> float:
    """Compute the kilowatt-hours of `hours` at `watts`, with what the building adds (Patterson et al. 2021,
    arXiv:2104.10350)."""
    return hours * watts * pue / 1000


def carbon_kg(kwh: float, intensity: float) -> float:
    """Compute kilograms of CO2e of `kwh` from a grid of `intensity` kg CO2e per kWh. This is location-based:
    a buyer of certificates may report 0 for the same energy (GHG Protocol, Scope 2 Guidance 2015)."""
    return kwh * intensity


def water_liters(kwh: float, site: float, source: float, pue: float = 1.0) -> float:
    """Compute the liters that evaporate for `kwh` of the computers: `site` liters per kWh for their cooling,
    and `source` liters per kWh of the building, where the power is made (Li et al. 2023, arXiv:2304.03271).
    """
    return kwh * (site + pue * source)


def answer_kwh(parameters: float, tokens: float, peak: float, watts: float, mfu: float) -> float:
    """Compute the energy of reading and writing `tokens` by a model of N parameters: 2 N FLOPs each, at the
    share `mfu` of the peak. It is low where few requests are answered at a time (Pope et al. 2022,
    arXiv:2211.05102)."""
    return energy_kwh(gpu_hours(2 * parameters * tokens, peak, mfu), watts)


@dataclass(frozen=True)
class Job:
    """Work of many chips, each number of it a range: hours of a chip, and watts for each, without the
    building.

    `grid` is in kg CO2e per kWh, `embodied` in kg CO2e and `price` in dollars per hour of a chip, and water
    in liters per kWh.
    """

    hours: Range
    watts: Range
    chips: int = 1
    pue: Range = PUE
    grid: Range = GRID
    site: Range = WATER_SITE
    source: Range = WATER_SOURCE
    embodied: Range = EMBODIED
    price: Range = (0.0, 0.0)

    @property
    def days(self) -> Range:
        """Days on the wall clock, if all chips work at the same time."""
        return product(self.hours, 1 / (24 * self.chips))

    @property
    def kwh(self) -> Range:
        """Energy, with the building's."""
        return self._ends(lambda i: energy_kwh(self.hours[i], self.watts[i], self.pue[i]))

    @property
    def carbon_kg(self) -> Range:
        """CO2e of the energy, location-based."""
        return self._ends(lambda i: carbon_kg(self.kwh[i], self.grid[i]))

    @property
    def embodied_kg(self) -> Range:
        """CO2e of making the chips: the part of their lives that this work takes."""
        return product(self.hours, self.embodied)

    @property
    def water_liters(self) -> Range:
        """Liters that evaporate, on the site and at the power plants."""

        def at(i: int) -> float:
            kwh = energy_kwh(self.hours[i], self.watts[i])
            return water_liters(kwh, self.site[i], self.source[i], self.pue[i])

        return self._ends(at)

    @property
    def dollars(self) -> Range:
        """Rent of the chips."""
        return product(self.hours, self.price)

    @staticmethod
    def _ends(at: Callable[[int], float]) -> Range:
        return at(0), at(1)


# --- what a run used --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Usage:
    """What a run used: CPU seconds of its process, wall seconds, joules, and how the joules were obtained."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    joules: Range = (0.0, 0.0)
    obtained: tuple[str, ...] = ()

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.cpu_seconds + other.cpu_seconds,
            self.wall_seconds + other.wall_seconds,
            (self.joules[0] + other.joules[0], self.joules[1] + other.joules[1]),
            tuple(dict.fromkeys(self.obtained + other.obtained)),
        )

    @property
    def kwh(self) -> Range:
        """Energy of the computer, without its building."""
        return self.joules[0] / JOULES_PER_KWH, self.joules[1] / JOULES_PER_KWH

    @property
    def carbon_grams(self) -> Range:
        """CO2e of this energy in grams: at the low ends of `PUE` and `GRID`, and at the high ones."""
        low, high = (
            1000 * carbon_kg(kwh * pue, grid) for kwh, pue, grid in zip(self.kwh, PUE, GRID, strict=True)
        )
        return low, high

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of a usage.json, for `read`."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Usage":
        """Read the usage from what `to_json` returned."""
        low, high = data["joules"]
        return cls(data["cpu_seconds"], data["wall_seconds"], (low, high), tuple(data["obtained"]))

    @classmethod
    def of(cls, directory: str | Path) -> "Usage":
        """Read what the run in a directory has used, from its usage.json; its notes say if it's unknown."""
        try:
            return cls.read(json.loads((Path(directory) / "usage.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(obtained=("an earlier part of the run: not known, not counted",))


class Meter:
    """Measures from the moment it is made, in this process and all of its threads.

    The processor's energy is read where Linux shows it (RAPL, of the whole package, with whatever else runs
    on it; since 2020 usually for root alone) and otherwise estimated from CPU seconds and `WATTS_PER_CORE`.
    That of an NVIDIA board is read from its driver (NVML, Volta and newer); another accelerator is not
    counted.
    `before` is what a resumed run used earlier.
    """

    def __init__(
        self, device: Any = "cpu", before: Usage | None = None, powercap: str | Path = "/sys/class/powercap"
    ) -> None:
        self.before = before or Usage()
        self.cpu, self.wall = time.process_time(), time.perf_counter()
        self.packages = [package for path in _packages(Path(powercap)) if (package := _Counter.open(path))]
        self.accelerator = None if str(device) == "cpu" else str(device)
        self.board = _nvml_joules(device) if str(device).startswith("cuda") else None
        self.board_start = self.board() if self.board else 0.0

    def tick(self) -> None:
        """Read the counters that wrap around to 0: call this every minute or more often."""
        for package in self.packages:
            package.joules()

    def usage(self) -> Usage:
        """Return what was used up to now, including `before`."""
        cpu = time.process_time() - self.cpu
        if self.packages:
            joules = sum(package.joules() for package in self.packages)
            low, high, obtained = joules, joules, ["processor: measured (RAPL, the whole package)"]
        else:
            low, high = (cpu * watts for watts in WATTS_PER_CORE)
            per_core = " to ".join(f"{watts:g}" for watts in WATTS_PER_CORE)
            obtained = [f"processor: estimated from CPU seconds at {per_core} watts a core"]
        if self.board:
            used = self.board() - self.board_start
            low, high = low + used, high + used
            obtained.append("accelerator: measured (NVML, the whole board)")
        elif self.accelerator:
            obtained.append(f"accelerator: {self.accelerator} cannot be read and is not counted")
        now = Usage(cpu, time.perf_counter() - self.wall, (low, high), tuple(obtained))
        return self.before + now


class _Counter:
    """A RAPL counter: microjoules that wrap around to 0 after `wrap`, on some machines within minutes."""

    def __init__(self, file: Path, wrap: int, last: int) -> None:
        self.file, self.wrap, self.last = file, wrap, last
        self.total = 0

    @classmethod
    def open(cls, zone: Path) -> "_Counter | None":
        try:
            wrap = int((zone / "max_energy_range_uj").read_text())
            return cls(zone / "energy_uj", wrap, int((zone / "energy_uj").read_text()))
        except (OSError, ValueError):  # readable by root alone, or missing
            return None

    def joules(self) -> float:
        now = int(self.file.read_text())
        self.total += now - self.last + (self.wrap if now < self.last else 0)
        self.last = now
        return self.total / 1e6


def _packages(powercap: Path) -> list[Path]:
    """The zones of whole processors; those of their cores and graphics are inside these."""
    zones = sorted(powercap.glob("intel-rapl:*"))  # AMD's processors, too
    return [zone for zone in zones if zone.name.count(":") == 1 and _name(zone).startswith("package")]


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text()
    except OSError:
        return ""


def _nvml_joules(device: Any) -> Callable[[], float] | None:
    """A function that reads the joules of a CUDA device since its driver was loaded; None if it can't.

    The library comes with the driver. The board is named by its UUID, as NVML may number boards differently.
    """
    import torch

    try:
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}".encode()
        nvml, handle, millijoules = (
            ctypes.CDLL("libnvidia-ml.so.1"),
            ctypes.c_void_p(),
            ctypes.c_ulonglong(),
        )
        if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByUUID(uuid, ctypes.byref(handle)):
            return None
        if nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)):
            return None
    except (OSError, AttributeError, RuntimeError):  # no driver, an old one, no such device
        return None

    def joules() -> float:
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules))
        return millijoules.value / 1000

    return joules
