"""What the commands share: options, and what is made of them."""

import argparse
import difflib
import typing
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmkit.cli.registry import Option, Options
from fmkit.config import TrainConfig, choose_device
from fmkit.errors import FmkitError
from fmkit.processes import count_processes

if TYPE_CHECKING:
    from fmkit.run import TrainingRun

Parser = argparse.ArgumentParser


def option(*names: str, **how: Any) -> Option:
    """An option as `argparse` describes it."""

    def add(command: Parser) -> None:
        command.add_argument(*names, **how)

    return add


def filled(text: str) -> str:
    """The type of an option that must not be empty."""
    if not text:  # an unset variable of the shell; as a path, it would be the current directory
        raise argparse.ArgumentTypeError("empty: name a file or directory")
    return text


# --- models -----------------------------------------------------------------------------------------------


model_directory = option(
    "model",
    type=filled,
    metavar="DIR|HUB-ID",
    help="a directory that one of these commands wrote, or a model on the Hub",
)


device = option("--device", metavar="STR", help=TrainConfig.__dataclass_fields__["device"].metadata["help"])


def open_with(opener: Any, directory: str) -> Any:
    """Open the model of a directory and its tokenizer; `opener` is its class, or a function that finds it."""
    from fmkit import load_tokenizer

    model = getattr(opener, "from_pretrained", opener)(directory)
    return model, model.tokenizer or load_tokenizer(directory)


def open_to_use(opener: Any, options: Options) -> Any:
    """Open the model of the options as `open_with` does, on their device, and its tokenizer."""
    place = choose_device(options.device)  # refused before anything is read
    model, tokenizer = open_with(opener, options.model)
    return model.to(place), tokenizer


def lora(command: Parser) -> None:
    """The options of adapters."""
    group = command.add_argument_group("low-rank adaptation")
    group.add_argument(
        "--lora-r",
        type=int,
        metavar="INT",
        help="train adapters of this rank alone, which OUT/adapter has in peft's format",
    )
    group.add_argument("--lora-alpha", type=float, metavar="FLOAT", help="scale (twice the rank)")
    group.add_argument("--target-modules", nargs="+", metavar="NAME", help="matrices that are adapted (all)")
    group.add_argument(
        "--modules-to-save",
        nargs="+",
        metavar="NAME",
        default=[],
        help="trained in full: embed_tokens, lm_head (what new tokens need is added)",
    )


def require_rank(options: Options) -> None:
    """Raise `FmkitError` for options of adapters without a rank."""
    adapted = options.lora_alpha is not None or options.target_modules or options.modules_to_save
    if options.lora_r is None and adapted:
        raise FmkitError("adapters need a rank: give --lora-r")


def adapt(model: Any, options: Options) -> None:
    """Put adapters on the model if a rank was given."""
    if options.lora_r is None:
        return
    from fmkit import LoraConfig, add_lora

    alpha = 2 * options.lora_r if options.lora_alpha is None else options.lora_alpha
    targets = {"target_modules": options.target_modules} if options.target_modules else {}
    saved = tuple(options.modules_to_save)
    add_lora(model, LoraConfig(options.lora_r, alpha, modules_to_save=saved, **targets), options.seed)


# --- data -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of example: its columns, and the book's data set of this kind, if there is one."""

    columns: tuple[str, ...]
    example: str = ""


QUESTIONS = (Kind(("prompt", "completion"), "support"), Kind(("messages",)))
TASKS = (*QUESTIONS, Kind(("text", "label"), "reviews"))
PREFERENCES = (Kind(("prompt", "chosen", "rejected"), "preferences"),)


def corpus(required: bool = True, trains: bool = True) -> Option:
    """The options that name a corpus; it can be streamed if it is trained on."""

    def add(command: Parser) -> None:
        command.add_argument(
            "--corpus",
            type=filled,
            required=required,
            metavar="NAME|PATH|HUB-ID",
            help="stories, medical or another domain (medical:3: in another world), python-docs, a file or "
            "folder of text, or a data set on the Hub",
        )
        command.add_argument("--text-column", default="text", help="the column that holds the text (text)")
        if trains:
            command.add_argument("--streaming", action="store_true", help="stream it; keep nothing in memory")
        else:
            command.set_defaults(streaming=False)

    return add


def read_corpus(options: Options, name: str | None = None) -> Any:
    """Load the texts of a corpus; other columns that it may have are left out."""
    from fmkit import load_corpus

    corpus = load_corpus(name or options.corpus, text_column=options.text_column, streaming=options.streaming)
    return corpus.select_columns("text")


def data(kinds: tuple[Kind, ...], required: bool = True) -> Option:
    """The option that names examples of one of the `kinds`."""
    known = ", ".join(kind.example for kind in kinds if kind.example)
    return option(
        "--data",
        type=filled,
        required=required,
        metavar="NAME|PATH",
        help=f"{known}, or a file or folder of examples (JSONL, JSON, CSV, parquet), with {_describe(kinds)}",
    )


def read_data(options: Options, kinds: tuple[Kind, ...], measured: str = "") -> Any:
    """Load examples of one of the `kinds`, by the name of a data set of the book or from files.

    To be `measured` on a split, nothing need be held out; see `fmkit.data.examples.load_to_measure`.
    """
    from fmkit.data.examples import load_examples, load_to_measure

    name = options.data
    data = named_data("--data", name)
    data = data or (load_to_measure(name, measured) if measured else load_examples(name))
    columns = next(iter(data.values())).column_names
    if not any(set(kind.columns) <= set(columns) for kind in kinds):
        raise FmkitError(f"--data {name}: it holds {', '.join(columns)}; give data with {_describe(kinds)}")
    return data


prompts = option(
    "--data",
    type=filled,
    required=True,
    metavar="NAME|PATH",
    help="preferences, support, or a file or folder of prompts, with answers or without",
)


def read_prompts(options: Options) -> Any:
    """Load the data that prompts are taken from, by the name of a data set of the book or from files."""
    from fmkit.data.examples import load_prompt_splits

    return named_data("--data", options.data) or load_prompt_splits(options.data)


def named_data(option: str, name: str) -> Any:
    """Load a data set of the book; None if the name is that of a file or folder."""
    from fmkit.data.corpora import NAMES, find_own, load_corpus

    if find_own(name):
        return load_corpus(name)
    close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
    if close and not Path(name).exists():
        raise FmkitError(f"{option} {name}: no file or folder, no data set; did you mean {close[0]!r}?")
    return None


def _describe(kinds: tuple[Kind, ...]) -> str:
    return "the columns " + "; or ".join(", ".join(kind.columns) for kind in kinds)


# --- runs -------------------------------------------------------------------------------------------------


def run(defaults: dict[str, Any] | None = None) -> Option:
    """The options of a training run: where it is written, and the fields of `TrainConfig`."""

    def add(command: Parser) -> None:
        command.add_argument(
            "--out",
            type=filled,
            required=True,
            metavar="DIR",
            help="where metrics, checkpoints and the model go; transformers opens it",
        )
        command.add_argument(
            "--resume",
            action="store_true",
            help="continue where the run in --out stopped, to more --steps if the schedule allows it",
        )
        config_fields("training", TrainConfig, defaults)(command)

    return add


def run_config(options: Options) -> TrainConfig:
    """Make the configuration of a run. Raises `FmkitError` where processes aren't connected."""
    count_processes()
    config: TrainConfig = configured(TrainConfig, options)
    return config


def placed(options: Options) -> dict[str, Any]:
    """Where a recipe writes its run, and whether it continues one, as its keywords."""
    return {"output_dir": options.out, "resume": options.resume}


def report(run: "TrainingRun", options: Options, model: Any) -> None:
    """Say how a run ended; its adapter, if it has one, is saved in the model's directory, too."""
    from fmkit.parallel import rank

    if rank() > 0:
        return
    if run.interrupted:
        print(f"stopped after step {run.history[-1]['step']}: go on with --resume")
        return
    from fmkit.lora import find_lora, save_adapter

    if find_lora(model):
        save_adapter(model, Path(options.out) / "adapter", base=options.model)
    print(f"{run.summary}; the model is in {options.out}")


def config_fields(title: str, config: type, defaults: dict[str, Any] | None = None) -> Option:
    """An option for each field with a default, its own or one of `defaults`, and a help."""

    def add(command: Parser) -> None:
        group = command.add_argument_group(title)
        for field in fields(config):
            if field.default is MISSING or not field.metadata:
                continue
            kinds = [kind for kind in typing.get_args(field.type) if kind is not type(None)] or [field.type]
            default = (defaults or {}).get(field.name, field.default)
            shown = "" if default is None else f" ({default})"
            how: dict[str, Any] = {"default": default, "help": field.metadata["help"] + shown}
            if kinds[0] is bool:
                how["action"] = argparse.BooleanOptionalAction
            else:
                how |= {"type": kinds[0], "choices": field.metadata["choices"]}
                how["metavar"] = None if how["choices"] else getattr(kinds[0], "__name__", "").upper()
            group.add_argument("--" + field.name.replace("_", "-"), **how)

    return add


def configured(config: type, options: Options) -> Any:
    """Make a configuration from the options of its fields."""
    names = [field.name for field in fields(config)]
    return config(**{name: getattr(options, name) for name in names if hasattr(options, name)})


# --- writing ----------------------------------------------------------------------------------------------


def sampling(temperature: float | None, shown: str = "", length: int | None = 100) -> Option:
    """The options of generated text; `shown` is the default temperature in words."""

    def add(command: Parser) -> None:
        limit = "the context" if length is None else length
        command.add_argument("--max-new-tokens", type=int, default=length, help=f"maximum length ({limit})")
        command.add_argument(
            "--temperature",
            type=float,
            default=temperature,
            help=f"0 takes the likeliest token, 1 samples as trained ({shown or temperature})",
        )
        command.add_argument("--seed", type=int, help="the same seed gives the same text")

    return add
