"""The `calculator` directive: what training a model takes, and what its answers do, as ranges.

    ```{calculator}
    ```

reads assets/footprint/: the published runs, and the factors with their sources. Sliders and choices give
GPU-hours, days, energy, carbon, water and cost, each a range; a published run fills them in, and what it
reported is shown beside. A second form asks for no number. footprint.js has the formulas of fmkit.footprint.
Without a script, and on paper, the table of the published runs remains.
"""

import json
import re
from typing import Any

import yaml
from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from bookkit.widgets.calculator.payback import Payback
from fmkit.errors import FmkitError
from fmkit.flops import PEAK_FLOPS
from fmkit.footprint import (
    EMBODIED,
    SERVER,
    WATER_SOURCE,
    WATTS,
    carbon_kg,
    energy_kwh,
    gpu_hours,
    training_flops,
)

RUNS, FACTORS = "assets/footprint/runs.yml", "assets/footprint/factors.yml"
START = "Llama 3.1 8B"
MFU = 0.4  # of the predictions in the table
SIZES = {
    "small": ("Small", "It runs on a laptop or a phone."),
    "medium": ("Medium", "The usual assistant of a large provider."),
    "large": ("Large", "The largest, or one that thinks longer."),
}
RATES = {
    "sometimes": ("Sometimes", "A few answers a day.", (1, 10)),
    "often": ("Often", "A few hundred answers a day.", (100, 1000)),
}
PLACES = {
    "here": ("Here", "An ordinary grid, with gas and coal.", (0.37, 0.713)),
    "clean": ("Where power is clean", "A region with water, wind or nuclear power.", (0.03, 0.057)),
}
WORDS = (  # up to so many kilometers by car in a year
    (20, "Next to nothing"),
    (600, "Little: at most a long drive, once a year"),
    (1e9, "Noticeable: up to a long journey by car, each year"),
)
ADVICE = {
    "size": {
        "small": "A small model is already the lighter choice. Test on your own cases whether it will do.",
        "medium": "Try a small model on your own cases: where it is good enough, an answer may take a tenth.",
        "large": "Send only the hard cases to the large model, and let a smaller one answer the others.",
    },
    "rate": {
        "sometimes": "Single answers matter little. New devices matter more: keep yours a year longer.",
        "often": "Ask for short answers, reuse those that repeat, and batch what can wait.",
    },
    "place": {
        "here": "Ask whether it can run where power is clean: the same answers, a tenth of the carbon.",
        "clean": "Ask for the location-based figure: a market-based zero says what was bought, not burned.",
    },
}


class Calculator(PageWidget):
    """Inputs and ranges, a form without numbers, and the table of the published runs."""

    widget = "calculator"

    def values(self) -> dict[str, Any]:
        texts = {file: self.source(file).read_text(encoding="utf-8") for file in (RUNS, FACTORS)}
        runs, factors = read(texts[RUNS], texts[FACTORS])
        return {
            "facts": json.dumps(facts(runs, factors)),
            "rows": [row(run, factors) for run in runs],
            "questions": {
                "size": ("The model is", SIZES),
                "rate": ("You use it", RATES),
                "place": ("It runs", PLACES),
            },
        }


def read(runs: str, factors: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The runs and the factors; raises FmkitError for a run on an unknown chip."""
    found, known = yaml.safe_load(runs), yaml.safe_load(factors)
    chips = {chip["name"] for chip in known["chips"]}
    for run in found:
        if run["chip"] not in chips:
            line = runs[: runs.index(f"name: {run['name']}")].count("\n") + 1
            raise FmkitError(
                f"{RUNS}:{line}: no chip {run['chip']!r} in {FACTORS}: {', '.join(sorted(chips))}"
            )
    return found, known


def facts(runs: list[dict[str, Any]], factors: dict[str, Any]) -> dict[str, Any]:
    """What the script multiplies."""
    chips = [
        {
            "name": chip["name"],
            "watts": WATTS[chip["torch"]],
            "peak": PEAK_FLOPS[chip["torch"]],
            "price": chip["price"],
        }
        for chip in factors["chips"]
    ]
    return {
        "start": START,
        "runs": runs,
        "chips": chips,
        **{name: factors[name] for name in ("sites", "grids", "water")},
        "constants": {"server": SERVER, "source": WATER_SOURCE, "embodied": EMBODIED},
        "feel": {name: one["value"] for name, one in factors["feel"].items()},
        "answers": {size: one["wh"] for size, one in factors["answers"].items()},
        "rates": {name: per_day for name, (*_, per_day) in RATES.items()},
        "places": {name: grid for name, (*_, grid) in PLACES.items()},
        "words": WORDS,
        "advice": ADVICE,
    }


def row(run: dict[str, Any], factors: dict[str, Any]) -> dict[str, str]:
    """A published run in the table: computed beside published."""
    (chip,) = (chip["torch"] for chip in factors["chips"] if chip["name"] == run["chip"])
    kwh = energy_kwh(run["hours"], run["watts"], run["pue"])
    predicted = gpu_hours(training_flops(run["parameters"], run["tokens"]), PEAK_FLOPS[chip], MFU)
    author, year = re.fullmatch(r"([a-z]+)(\d{4})[a-z]?", run["source"]).groups()  # type: ignore[union-attr]
    return {
        "run": run["name"],
        "parameters": f"{run['parameters'] / 1e9:g}",
        "tokens": f"{run['tokens'] / 1e12:g}",
        "chip": run["chip"],
        "hours": f"{run['hours'] / 1e6:.2f}",
        "predicted": f"{predicted / 1e6:.2f}",
        "mwh": f"{kwh / 1000:,.0f}",
        "published_mwh": f"{run['mwh']:,.0f}" if "mwh" in run else "–",
        "tons": f"{carbon_kg(kwh, run['grid']) / 1000:,.1f}",
        "published_tons": f"{run['tons']:,.1f}",
        "source": f"{author.capitalize()} {year}",
    }


def setup(app: Sphinx) -> None:
    app.add_directive("calculator", Calculator)
    app.add_directive("payback", Payback)
