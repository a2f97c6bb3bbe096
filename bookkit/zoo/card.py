"""A model's card, the README.md of its directory: every figure in it comes from the run's own files.

Its head is in the format of the Hugging Face Hub, so that the Hub and other readers find license, results and
emissions where they expect them; its text is card.md.jinja.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from bookkit.experiments.support_case import FILES
from bookkit.zoo.commands import Plan
from bookkit.zoo.measures import NAMES
from fmkit.config import ModelConfig
from fmkit.flops import num_parameters
from fmkit.footprint import GRID, PUE, Usage
from fmkit.world import DOMAINS
from fmkit.world.cases import ABOUT as CASES
from fmkit.world.readings import ABOUT as READINGS

TEMPLATE = Path(__file__).with_name("card.md.jinja")
CORPORA = {  # the option of a command, and the key of its hash in run.json
    "--corpus": "corpus",
    "--data": "corpus",
    "--replay": "replay",
}


def card(plan: Plan, directory: Path, record: dict[str, Any], earlier: dict[str, Any] | None) -> ModelCard:
    """The card of a model, from its plan, its files, its record, and the record of its base."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    size, runs = ModelConfig.from_hugging_face(config), record["runs"]
    used = _total(record)
    whole = used + _total(earlier) if earlier else used
    return ModelCard.from_template(
        _head(plan, record, whole, config["architectures"][0]),
        str(TEMPLATE),
        plan=plan,
        record=record,
        architecture=config["architectures"][0],
        size=size,
        parameters=num_parameters(size),
        body=num_parameters(size, embeddings=False),
        megabytes=(directory / "model.safetensors").stat().st_size / 1e6,
        runs=[
            {
                **run,
                "name": _option(run["command"], "--out"),
                "cpu_seconds": Usage.read(run["usage"]).cpu_seconds,
            }
            for run in runs
        ],
        distilled=any(run["settings"].get("soft_weight") == 1 for run in runs),
        seeds=", ".join(sorted({str(run["settings"]["training"]["seed"]) for run in runs})),
        sources=_sources(runs),
        figure=_figure,
        measures=NAMES,
        measured=", ".join(f"{NAMES[name]} {_figure(value)}" for name, value in runs[-1]["measured"].items()),
        used=_cost(used),
        whole=_cost(whole),
        obtained="; ".join(whole.obtained),
        pue=PUE,
        grid=GRID,
    )


def _head(plan: Plan, record: dict[str, Any], whole: Usage, architecture: str) -> ModelCardData:
    task = "text-classification" if "SequenceClassification" in architecture else "text-generation"
    results = [
        EvalResult(task, result["measure"], result["on"], result["name"], result["value"])
        for result in record["results"]
    ]
    return ModelCardData(
        model_name=plan.name,
        base_model=plan.base,
        language="en",
        license="mit",
        library_name="transformers",
        pipeline_tag=task,
        tags=["fmkit", "llama", "education"],
        eval_results=results,
        co2_eq_emissions={
            "emissions": float(f"{whole.carbon_grams[1]:.2g}"),
            "source": f"the upper end of a range; {'; '.join(whole.obtained)}",
            "hardware_used": record["machine"],
        },
    )


def _sources(runs: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Each corpus once: its name, what it is, and the hash of what was read."""
    sources: dict[str, dict[str, str]] = {}
    for run in runs:
        for option, key in CORPORA.items():
            name, settings = _option(run["command"], option), run["settings"]
            if name and name not in sources:
                digest = settings.get("preferences", settings.get(key))
                sources[name] = {"name": name, "about": _about(name, sources), "digest": digest}
    return list(sources.values())


def _about(name: str, earlier: Iterable[str]) -> str:
    corpus = Path(name).stem  # a file that a command wrote is named after its corpus
    if corpus in earlier:
        return f"the file that a command above wrote from {corpus}."
    if corpus in (others := {"readings": READINGS, "cases": CASES, **FILES}):
        return others[corpus].strip()
    return f"{DOMAINS[corpus].about} Its data card: `fmkit.world.data_card({corpus!r})`."


def _cost(usage: Usage) -> str:
    watt_hours = 1000 * usage.kwh[0], 1000 * usage.kwh[1]
    return (
        f"{usage.cpu_seconds:.0f} CPU seconds ({usage.wall_seconds:.0f} seconds by the clock, whatever else "
        f"ran), {_range(watt_hours)} Wh, {_range(usage.carbon_grams)} g CO2e"
    )


def _range(values: tuple[float, float]) -> str:
    low, high = (f"{value:.2g}" for value in values)
    return low if low == high else f"{low} to {high}"


def _total(record: dict[str, Any]) -> Usage:
    return sum((Usage.read(run["usage"]) for run in record["runs"]), start=Usage())


def _option(command: str, option: str) -> str:
    words = command.split()
    return words[words.index(option) + 1] if option in words else ""


def _figure(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
