"""A model's card: every figure in it comes from the run's own files.

The head is in the format of the Hugging Face Hub (huggingface_hub.ModelCardData), so that the Hub and other
readers find license, results and emissions where they look for them.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from bookkit.zoo.plans import Plan
from fmkit.config import ModelConfig
from fmkit.flops import num_parameters
from fmkit.footprint import GRID, PUE, Usage
from fmkit.world.domains import DOMAINS

CORPORA = {
    "--corpus": "corpus",
    "--data": "corpus",
    "--replay": "replay",
}  # option, key of its hash in run.json

NAMES = {
    "loss": "loss, nats per token",
    "floor": "the least that any model could reach on average",
    "above_floor": "loss above it",
    "perplexity": "perplexity",
    "bits_per_byte": "bits per byte",
    "true_stories": "share that is true from beginning to end",
    "possible_notes": "share of notes of its own that are possible in its world",
    "named_conditions": "conditions named rightly, from what a note says before",
    "accuracy": "accuracy",
    "f1": "F1, macro",
    "exact_match": "likeliest answers equal to the one in the data",
    "valid_answers": "likeliest answers that are right",
    "counted_reward": "reward, as a reader who counts words gives it",
    "true_reward": "reward, as it truly is",
    "broken": "share that is no story any more",
    "counted_win_rate": "win rate over the model before, by the reward as counted",
    "win_rate": "win rate over the model before, by true reward",
    "kl": "KL from the model before, nats an answer",
    "reward_accuracy": "pairs ranked as the judge did",
    "margin": "mean difference of implicit rewards",
    "validation_loss": "validation loss of the run",
    "replay_loss": "validation loss on what was learned before",
}


def card(plan: Plan, directory: Path, record: dict[str, Any], earlier: dict[str, Any] | None) -> str:
    """The README.md of a model: from its plan, its files, its record, and the record of the model before."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    used = _total(record)
    whole = used + _total(earlier) if earlier else used
    parts = [
        f"---\n{_head(plan, record, whole)}\n---",
        f"# {plan.name}",
        plan.purpose.strip(),
        "One of the small models of the book *Training Foundation Models*, made to be studied: it knows one "
        "invented world and nothing else. Every figure below was written by the program that made it.",
        "## What it is for",
        plan.use.strip(),
        "## The model",
        _model(config, directory),
        "## How it was made",
        "In an empty directory beside the models named in them, these commands make it again (the same "
        "figures on the same processor, nearly the same on another):",
        "```sh\n" + "\n".join(record["commands"]) + "\n```",
        _runs(record["runs"]),
        f"Seed {_seeds(record['runs'])}; torch {record['torch']}; {record['machine']}; {record['date']}; "
        f"commit {record['commit']}.",
        "## Data",
        "\n".join(_sources(record["runs"])),
        "## How good it is",
        _results(plan, record),
        _notes(record["runs"][-1]),
        "## Time, energy, carbon",
        _footprint(record["command_cpu_seconds"], used, whole, plan.base),
        "## Limits and risks",
        plan.limits.strip(),
        "It was trained on text that a grammar wrote, so nothing it says is about real people, companies, "
        "goods or treatments, and nobody should act on it. It reads English in the few patterns of that "
        "grammar; on other text its output means nothing. It was not examined for bias, such as what it "
        "expects of boys and of girls.",
        "## License",
        "MIT, as the code of the book. The training data was written by the same package.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(plan: Plan, record: dict[str, Any], whole: Usage) -> str:
    is_classifier = any(result["name"] == "f1" for result in record["results"])
    task = "text-classification" if is_classifier else "text-generation"
    results = [
        EvalResult(task, result["measure"], result["on"], result["name"], result["value"])
        for result in record["results"]
    ]
    data = ModelCardData(
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
    return str(data.to_yaml())


def _model(config: dict[str, Any], directory: Path) -> str:
    size = ModelConfig.from_hugging_face(config)
    megabytes = (directory / "model.safetensors").stat().st_size / 1e6
    heads = f"{size.num_attention_heads} heads"
    return (
        f"A Llama-style decoder, as `{config['architectures'][0]}` opens it in transformers: "
        f"{num_parameters(size):,} parameters, {num_parameters(size, embeddings=False):,} of them without "
        f"embeddings ({size.num_hidden_layers} layers of width {size.hidden_size}, {heads}, a vocabulary of "
        f"{size.vocab_size:,} tokens, a context of {size.max_position_embeddings}); {megabytes:.1f} MB in "
        "float32."
    )


def _runs(runs: list[dict[str, Any]]) -> str:
    rows = []
    for run in runs:
        out = _option(run["command"], "--out")
        usage = Usage.read(run["usage"])
        rows.append(
            (out, f"{run['steps']:,}", f"{run['tokens']:,}", run["summary"], f"{usage.cpu_seconds:.0f}")
        )
    table = _table(("run", "steps", "tokens seen", "what it says of itself", "CPU seconds"), rows)
    if any(run["settings"].get("soft_weight") == 1 for run in runs):
        table += "\n\nThe loss is the divergence from the teacher, the validation loss that of the text."
    return table


def _sources(runs: list[dict[str, Any]]) -> list[str]:
    """Each corpus once, with what it is and, where the run knows it, the hash of what was read."""
    lines: dict[str, str] = {}
    for run in runs:
        for option, key in CORPORA.items():
            name, settings = _option(run["command"], option), run["settings"]
            if name and name not in lines:
                digest = settings.get("preferences", settings.get(key))
                lines[name] = f"- **{name}**: {_about(name, lines)} SHA-256 of what was read: `{digest}`."
    return list(lines.values())


def _about(name: str, told: Iterable[str]) -> str:
    corpus = Path(name).stem  # a file that a command wrote is named after its corpus
    if corpus in told:
        return f"the file that a command above wrote from {corpus}."
    return f"{DOMAINS[corpus].about} Its data card: `fmkit.world.domains.data_card({corpus!r})`."


def _results(plan: Plan, record: dict[str, Any]) -> str:
    head = ("on", "measure", plan.name) + ((plan.beside,) if plan.beside else ())
    rows = [
        (result["on"], NAMES[result["name"]], _number(result["value"]))
        + ((_number(result["beside"]),) if plan.beside else ())
        for result in record["results"]
    ]
    return _table(head, rows)


def _notes(run: dict[str, Any]) -> str:
    """What the last run measured on its own validation data, at its end."""
    told = ", ".join(f"{NAMES[name]} {_number(value)}" for name, value in run["measured"].items())
    return f"At its end, the last run itself recorded: {told}."


def _footprint(command_seconds: float, used: Usage, whole: Usage, base: str | None) -> str:
    lines = [
        f"The training took {_cost(used)}. With starting, and reading and writing data, the commands took "
        f"{command_seconds:.0f} CPU seconds; energy and carbon are of the training."
    ]
    if base:
        lines.append(f"Together with that of {base}: {_cost(whole)}.")
    lines.append(
        f"How the energy was obtained: {'; '.join(whole.obtained)}. Carbon is energy times PUE times the "
        f"grid's intensity, here from {PUE[0]:g} and {GRID[0]:g} to {PUE[1]:g} and {GRID[1]:g} kg CO2e per "
        "kWh (`fmkit.footprint` names the sources); making the machine, and the runs that were tried before "
        "these settings were chosen, are not in it."
    )
    return " ".join(lines)


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


def _seeds(runs: list[dict[str, Any]]) -> str:
    return ", ".join(sorted({str(run["settings"]["training"]["seed"]) for run in runs}))


def _option(command: str, option: str) -> str:
    words = command.split()
    return words[words.index(option) + 1] if option in words else ""


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))
