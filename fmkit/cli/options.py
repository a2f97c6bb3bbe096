"""What the commands share: options, and what is made of them."""

import argparse
import difflib
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmkit.config import TrainConfig
from fmkit.errors import FmkitError

if TYPE_CHECKING:
    from fmkit.run import TrainingRun

Options = argparse.Namespace
Command = argparse.ArgumentParser
Columns = tuple[tuple[str, ...], ...]  # each of them one kind of example

QUESTIONS: Columns = (("prompt", "completion"), ("messages",))
TASKS: Columns = (*QUESTIONS, ("text", "label"))
PREFERENCES: Columns = (("prompt", "chosen", "rejected"),)
OWN = {"support": QUESTIONS[0], "reviews": TASKS[-1], "preferences": PREFERENCES[0]}  # of the book


EXAMPLES = {
    "pretrain": "fmkit pretrain --corpus stories --steps 600 --out my-model",
    "continue": "fmkit continue my-model --corpus medical --replay stories --out doctor",
    "finetune": "fmkit finetune my-model --data support --lora-r 8 --out assistant",
    "distill": "fmkit distill my-model --corpus stories --hidden-size 32 --out student",
    "reward": "fmkit reward my-model --data preferences --out judge",
    "align": "fmkit align my-model --data preferences --beta 0.5 --out aligned",
    "generate": 'fmkit generate my-model --prompt "Once upon a time" --temperature 0.8',
    "write": "fmkit write assistant --prompts questions.jsonl --out answers.jsonl",
    "chat": "fmkit chat assistant",
    "evaluate": "fmkit evaluate my-model --corpus stories --stories 100",
    "check": "fmkit check answers.jsonl --format conversation",
}


def new_command(commands: Any, name: str, help: str, function: Callable[[Options], None]) -> Command:
    description, example = f"{help[0].upper()}{help[1:]}.", f"For example: {EXAMPLES[name]}"
    command: Command = commands.add_parser(
        name, help=help, description=description, epilog=example, allow_abbrev=False
    )
    command.set_defaults(function=function)
    return command


def filled(text: str) -> str:
    if not text:  # a variable of the shell that is not set; it would be the current directory
        raise argparse.ArgumentTypeError("empty: name a file or directory")
    return text


# --- models -----------------------------------------------------------------------------------------------


def add_model(command: Command) -> None:
    command.add_argument(
        "model", type=filled, metavar="DIR", help="a directory that one of these commands wrote"
    )


def open_with(opener: Any, directory: str) -> Any:
    """The model of a directory and its tokenizer; `opener` is its class, or a function that finds it."""
    from fmkit import load_tokenizer

    model = getattr(opener, "from_pretrained", opener)(directory)
    return model, model.tokenizer or load_tokenizer(directory)


def add_lora(command: Command) -> None:
    lora = command.add_argument_group("low-rank adaptation")
    lora.add_argument(
        "--lora-r",
        type=int,
        metavar="INT",
        help="train adapters of this rank alone, which OUT/adapter has in peft's format",
    )
    lora.add_argument("--lora-alpha", type=float, metavar="FLOAT", help="scale (twice the rank)")
    lora.add_argument("--target-modules", nargs="+", metavar="NAME", help="matrices that are adapted (all)")
    lora.add_argument(
        "--modules-to-save",
        nargs="+",
        metavar="NAME",
        default=[],
        help="trained in full: embed_tokens, lm_head (what new tokens need is added)",
    )


def require_rank(options: Options) -> None:
    adapted = options.lora_alpha is not None or options.target_modules or options.modules_to_save
    if options.lora_r is None and adapted:
        raise FmkitError("adapters need a rank: give --lora-r")


def adapt(model: Any, options: Options) -> None:
    """Put adapters on the model where a rank was given."""
    if options.lora_r is None:
        return
    from fmkit import LoraConfig, add_lora

    alpha = 2 * options.lora_r if options.lora_alpha is None else options.lora_alpha
    targets = {"target_modules": options.target_modules} if options.target_modules else {}
    saved = tuple(options.modules_to_save)
    add_lora(model, LoraConfig(options.lora_r, alpha, modules_to_save=saved, **targets), options.seed)


# --- data -------------------------------------------------------------------------------------------------


def add_corpus(command: Command, required: bool = True, trains: bool = True) -> None:
    command.add_argument(
        "--corpus",
        type=filled,
        required=required,
        metavar="NAME|PATH|HUB-ID",
        help="stories, medical or another dialect (medical:3: in another world), python-docs, a file or "
        "folder of text, or a data set of the Hub",
    )
    command.add_argument("--text-column", default="text", help="the column that holds the text (text)")
    if trains:
        command.add_argument("--streaming", action="store_true", help="read while training, hold nothing")
    else:
        command.set_defaults(streaming=False)


def read_corpus(options: Options, name: str | None = None) -> Any:
    """The texts of a corpus; whatever columns it has besides, it is read as text."""
    from fmkit import load_corpus

    corpus = load_corpus(name or options.corpus, text_column=options.text_column, streaming=options.streaming)
    return corpus.select_columns("text")


def add_data(command: Command, kinds: Columns, required: bool = True) -> None:
    own = ", ".join(name for name, columns in OWN.items() if columns in kinds)
    command.add_argument(
        "--data",
        type=filled,
        required=required,
        metavar="NAME|PATH",
        help=f"{own}, or a file or folder of examples (JSONL, JSON, CSV, parquet), with {_describe(kinds)}",
    )


def read_data(options: Options, kinds: Columns) -> Any:
    """Examples of one of the `kinds`, by the name of a data set of the book or from files."""
    from fmkit import load_examples

    name = options.data
    data = named_data("--data", name) or load_examples(name)
    columns = data["train"].column_names
    if not any(set(kind) <= set(columns) for kind in kinds):
        raise FmkitError(f"--data {name}: it holds {', '.join(columns)}; give data with {_describe(kinds)}")
    return data


def named_data(option: str, name: str) -> Any:
    """A data set of the book, or None where the name is that of a file or folder."""
    from fmkit.data.corpora import NAMES, find_own, load_corpus

    if find_own(name):
        return load_corpus(name)
    close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
    if close and not Path(name).exists():
        raise FmkitError(f"{option} {name}: no file or folder, no data set; did you mean {close[0]!r}?")
    return None


def _describe(kinds: Columns) -> str:
    return "the columns " + "; or ".join(", ".join(columns) for columns in kinds)


# --- runs -------------------------------------------------------------------------------------------------


def add_run(command: Command, defaults: dict[str, Any] | None = None) -> None:
    """Where a run goes, and how it is trained."""
    command.add_argument(
        "--out",
        type=filled,
        required=True,
        metavar="DIR",
        help="where metrics, checkpoints and the model go; transformers opens it",
    )
    command.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    add_fields(command.add_argument_group("training"), TrainConfig, defaults)


def placed(options: Options) -> dict[str, Any]:
    """Where a recipe writes its run, and whether it continues one, as its keywords."""
    return {"output_dir": options.out, "resume": options.resume}


def report(run: "TrainingRun", options: Options, model: Any) -> None:
    """Say how a run ended; its adapter, if it has one, is written beside the model it was merged into."""
    if run.interrupted:
        print(f"stopped after step {run.history[-1]['step']}: go on with --resume")
        return
    from fmkit.lora import find_lora, save_adapter

    if find_lora(model):
        save_adapter(model, Path(options.out) / "adapter", base=options.model)
    print(f"{run.summary}; the model is in {options.out}")


def add_fields(group: argparse._ArgumentGroup, config: type, defaults: dict[str, Any] | None = None) -> None:
    """An option for each field that has a default, its own or one of `defaults`."""
    for field in fields(config):
        if field.default is MISSING:
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


def configured(config: type, options: Options) -> Any:
    """A configuration from the options of its fields."""
    return config(**{field.name: getattr(options, field.name) for field in fields(config)})


# --- writing ----------------------------------------------------------------------------------------------


def add_sampling(
    command: Command, temperature: float | None, shown: str = "", length: int | None = 100
) -> None:
    limit = "the context" if length is None else length
    command.add_argument("--max-new-tokens", type=int, default=length, help=f"length at most ({limit})")
    command.add_argument(
        "--temperature",
        type=float,
        default=temperature,
        help=f"0 takes the likeliest token, 1 samples as trained ({shown or temperature})",
    )
    command.add_argument("--seed", type=int, help="the same seed gives the same text")
