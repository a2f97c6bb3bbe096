"""The command line: `fmkit pretrain`, `fmkit finetune`, `fmkit chat` and the others.

Options are the fields of the configurations, by the same names. Whatever a person can put right ends in one
line on standard error and exit code 2.
"""

import argparse
import difflib
import io
import os
import sys
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fmkit.config import ModelConfig, TrainConfig
from fmkit.defaults import ALIGN, CONTINUE, FINETUNE
from fmkit.errors import FmkitError

if TYPE_CHECKING:
    from fmkit.run import TrainingRun


Columns = tuple[tuple[str, ...], ...]  # each of them one kind of example
TASKS: Columns = (("prompt", "completion"), ("messages",), ("text", "label"))
PREFERENCES: Columns = (("prompt", "chosen", "rejected"),)


NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # what PyTorch says, by device


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FmkitError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a letter that the terminal does not have
    try:
        options, unknown = _parser().parse_known_args(arguments)
        if unknown:
            raise FmkitError(f"unknown arguments: {' '.join(unknown)} (see fmkit {options.name} --help)")
        options.command(options)
        print(end="", flush=True)
    except FmkitError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
        _discard_output()
    except OSError as error:  # one that has not been explained where it arose
        if error.filename is None:  # a disk that is full under the output
            _discard_output()
        return _fail(
            f"{error.filename or 'the output'}: {error.strerror or error}: check path and permissions"
        )
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
            raise
        return _fail("not enough memory: take a smaller batch, context or model")
    return 0


def _fail(message: str) -> int:
    print(f"fmkit: error: {message}", file=sys.stderr)
    return 2


def _discard_output() -> None:
    """So that Python does not try again at its end to write what was not written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fmkit", description="Train transformers, small and large.", allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="name")

    for add in (
        _add_pretrain,
        _add_continue,
        _add_finetune,
        _add_distill,
        _add_reward,
        _add_align,
        _add_generate,
        _add_chat,
        _add_evaluate,
        _add_check,
    ):
        add(commands)
    return parser


# --- ways of training -------------------------------------------------------------------------------------


def _add_pretrain(commands: Any) -> None:
    pretrain = _command(commands, "pretrain", "learn from raw text by predicting tokens", _pretrain)
    _add_corpus(pretrain)
    pretrain.add_argument("--vocab-size", type=int, default=1024, help="tokens of the vocabulary (1024)")
    _add_fields(pretrain.add_argument_group("model"), ModelConfig)
    _add_run(pretrain)


def _pretrain(options: argparse.Namespace) -> None:
    model_config = _from_options(ModelConfig, options)
    train_config = _from_options(TrainConfig, options)

    from fmkit import Transformer, pretrain, train_tokenizer

    corpus = _load_corpus(options)
    tokenizer = train_tokenizer(corpus["train"], model_config.vocab_size)
    model = Transformer(model_config, seed=train_config.seed)
    _report(pretrain(model, tokenizer, corpus, train_config, options.out, options.resume), options)


def _add_continue(commands: Any) -> None:
    more = _command(commands, "continue", "go on pre-training a model on a domain of its own", _continue)
    _add_model(more)
    _add_corpus(more)
    more.add_argument(
        "--replay", metavar="NAME|PATH|HUB-ID", help="what the model learned before, so that it is kept"
    )
    more.add_argument("--replay-share", type=float, help="share of its tokens (0.1)")
    _add_run(more, CONTINUE)


def _continue(options: argparse.Namespace) -> None:
    config = _from_options(TrainConfig, options)
    if options.replay_share is not None and not options.replay:
        raise FmkitError("nothing to replay: give --replay, too")

    from fmkit import Transformer, continue_pretrain, load_corpus

    model, tokenizer = _open(options.model, Transformer)
    replay = None
    if options.replay:
        replay = load_corpus(options.replay, text_column=options.text_column, streaming=options.streaming)
    corpus = _load_corpus(options)
    share = 0.1 if options.replay_share is None else options.replay_share
    run = continue_pretrain(model, tokenizer, corpus, config, replay, share, options.out, options.resume)
    _report(run, options)


def _add_finetune(commands: Any) -> None:
    finetune = _command(commands, "finetune", "learn a task from examples of it", _finetune)
    _add_model(finetune)
    _add_data(finetune, TASKS)
    finetune.add_argument(
        "--mask-prompt",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="read prompts, learn answers only (True)",
    )
    lora = finetune.add_argument_group("low-rank adaptation")
    lora.add_argument("--lora-r", type=int, metavar="INT", help="train adapters of this rank alone")
    lora.add_argument("--lora-alpha", type=float, metavar="FLOAT", help="scale (twice the rank)")
    lora.add_argument("--target-modules", nargs="+", metavar="NAME", help="matrices that are adapted (all)")
    lora.add_argument(
        "--modules-to-save",
        nargs="+",
        metavar="NAME",
        default=[],
        help="trained in full (embed_tokens where there are new tokens)",
    )
    _add_run(finetune, FINETUNE)


def _finetune(options: argparse.Namespace) -> None:
    config = _from_options(TrainConfig, options)
    adapted = options.lora_alpha is not None or options.target_modules or options.modules_to_save
    if options.lora_r is None and adapted:
        raise FmkitError("adapters need a rank: give --lora-r")

    from fmkit import Classifier, LoraConfig, Transformer, add_lora, finetune, save_adapter
    from fmkit.data.chat import add_chat_tokens
    from fmkit.data.tokenizer import has_chat_tokens

    data = _load_data(options, TASKS)
    columns, saved = data["train"].column_names, options.modules_to_save
    model: Any
    model, tokenizer = _open(options.model, Transformer)
    if "label" in columns:
        model = Classifier.from_base(model, data["train"].features["label"].names, seed=config.seed)
    elif "messages" in columns and not has_chat_tokens(tokenizer):
        tokenizer = add_chat_tokens(tokenizer)
        model.resize_vocab(tokenizer.get_vocab_size(), seed=config.seed)
        saved = saved or ["embed_tokens"]
    if options.lora_r is not None:
        alpha = 2 * options.lora_r if options.lora_alpha is None else options.lora_alpha
        targets = {"target_modules": options.target_modules} if options.target_modules else {}
        add_lora(model, LoraConfig(options.lora_r, alpha, modules_to_save=saved, **targets), config.seed)
    run = finetune(model, tokenizer, data, config, options.out, options.resume, options.mask_prompt)
    if options.lora_r is not None and not run.interrupted:
        save_adapter(model, Path(options.out) / "adapter", base=options.model)
    _report(run, options)


def _add_distill(commands: Any) -> None:
    distill = _command(commands, "distill", "train a small model on what a large one expects", _distill)
    distill.add_argument("teacher", type=_path, metavar="TEACHER", help="a directory that pretrain wrote")
    _add_corpus(distill)
    distill.add_argument("--temperature", type=float, default=2.0, help="softens both distributions (2.0)")
    distill.add_argument(
        "--soft-weight",
        type=float,
        default=0.5,
        help="the teacher's share of the loss (0.5)",
    )
    _add_fields(distill.add_argument_group("student"), ModelConfig)
    _add_run(distill)


def _distill(options: argparse.Namespace) -> None:
    config = _from_options(TrainConfig, options)

    from fmkit import Transformer, distill

    teacher, tokenizer = _open(options.teacher, Transformer)
    options.vocab_size = teacher.config.vocab_size
    student = Transformer(_from_options(ModelConfig, options), seed=config.seed)
    corpus, mix = _load_corpus(options), (options.temperature, options.soft_weight)
    _report(distill(student, teacher, tokenizer, corpus, config, *mix, options.out, options.resume), options)


def _add_reward(commands: Any) -> None:
    reward = _command(commands, "reward", "train a model that scores answers as people did", _reward)
    _add_model(reward)
    _add_data(reward, PREFERENCES)
    _add_run(reward, FINETUNE)


def _reward(options: argparse.Namespace) -> None:
    config = _from_options(TrainConfig, options)

    from fmkit import Classifier, Transformer, train_reward

    data = _load_data(options, PREFERENCES)
    base, tokenizer = _open(options.model, Transformer)
    model = Classifier.from_base(base, ["reward"], seed=config.seed)
    _report(train_reward(model, tokenizer, data, config, options.out, options.resume), options)


def _add_align(commands: Any) -> None:
    align = _command(commands, "align", "learn from preferences (DPO)", _align)
    _add_model(align)
    _add_data(align, PREFERENCES)
    align.add_argument("--beta", type=float, default=0.1, help="how strongly the model is held back (0.1)")
    _add_run(align, ALIGN)


def _align(options: argparse.Namespace) -> None:
    config = _from_options(TrainConfig, options)

    from fmkit import Transformer, align

    data = _load_data(options, PREFERENCES)
    model, tokenizer = _open(options.model, Transformer)
    _report(align(model, tokenizer, data, config, options.beta, options.out, options.resume), options)


# --- using and measuring a model --------------------------------------------------------------------------


def _add_generate(commands: Any) -> None:
    generate = _command(commands, "generate", "continue a text", _generate)
    _add_model(generate)
    generate.add_argument("--prompt", default="", help="the text to continue (empty: from the start)")
    _add_sampling(generate, temperature=0.8)
    generate.add_argument("--top-k", type=int, help="sample among the k likeliest tokens")
    generate.add_argument("--top-p", type=float, help="sample among the likeliest that together reach p")


def _generate(options: argparse.Namespace) -> None:
    from fmkit import Transformer, generate

    model, tokenizer = _open(options.model, Transformer)
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


def _add_chat(commands: Any) -> None:
    chat = _command(commands, "chat", "talk to a model that finetune taught to", _chat)
    _add_model(chat)
    chat.add_argument("--system", help="what the assistant is told before the conversation")
    _add_sampling(chat, temperature=0.0)


def _chat(options: argparse.Namespace) -> None:
    """One line of standard input is one message; the end of input ends the conversation."""
    from fmkit import Transformer
    from fmkit.data.chat import recent
    from fmkit.generation import reply

    model, tokenizer = _open(options.model, Transformer)
    context, most = model.config.max_position_embeddings, options.max_new_tokens
    messages: list[Any] = [{"role": "system", "content": options.system}] if options.system else []
    forgot = False
    while line := _read_message():
        if not line.strip():
            continue
        messages.append({"role": "user", "content": line.strip()})
        kept = recent(messages, tokenizer, context - min(most, context // 4))  # room for the answer
        if len(kept) < len(messages) and not forgot:
            forgot = True
            print(
                f"fmkit: the conversation fills the model's context of {context} tokens: from now on, its "
                "oldest messages are forgotten",
                file=sys.stderr,
            )
        answer = reply(model, tokenizer, kept, most, options.temperature, options.seed)
        messages = [*kept, {"role": "assistant", "content": answer}]
        print(answer, flush=True)


def _read_message() -> str:
    """A line of standard input with its end, or nothing at the end of all."""
    if sys.stdin is None:  # closed
        return ""
    if sys.stdin.isatty():
        print("you: ", end="", flush=True)
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError as error:
        raise FmkitError(f"standard input is not UTF-8 ({error.reason}): send text in UTF-8") from None


def _add_evaluate(commands: Any) -> None:
    evaluate = _command(commands, "evaluate", "measure a model on data", _evaluate)
    _add_model(evaluate)
    _add_corpus(evaluate, required=False)
    _add_data(evaluate, TASKS + PREFERENCES, required=False)
    evaluate.add_argument(
        "--split", default="validation", choices=("train", "validation", "all"), help="(validation)"
    )
    evaluate.add_argument(
        "--stories",
        type=int,
        metavar="N",
        help="have it tell N stories: the share that is true",
    )


def _evaluate(options: argparse.Namespace) -> None:
    if not (options.corpus or options.data or options.stories is not None):
        raise FmkitError("nothing to measure: give --corpus, --data or --stories")
    if options.stories is not None and options.stories < 1:
        raise FmkitError(f"--stories {options.stories}: have it tell at least one")

    from datasets import concatenate_datasets

    from fmkit import evaluate
    from fmkit.evaluation.evaluate import true_stories
    from fmkit.model import open_model

    model, tokenizer = _open(options.model, open_model)
    measured: dict[str, float] = {}
    for data in (
        options.corpus and _load_corpus(options),
        options.data and _load_data(options, TASKS + PREFERENCES),
    ):
        if data:
            splits = data.values() if options.split == "all" else [data[options.split]]
            measured |= evaluate(model, tokenizer, concatenate_datasets(list(splits)))
    if options.stories:
        measured["true_stories"] = true_stories(model, tokenizer, options.stories)
    for name, value in measured.items():
        print(f"{name} {value:.4g}")


def _add_check(commands: Any) -> None:
    check = _command(commands, "check", "find what is wrong with a file of examples", _check)
    check.add_argument(
        "file", type=_path, metavar="FILE", help="the file; for a service, one JSON record a line"
    )
    check.add_argument(
        "--format",
        metavar="NAME",
        help="the service that it is for; a wrong name lists those there are (default: none, but finetune, "
        "reward or align)",
    )


def _check(options: argparse.Namespace) -> None:
    if options.format is None:
        from fmkit.data.formats import load_examples

        load_examples(options.file)  # names the first fault
    else:
        _check_for_service(options.file, options.format)
    print(f"{options.file}: no fault")


def _check_for_service(file: str, format: str) -> None:
    from fmkit.data.bedrock import check

    most = 100
    faults = check(file, format, most)
    for fault in faults:
        print(fault)
    if faults:
        count = f"{len(faults)} fault{'s' * (len(faults) > 1)}"
        raise FmkitError(f"{file}: {count}{' or more' * (len(faults) == most)}")


# --- what commands share ----------------------------------------------------------------------------------


def _command(commands: Any, name: str, help: str, function: Callable[[argparse.Namespace], None]) -> _Parser:
    command: _Parser = commands.add_parser(name, help=help, allow_abbrev=False)
    command.set_defaults(command=function)
    return command


def _path(text: str) -> str:
    if not text:  # a variable of the shell that is not set; it would be the current directory
        raise argparse.ArgumentTypeError("empty: name a file or directory")
    return text


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model", type=_path, metavar="DIR", help="a directory that one of these commands wrote"
    )


def _add_corpus(command: argparse.ArgumentParser, required: bool = True) -> None:
    command.add_argument(
        "--corpus",
        type=_path,
        required=required,
        metavar="NAME|PATH|HUB-ID",
        help="stories, medical or another dialect, python-docs, a file or folder of text, or a data set of "
        "the Hub",
    )
    command.add_argument("--text-column", default="text", help="the column that holds the text (text)")
    if required:
        command.add_argument("--streaming", action="store_true", help="read while training, hold nothing")
    else:
        command.set_defaults(streaming=False)


def _load_corpus(options: argparse.Namespace) -> Any:
    from fmkit import load_corpus

    return load_corpus(options.corpus, text_column=options.text_column, streaming=options.streaming)


def _add_data(command: argparse.ArgumentParser, kinds: Columns, required: bool = True) -> None:
    command.add_argument(
        "--data",
        type=_path,
        required=required,
        metavar="NAME|PATH",
        help="reviews, support, preferences, or a file or folder of examples (JSONL, JSON, CSV, parquet), "
        f"with {_describe(kinds)}",
    )


def _describe(kinds: Columns) -> str:
    return "the columns " + "; or ".join(", ".join(columns) for columns in kinds)


def _load_data(options: argparse.Namespace, kinds: Columns) -> Any:
    """Examples of one of the `kinds`, by the name of a data set of the book or from files."""
    from fmkit.data.corpora import NAMES, load_corpus
    from fmkit.data.formats import load_examples

    name = options.data
    close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
    if close and name not in NAMES and not Path(name).exists():
        raise FmkitError(f"--data {name}: no file or folder, no data set; did you mean {close[0]!r}?")
    data = load_corpus(name) if name in NAMES else load_examples(name)
    columns = data["train"].column_names
    if not any(set(kind) <= set(columns) for kind in kinds):
        raise FmkitError(f"--data {name}: it holds {', '.join(columns)}; give data with {_describe(kinds)}")
    return data


def _add_sampling(command: argparse.ArgumentParser, temperature: float) -> None:
    command.add_argument("--max-new-tokens", type=int, default=100, help="length at most (100)")
    command.add_argument(
        "--temperature",
        type=float,
        default=temperature,
        help=f"0 takes the likeliest token, 1 samples as trained ({temperature})",
    )
    command.add_argument("--seed", type=int, help="the same seed gives the same text")


def _add_run(command: argparse.ArgumentParser, defaults: dict[str, Any] | None = None) -> None:
    """Where a run goes, and how it is trained."""
    command.add_argument(
        "--out",
        type=_path,
        required=True,
        metavar="DIR",
        help="where metrics, checkpoints and the model go; transformers opens it",
    )
    command.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    _add_fields(command.add_argument_group("training"), TrainConfig, defaults)


def _open(directory: str, kind: Any) -> Any:
    """The model of a directory and its tokenizer; `kind` opens it."""
    from fmkit import load_tokenizer

    model = getattr(kind, "from_pretrained", kind)(directory)
    return model, model.tokenizer or load_tokenizer(directory)


def _report(run: "TrainingRun", options: argparse.Namespace) -> None:
    if run.interrupted:
        print(f"stopped after step {run.history[-1]['step']}: go on with --resume")
    else:
        print(f"{run.summary}; the model is in {options.out}")


def _add_fields(group: argparse._ArgumentGroup, config: type, defaults: dict[str, Any] | None = None) -> None:
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


def _from_options(config: type, options: argparse.Namespace) -> Any:
    return config(**{field.name: getattr(options, field.name) for field in fields(config)})


if __name__ == "__main__":
    sys.exit(main())
