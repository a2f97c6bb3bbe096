"""The `payback` directive: a model that is trained once and served day and night, or tokens of a hosted one.

    ```{payback}
    ```

starts with a case of assets/footprint/payback.yml, on one of the machines of that folder. Out come the parts
of both bills, a figure of both by the requests of a month, and where they meet. payback.js has the formulas
of `Plan` once more. Without a script, and on paper, there is a table of the cases.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

import yaml

from bookkit.site.page_widget import PageWidget
from fmkit.flops import PEAK_FLOPS
from fmkit.footprint import SERVER, WATTS, gpu_hours, product, training_flops

CASES, FACTORS, SERVICES = (
    f"assets/{file}.yml" for file in ("footprint/payback", "footprint/factors", "exam/services")
)
HOURS = 730  # of a month


@dataclass(frozen=True)
class Plan:
    """What a model of one's own takes, and a hosted one: prices in dollars, a token price for a million.

    `train` and `serve` are the FLOP/s that a machine reaches. `people` is paid once. All requests are alike.
    """

    parameters: float
    tokens: float
    people: float
    months: float
    train: float
    serve: float
    hour_price: float
    own_read: float
    written: float
    hosted_read: float
    price_read: float
    price_written: float

    @property
    def training(self) -> float:
        """Dollars of the machine's hours of training."""
        return gpu_hours(training_flops(self.parameters, self.tokens), self.train, 1) * self.hour_price

    @property
    def once(self) -> float:
        """What is paid before the first answer, as dollars a month."""
        return (self.training + self.people) / self.months

    @property
    def machine(self) -> float:
        """Dollars a month of one machine that runs day and night."""
        return HOURS * self.hour_price

    @property
    def capacity(self) -> float:
        """Requests that one machine answers in a month, at 2 N FLOPs a token."""
        return HOURS * 3600 * self.serve / (2 * self.parameters * (self.own_read + self.written))

    @property
    def hosted(self) -> float:
        """Dollars for a request to the hosted model."""
        return (self.hosted_read * self.price_read + self.written * self.price_written) / 1e6

    def own(self, requests: float) -> float:
        """Dollars a month of the own model, with as many machines as the requests need."""
        return self.once + self.machine * max(1, math.ceil(requests / self.capacity))

    @property
    def break_even(self) -> float:
        """Requests a month at which the hosted model first costs as much, or infinity."""
        gain = self.hosted * self.capacity - self.machine  # of a machine that is always busy
        if gain <= 0:
            return math.inf
        return (self.once + max(1, math.ceil(self.once / gain)) * self.machine) / self.hosted


class Payback(PageWidget):
    """Inputs for both bills, what follows from them, and a figure."""

    widget = "payback"

    def values(self) -> dict[str, Any]:
        known, factors, services = (
            yaml.safe_load(self.source(file).read_text(encoding="utf-8"))
            for file in (CASES, FACTORS, SERVICES)
        )
        (claim,) = (fact for fact in services if fact["id"] == known["claim"])
        places = {"pue": factors["sites"][0]["pue"], "grid": factors["grids"][0]["grid"]}  # "not known"
        facts = {name: known[name] for name in ("hosted", "cases")}
        return {
            "facts": json.dumps(facts | {"machines": machines(known, factors)} | places),
            "rows": [row(case, known, factors) for case in known["cases"]],
            "claim": claim,
        }


def machines(known: dict[str, Any], factors: dict[str, Any]) -> list[dict[str, Any]]:
    """The server and the chips: FLOP/s that they reach, dollars an hour, and watts as a range."""
    shares = known["shares"]
    chips = [
        {
            "name": chip["name"],
            "train": shares["train"] * PEAK_FLOPS[chip["torch"]],
            "serve": shares["serve"] * PEAK_FLOPS[chip["torch"]],
            "price": round(sum(chip["price"]) / 2, 2),
            "watts": product(WATTS[chip["torch"]], SERVER),
        }
        for chip in factors["chips"]
    ]
    return [known["server"], *chips]


def plan(case: dict[str, Any], known: dict[str, Any], factors: dict[str, Any]) -> Plan:
    """A case on its machine, against the hosted model with which the widget starts."""
    (machine,) = (one for one in machines(known, factors) if one["name"] == case["machine"])
    inputs = {
        name: case[name] for name in ("parameters", "tokens", "people", "months", "own_read", "written")
    }
    reached = {name: machine[name] for name in ("train", "serve")}
    return Plan(**inputs, **reached, hour_price=machine["price"], **known["hosted"])


def row(case: dict[str, Any], known: dict[str, Any], factors: dict[str, Any]) -> dict[str, str]:
    """A case in the table without a script."""
    it = plan(case, known, factors)
    return {
        "case": f"{case['title']}: {case['about']}",
        "training": money(it.training),
        "people": money(case["people"]),
        "machine": money(it.machine),
        "hosted": money(it.hosted),
        "break_even": "never" if math.isinf(it.break_even) else f"{float(f'{it.break_even:.3g}'):,.0f}",
    }


def money(value: float) -> str:
    """Dollars with two digits below 1, cents below 100, and three digits above."""
    if value < 1:
        return f"${value:.2g}" if value >= 1e-4 else f"under ${1e-4}"
    return f"${value:.2f}" if value < 100 else f"${float(f'{value:.3g}'):,.0f}"
