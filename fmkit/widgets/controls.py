"""The controls of a recipe: its settings, the values that each offers, and the code of what was chosen."""

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from fmkit.config import ALIGN, CONTINUE, FINETUNE, GRPO, Derived, TrainConfig
from fmkit.errors import FmkitError
from fmkit.lora import LoraConfig, add_lora, find_lora
from fmkit.model import Model
from fmkit.run import TrainingRun

Settings = dict[str, Any]  # what is chosen, by the names of the controls

# What a recipe that begins with a trained model trains by when nothing is said; it takes adapters, too.
ADAPTING = {
    "continue_pretrain": CONTINUE,
    "finetune": FINETUNE,
    "train_reward": FINETUNE,
    "align": ALIGN,
    "grpo": GRPO,
}
FIRST = ("learning_rate", "batch_size", "steps")
SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
SHARES = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0]
RATES = [0.8, 0.9, 0.95, 0.98, 0.99, 0.999]
# The values that a control offers, beside the one that it starts with; None leaves it to fmkit.
VALUES: dict[str, list[Any]] = {
    "learning_rate": [float(f"{d}e{e}") for e in (-5, -4, -3, -2) for d in (1, 2, 3, 5)],
    "batch_size": SIZES,
    "steps": [10, 20, 50, 100, 200, 400, 600, 1000, 2000, 5000, 10_000],
    "gradient_accumulation_steps": [1, 2, 4, 8, 16],
    "context_length": [None, 32, 64, 128, 256, 512, 1024],
    "lr_scheduler_type": ["cosine", "warmup_stable_decay"],
    "warmup_steps": [None, 0, 5, 10, 20, 50, 100, 200, 500],
    "min_lr_ratio": SHARES,
    "decay_ratio": SHARES,
    "weight_decay": [0.0, 0.01, 0.03, 0.1, 0.3, 1.0],
    "adam_beta1": RATES,
    "adam_beta2": RATES,
    "max_grad_norm": [0.1, 0.3, 0.5, 1.0, 2.0, 5.0, 100.0],
    "eval_every": [None, 1, 5, 10, 20, 50, 100, 500],
    "eval_rows": [16, 32, 64, 128, 256, 512],
    "seed": [0, 1, 2, 3, 4],
    "lora_r": [0, 1, 2, 4, 8, 16, 32, 64],
    "beta": [0.0, 0.01, 0.02, 0.04, 0.1, 0.2, 0.5, 1.0],
    "temperature": [0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0],
    "soft_weight": SHARES,
    "replay_share": SHARES[:-1],
    "num_generations": [2, 4, 8, 16, 32],
    "max_new_tokens": [10, 20, 50, 100, 200],
}
ELSEWHERE = {"output_dir", "resume", "callbacks"}  # keywords of recipes that are no settings here
HELP = {"lora_r": "rank of the adapters that are trained; 0: all weights are"}


class Controls:
    """The settings of a recipe that a reader may choose, and what a choice means.

    `given` are keywords of the recipe: a number or a switch is where its control starts, anything else, as a
    teacher or a reward, is passed on in every run. Raises `FmkitError` for what is no setting of the recipe.
    """

    def __init__(
        self, recipe: Callable[..., TrainingRun], model: Model, config: TrainConfig | None, given: Settings
    ) -> None:
        self.name = recipe.__name__
        self.base = config or TrainConfig(**ADAPTING.get(self.name, {}))
        parameters = inspect.signature(recipe).parameters.values()
        keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        adapts = self.name in ADAPTING and not find_lora(model)
        choices: Settings = {"lora_r": 0} if adapts else {}
        choices |= {name: value for name, value in keywords.items() if isinstance(value, bool | int | float)}
        choices.pop("resume", None)
        for name in given:
            if name in ELSEWHERE or name not in keywords | choices:
                known = ", ".join(sorted((keywords | choices).keys() - ELSEWHERE)) or "none"
                raise FmkitError(f"{name!r} is not a setting of {self.name} here: choose from {known}")
        self.passed = {name: value for name, value in given.items() if name not in choices}
        self.defaults = choices
        missing = [name for name, value in keywords.items() if value is inspect.Parameter.empty]
        for name in missing:
            if name not in given:
                raise FmkitError(f"{self.name} needs {name}: give {name}=…")
        self.start = {name: given.get(name, value) for name, value in choices.items()}
        self.start = {**self._start_of_config(), **self.start}

    def _start_of_config(self) -> Settings:
        known = [f.name for f in fields(TrainConfig) if f.name in VALUES]
        values = {name: getattr(self.base, name) for name in (*FIRST, *known)}
        return {name: None if isinstance(value, Derived) else value for name, value in values.items()}

    def to_json(self) -> list[dict[str, Any]]:
        """Describe each control: name, help, group (main or more), and its values in order."""
        texts = HELP | {f.name: f.metadata["help"] for f in fields(TrainConfig)}
        main = (*FIRST, *self.defaults)
        return [
            {
                "name": name,
                "help": texts.get(name, ""),
                "group": "main" if name in main else "more",
                "values": self._values(name),
            }
            for name in sorted(self.start, key=lambda name: name not in main)
        ]

    def _values(self, name: str) -> list[Any]:
        value: Any = self.start[name]
        if isinstance(value, bool):
            return [False, True]
        values = VALUES.get(name) or [value / 4, value / 2, value, value * 2, value * 4]
        longer = values if value in values else [*values, value]
        return longer if isinstance(value, str) else sorted(longer, key=lambda v: -1 if v is None else v)

    # --- what a choice means ---

    def check(self, setting: Settings) -> None:
        """Raise `FmkitError` for a name that is no control's."""
        for name in setting:
            if name not in self.start:
                raise FmkitError(
                    f"{name!r} is not a setting of {self.name}: choose from {', '.join(self.start)}"
                )

    def config(self, setting: Settings) -> TrainConfig:
        names = {f.name for f in fields(TrainConfig)}
        return replace(self.base, **{name: value for name, value in setting.items() if name in names})

    def keywords(self, setting: Settings) -> Settings:
        """The recipe's own keywords."""
        chosen = {name: setting[name] for name in self.defaults if name != "lora_r"}
        return self.passed | chosen

    def adapt(self, model: Model, setting: Settings) -> None:
        if r := setting.get("lora_r", 0):
            add_lora(model, LoraConfig(r=r), setting["seed"])

    def code(self, setting: Settings) -> str:
        """The program that trains a model, tokenizer and data of these names by this setting."""
        config = self.config(setting)
        said = {f.name: getattr(config, f.name) for f in fields(config)}
        plain = {f.name: f.default for f in fields(config)}
        said = {
            name: value
            for name, value in said.items()
            if name in FIRST or (not isinstance(value, Derived) and value != plain[name])
        }
        chosen = {name: value for name, value in self.keywords(setting).items() if name not in self.passed}
        more = [f"{name}={name}" for name in self.passed]
        more += [f"{name}={value!r}" for name, value in chosen.items() if value != self.defaults[name]]
        settings = ", ".join(f"{name}={value!r}" for name, value in said.items())
        call = [f"config = TrainConfig({settings})"]
        call += [f"run = {self.name}({', '.join(['model', 'tokenizer', 'data', 'config', *more])})"]
        if not (r := setting.get("lora_r", 0)):
            return "\n".join([f"from fmkit import TrainConfig, {self.name}", "", *call])
        seed = f", seed={setting['seed']}" if setting["seed"] else ""
        adapted = f"add_lora(model, LoraConfig(r={r}){seed})"
        return "\n".join(
            [f"from fmkit import LoraConfig, TrainConfig, add_lora, {self.name}", "", adapted, *call]
        )
