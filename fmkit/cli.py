"""The command line: `fmkit pretrain`, `fmkit generate`.

Options are the fields of the configurations, by the same names. Whatever a person can put right ends in one
line on standard error and exit code 2.
"""

import argparse
import sys
import typing
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any, NoReturn

from fmkit.config import ModelConfig, TrainConfig
from fmkit.errors import FmkitError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FmkitError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    try:
        options = _parser().parse_args(arguments)
        options.command(options)
    except FmkitError as error:
        print(f"fmkit: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fmkit", description="Train transformers, small and large.", allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    pretrain = commands.add_parser(
        "pretrain", help="learn from raw text by predicting tokens", allow_abbrev=False
    )
    pretrain.set_defaults(command=_pretrain)
    pretrain.add_argument(
        "--corpus",
        required=True,
        metavar="NAME|PATH|HUB-ID",
        help="stories, python-docs, a file or folder of text, or a data set of the Hub",
    )
    pretrain.add_argument("--text-column", default="text", help="the column that holds the text (text)")
    pretrain.add_argument("--streaming", action="store_true", help="read while training, hold nothing")
    pretrain.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="where metrics, checkpoints and the model go; transformers opens it",
    )
    pretrain.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    pretrain.add_argument("--vocab-size", type=int, default=1024, help="tokens of the vocabulary (1024)")
    _add_fields(pretrain.add_argument_group("model"), ModelConfig)
    _add_fields(pretrain.add_argument_group("training"), TrainConfig)

    generate = commands.add_parser("generate", help="continue a text", allow_abbrev=False)
    generate.set_defaults(command=_generate)
    generate.add_argument("model", metavar="DIR", help="a directory that pretrain wrote")
    generate.add_argument("--prompt", default="", help="the text to continue (empty: from the start)")
    generate.add_argument("--max-new-tokens", type=int, default=100, help="length at most (100)")
    generate.add_argument(
        "--temperature",
        type=float,
        default=0.8,
        help="0 takes the likeliest token, 1 samples as trained (0.8)",
    )
    generate.add_argument("--top-k", type=int, help="sample among the k likeliest tokens")
    generate.add_argument("--top-p", type=float, help="sample among the likeliest that together reach p")
    generate.add_argument("--seed", type=int, help="the same seed gives the same text")
    return parser


def _add_fields(group: argparse._ArgumentGroup, config: type) -> None:
    """An option for each field that has a default."""
    for field in fields(config):
        if field.default is MISSING:
            continue
        kinds = [kind for kind in typing.get_args(field.type) if kind is not type(None)] or [field.type]
        shown = "" if field.default is None else f" ({field.default})"
        how: dict[str, Any] = {"default": field.default, "help": field.metadata["help"] + shown}
        if kinds[0] is bool:
            how["action"] = argparse.BooleanOptionalAction
        else:
            how |= {"type": kinds[0], "choices": field.metadata["choices"]}
            how["metavar"] = None if how["choices"] else getattr(kinds[0], "__name__", "").upper()
        group.add_argument("--" + field.name.replace("_", "-"), **how)


def _from_options(config: type, options: argparse.Namespace) -> Any:
    return config(**{field.name: getattr(options, field.name) for field in fields(config)})


def _pretrain(options: argparse.Namespace) -> None:
    model_config = _from_options(ModelConfig, options)
    train_config = _from_options(TrainConfig, options)

    from fmkit import Transformer, load_corpus, pretrain, train_tokenizer

    corpus = load_corpus(options.corpus, text_column=options.text_column, streaming=options.streaming)
    tokenizer = train_tokenizer(corpus["train"], model_config.vocab_size)
    model = Transformer(model_config, seed=train_config.seed)
    run = pretrain(model, tokenizer, corpus, train_config, options.out, options.resume)
    if run.interrupted:
        print(f"stopped after step {run.history[-1]['step']}: go on with --resume")
    else:
        print(f"{run.summary}; the model is in {options.out}")


def _generate(options: argparse.Namespace) -> None:
    from fmkit import Transformer, generate, load_tokenizer

    model = Transformer.from_pretrained(options.model)
    tokenizer = model.tokenizer or load_tokenizer(options.model)
    print(
        generate(
            model,
            tokenizer,
            options.prompt,
            options.max_new_tokens,
            options.temperature,
            options.top_k,
            options.top_p,
            options.seed,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
