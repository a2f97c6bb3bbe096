"""The commands that use and measure what was trained, and those that write and check data."""

import os
import sys
from typing import Any

from fmkit.cli.options import (
    PREFERENCES,
    TASKS,
    corpus,
    data,
    device,
    filled,
    model_directory,
    named_data,
    open_to_use,
    option,
    read_corpus,
    read_data,
    sampling,
)
from fmkit.cli.registry import Options, command
from fmkit.errors import FmkitError
from fmkit.processes import only_writer


@command(
    "generate",
    "continue a text",
    'fmkit generate my-model --prompt "Once upon a time" --temperature 0.8',
    model_directory,
    option("--prompt", default="", help="the text to continue (empty: from the start)"),
    sampling(temperature=0.8),
    option("--top-k", type=int, help="sample from the k likeliest tokens"),
    option("--top-p", type=float, help="sample from the likeliest that together reach p"),
    device,
)
def _generate(options: Options) -> None:
    from fmkit import Transformer, generate

    model, tokenizer = open_to_use(Transformer, options)
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


@command(
    "write",
    "have a model write texts, or answer prompts, for another to learn from",
    "fmkit write assistant --prompts questions.jsonl --out answers.jsonl",
    model_directory,
    option("--count", type=int, metavar="N", help="how many texts, or first prompts (all)"),
    option(
        "--prompts",
        type=filled,
        metavar="NAME|PATH",
        help="support, preferences, or a file or folder of prompts, with answers or without",
    ),
    option("--out", type=filled, required=True, metavar="FILE", help="a .jsonl, .csv or .parquet"),
    sampling(temperature=None, shown="1 for texts, 0 for answers", length=None),
    device,
)
def _write(options: Options) -> None:
    if options.count is None and options.prompts is None:
        raise FmkitError("nothing to write: give --count, --prompts or both")
    if options.count is not None and options.count < 1:
        raise FmkitError(f"--count {options.count}: have it write at least one")

    from fmkit import Transformer, load_prompts, write_answers, write_corpus, write_examples
    from fmkit.data.examples import prompts_of

    prompts = None
    if options.prompts:
        named = named_data("--prompts", options.prompts)
        prompts = prompts_of(named["train"]) if named else load_prompts(options.prompts)
        prompts = prompts.take(min(options.count or len(prompts), len(prompts)))
    model, tokenizer = open_to_use(Transformer, options)
    how = {name: getattr(options, name) for name in ("max_new_tokens", "temperature", "seed")}
    how = {name: value for name, value in how.items() if value is not None}
    with only_writer(os.path.expanduser(options.out)):
        if prompts is None:
            written = write_corpus(model, tokenizer, options.count, **how)
        else:
            written = write_answers(model, tokenizer, prompts, **how)
        write_examples(written, options.out)
    print(f"{len(written):,} {'texts' if prompts is None else 'answers'} are in {options.out}")


@command(
    "chat",
    "talk to a model fine-tuned to chat",
    "fmkit chat assistant",
    model_directory,
    option("--system", help="what the assistant is told before the conversation"),
    sampling(temperature=0.0),
    device,
)
def _chat(options: Options) -> None:
    """One line of standard input is one message; the end of input ends the conversation."""
    from fmkit import Transformer
    from fmkit.data.chat import recent
    from fmkit.generation import reply

    model, tokenizer = open_to_use(Transformer, options)
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
    """Read a line of standard input with its end; an empty string at the end of input."""
    if sys.stdin is None:  # closed
        return ""
    if sys.stdin.isatty():
        print("you: ", end="", flush=True)
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError as error:
        raise FmkitError(f"standard input is not UTF-8 ({error.reason}): send text in UTF-8") from None


@command(
    "evaluate",
    "measure a model on data, or answers that any model gave",
    "fmkit evaluate --metrics rouge,bleu --predictions said.txt --references true.txt",
    option(
        "model",
        type=filled,
        nargs="?",
        metavar="DIR|HUB-ID",
        help="a directory that one of these commands wrote, or a model on the Hub; for --metrics, only "
        "bertscore takes one",
    ),
    corpus(required=False, trains=False),
    data(TASKS + PREFERENCES, required=False),
    option(
        "--split",
        default="validation",
        choices=("train", "validation", "all"),
        help="the part that is measured (validation: what the training commands hold out, too)",
    ),
    option("--stories", type=int, metavar="N", help="have it tell N stories: the share that is true"),
    option("--world", type=int, default=0, help="the world of these stories (0)"),
    option(
        "--metrics",
        type=filled,
        metavar="NAMES",
        help="compare --predictions with --references: rouge, bleu, chrf, bertscore, exact_match, word_f1, "
        "f1 (of labels), separated by commas",
    ),
    option(
        "--predictions",
        type=filled,
        metavar="FILE",
        help="a .txt with one a line, or records with the column prediction or completion",
    ),
    option(
        "--references",
        type=filled,
        nargs="+",
        default=[],
        metavar="FILE",
        help="the same with reference or completion, in the same order; more files give more references "
        "(default: the column reference of --predictions)",
    ),
    device,
)
def _evaluate(options: Options) -> None:
    of_a_model = [options.corpus, options.data, options.stories]
    if options.metrics or options.predictions or options.references:
        if of_a_model != [None] * 3:
            raise FmkitError("one at a time: measure a model on data, or answers by --metrics")
        measured = _score_answers(options)
    else:
        if options.model is None:
            raise FmkitError("nothing to measure: name the directory of a model, or give --metrics")
        if of_a_model == [None] * 3:
            raise FmkitError("nothing to measure: give --corpus, --data or --stories")
        measured = _measure_model(options)
    for name, value in measured.items():
        print(f"{name} {value:.4g}")


def _score_answers(options: Options) -> dict[str, float]:
    if not (options.metrics and options.predictions):
        raise FmkitError("answers are scored by --metrics on --predictions: give both")

    from fmkit.data.answers import read_answers
    from fmkit.evaluation.scores import score_texts

    names = [name.strip() for name in options.metrics.split(",") if name.strip()]
    answers = read_answers(options.predictions, options.references)
    return score_texts(*answers, names, options.model, options.device)


def _measure_model(options: Options) -> dict[str, float]:
    if options.corpus and options.data:
        raise FmkitError("one at a time: give --corpus or --data")
    if options.stories is not None and options.stories < 1:
        raise FmkitError(f"--stories {options.stories}: have it tell at least one")

    from fmkit import evaluate, write_corpus
    from fmkit.model import open_model
    from fmkit.world import World, validity

    model, tokenizer = open_to_use(open_model, options)
    measured: dict[str, float] = {}
    if options.corpus or options.data:
        rows, told = _rows_to_measure(options)
        measured |= evaluate(model, tokenizer, rows)
        if told:
            print(told, file=sys.stderr)
    if options.stories:
        written = write_corpus(model, tokenizer, options.stories)["text"]
        measured["true_stories"] = validity(written, World(options.world)).share
    return measured


def _rows_to_measure(options: Options) -> tuple[Any, str]:
    """The rows of the split, and a line that says how many of all rows they are."""
    from datasets import concatenate_datasets

    kinds = TASKS + PREFERENCES
    splits = read_corpus(options) if options.corpus else read_data(options, kinds, measured=options.split)
    if options.split == "all" or "all" in splits:
        return concatenate_datasets(list(splits.values())), ""
    rows, everything = splits[options.split], sum(map(len, splits.values()))
    told = f"fmkit: measured on {len(rows):,} of {everything:,}, the split {options.split}"
    return rows, f"{told} (--split all takes them all)"


@command(
    "check",
    "find what is wrong with a file of examples, and what training leaves out of it",
    "fmkit check answers.jsonl --format conversation",
    option("file", type=filled, metavar="FILE", help="the file; for a service, one JSON record a line"),
    option(
        "--format",
        nargs="?",
        const="",
        metavar="NAME",
        help="the service that it is for; without a name, those there are (default: none, but finetune, "
        "reward or align)",
    ),
)
def _check(options: Options) -> None:
    from fmkit.data import bedrock, examples

    file, most = options.file, 100
    if options.format is None:
        faults = examples.check_examples(file, most)
    else:
        faults = bedrock.check(file, options.format, most)
    for fault in faults:
        print(fault)
    if faults:
        count = f"{len(faults)} fault{'s' * (len(faults) > 1)}"
        raise FmkitError(f"{file}: {count}{' or more' * (len(faults) == most)}")
    print(f"{file}: no fault")
    own = options.format is None
    for line in examples.advise_examples(file) if own else bedrock.advise(file, options.format):
        print(f"note: {line}")
