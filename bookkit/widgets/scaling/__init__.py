"""The `scaling` directive: what a budget buys, by four rules for the best size.

    ```{scaling}
    ```

A budget in FLOPs, dollars or hours of a chip gives size, tokens and loss, and what the run takes, as ranges;
a slider trains a smaller model for longer. Published runs are points of the same figure. The rules are here,
the formulas are those of fmkit.scaling and fmkit.footprint, and chips and grids are in assets/footprint/.
Without a script, and on paper, there is a table of the published runs and of what each rule calls for.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from bookkit.widgets.calculator import FACTORS, MFU, RUNS, facts, read
from fmkit.footprint import training_flops
from fmkit.scaling import EPOCH, HOFFMANN, ScalingLaw

PF_DAY = 1e15 * 86_400  # FLOPs of a machine of 10^15 FLOP/s in a day
SHOWN = ("GPT-3", "Llama 2 7B", "Llama 3.1 8B", "Llama 3.1 70B", "Llama 3.1 405B")
CHINCHILLA = {"name": "Chinchilla", "parameters": 70.0e9, "tokens": 1.4e12}  # Hoffmann et al. 2022
START = 1e23  # FLOPs


@dataclass(frozen=True)
class Rule:
    """A rule for the best size: `factor` times the budget in FLOPs to the `power`."""

    name: str
    label: str  # in the figure
    factor: float
    power: float

    def parameters(self, flops: float) -> float:
        return self.factor * flops**self.power

    def ratio(self, flops: float) -> float:
        """Tokens per parameter."""
        return flops / 6 / self.parameters(flops) ** 2


def of_law(name: str, label: str, law: ScalingLaw) -> Rule:
    """The rule that follows from a law (Hoffmann et al. 2022, equation 4)."""
    return Rule(name, label, law.compute_optimal(1)[0], law.beta / (law.alpha + law.beta))


RULES = (
    Rule("20 : 1 (Hoffmann 2022)", "20 : 1", 120**-0.5, 0.5),
    of_law("law, fitted again (Epoch 2024)", "Epoch", EPOCH),
    of_law("law, as printed (Hoffmann 2022)", "printed", HOFFMANN),
    Rule("power 0.73 (Kaplan 2020)", "Kaplan", 1.3e9 / PF_DAY**0.73, 0.73),  # appendix A: without embeddings
)


class Scaling(PageWidget):
    """A budget and a rule, what they buy, and a figure with the published runs."""

    widget = "scaling"

    def values(self) -> dict[str, Any]:
        texts = {file: self.source(file).read_text(encoding="utf-8") for file in (RUNS, FACTORS)}
        runs, factors = read(texts[RUNS], texts[FACTORS])
        known = facts(runs, factors)
        points = published(runs)
        return {
            "facts": json.dumps(
                {name: known[name] for name in ("chips", "grids")}
                | {"pue": factors["sites"][0]["pue"], "server": known["constants"]["server"]}
                | {"rules": [asdict(rule) for rule in RULES], "law": asdict(EPOCH)}
                | {"points": points, "start": START, "mfu": MFU}
            ),
            "rules": RULES,
            "rows": [row(point) for point in points],
        }


def published(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs of the figure: name, parameters and tokens."""
    chosen = [run for run in runs if run["name"] in SHOWN]
    return [CHINCHILLA, *({name: run[name] for name in CHINCHILLA} for run in chosen)]


def row(point: dict[str, Any]) -> dict[str, str]:
    """A published run in the table, and the tokens per parameter that each rule calls for at its FLOPs."""
    parameters, tokens = point["parameters"], point["tokens"]
    flops = training_flops(parameters, tokens)
    return {
        "run": point["name"],
        "parameters": f"{parameters / 1e9:g}",
        "tokens": f"{tokens / 1e12:g}",
        "flops": f"{flops / 1e21:,.0f}",
        "ratio": short(tokens / parameters),
    } | {rule.label: short(rule.ratio(flops)) for rule in RULES}


def short(number: float) -> str:
    """Two digits, or whole numbers from 10."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def setup(app: Sphinx) -> None:
    app.add_directive("scaling", Scaling)
