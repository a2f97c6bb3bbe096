"""The commands that train: each reads options, opens what they name, and calls a recipe."""

import argparse
from typing import Any

from fmkit.cli.options import (
    PREFERENCES,
    QUESTIONS,
    TASKS,
    Options,
    adapt,
    add_corpus,
    add_data,
    add_fields,
    add_lora,
    add_model,
    add_run,
    configured,
    filled,
    new_command,
    open_with,
    placed,
    read_corpus,
    read_data,
    report,
    require_rank,
)
from fmkit.config import ALIGN, CONTINUE, FINETUNE, ModelConfig, TrainConfig
from fmkit.errors import FmkitError


def add_pretrain(commands: Any) -> None:
    command = new_command(commands, "pretrain", "learn from raw text by predicting tokens", _pretrain)
    add_corpus(command)
    command.add_argument("--vocab-size", type=int, default=1024, help="tokens of the vocabulary (1024)")
    add_fields(command.add_argument_group("model"), ModelConfig)
    add_run(command)


def _pretrain(options: Options) -> None:
    model_config, config = configured(ModelConfig, options), configured(TrainConfig, options)

    from fmkit import Transformer, pretrain, train_tokenizer

    corpus = read_corpus(options)
    tokenizer = train_tokenizer(corpus["train"], model_config.vocab_size)
    model = Transformer(model_config, seed=config.seed)
    run = pretrain(model, tokenizer, corpus, config, **placed(options))
    report(run, options, model)


def add_continue(commands: Any) -> None:
    command = new_command(commands, "continue", "go on pre-training on text of one field", _continue)
    add_model(command)
    add_corpus(command)
    command.add_argument(
        "--replay", metavar="NAME|PATH|HUB-ID", help="what the model learned before, so that it is kept"
    )
    command.add_argument("--replay-share", type=float, help="share of its tokens (0.1)")
    add_lora(command)
    add_run(command, CONTINUE)


def _continue(options: Options) -> None:
    config = configured(TrainConfig, options)
    require_rank(options)
    if options.replay_share is not None and not options.replay:
        raise FmkitError("nothing to replay: give --replay, too")

    from fmkit import Transformer, continue_pretrain

    model, tokenizer = open_with(Transformer, options.model)
    adapt(model, options)
    replay = read_corpus(options, options.replay) if options.replay else None
    corpus = read_corpus(options)
    share = 0.1 if options.replay_share is None else options.replay_share
    mix: Any = {"replay": replay, "replay_share": share}
    run = continue_pretrain(model, tokenizer, corpus, config, **mix, **placed(options))
    report(run, options, model)


def add_finetune(commands: Any) -> None:
    command = new_command(commands, "finetune", "learn a task from examples of it", _finetune)
    add_model(command)
    add_data(command, TASKS)
    command.add_argument(
        "--mask-prompt",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="read prompts, learn answers only (True)",
    )
    add_lora(command)
    add_run(command, FINETUNE)


def _finetune(options: Options) -> None:
    config = configured(TrainConfig, options)
    require_rank(options)

    from fmkit import Classifier, Transformer, add_chat_tokens, finetune
    from fmkit.data.tokenizer import has_chat_tokens
    from fmkit.lora import token_modules

    data = read_data(options, TASKS)
    columns = data["train"].column_names
    model: Any
    model, tokenizer = open_with(Transformer, options.model)
    if "label" in columns:
        model = Classifier.from_base(model, data["train"].features["label"].names, seed=config.seed)
    elif "messages" in columns and not has_chat_tokens(tokenizer):
        tokenizer = add_chat_tokens(tokenizer)
        model.resize_vocab(max(model.config.vocab_size, tokenizer.get_vocab_size()), seed=config.seed)
        options.modules_to_save = sorted({*options.modules_to_save, *token_modules(model)})
    adapt(model, options)
    run = finetune(model, tokenizer, data, config, mask_prompt=options.mask_prompt, **placed(options))
    report(run, options, model)


def add_distill(commands: Any) -> None:
    command = new_command(commands, "distill", "train a small model on what a large one expects", _distill)
    command.add_argument("teacher", type=filled, metavar="TEACHER", help="a directory with the large one")
    add_corpus(command, required=False)
    add_data(command, QUESTIONS, required=False)
    command.add_argument("--temperature", type=float, default=2.0, help="softens both distributions (2.0)")
    command.add_argument(
        "--soft-weight", type=float, default=0.5, help="the teacher's share of the loss (0.5)"
    )
    add_fields(command.add_argument_group("student"), ModelConfig)
    add_run(command)


def _distill(options: Options) -> None:
    config = configured(TrainConfig, options)
    if (options.corpus is None) == (options.data is None):
        raise FmkitError("a student learns from text or from examples: give --corpus or --data")

    from fmkit import Transformer, distill

    teacher, tokenizer = open_with(Transformer, options.teacher)
    options.vocab_size = teacher.config.vocab_size
    student = Transformer(configured(ModelConfig, options), seed=config.seed)
    corpus = read_corpus(options) if options.corpus else read_data(options, QUESTIONS)
    mix: Any = {"temperature": options.temperature, "soft_weight": options.soft_weight}
    run = distill(student, tokenizer, corpus, config, teacher=teacher, **mix, **placed(options))
    report(run, options, student)


def add_reward(commands: Any) -> None:
    command = new_command(commands, "reward", "train a model that scores answers as people did", _reward)
    add_model(command)
    add_data(command, PREFERENCES)
    add_lora(command)
    add_run(command, FINETUNE)


def _reward(options: Options) -> None:
    config = configured(TrainConfig, options)
    require_rank(options)

    from fmkit import Classifier, Transformer, train_reward

    data = read_data(options, PREFERENCES)
    base, tokenizer = open_with(Transformer, options.model)
    model = Classifier.from_base(base, ["reward"], seed=config.seed)
    adapt(model, options)
    run = train_reward(model, tokenizer, data, config, **placed(options))
    report(run, options, model)


def add_align(commands: Any) -> None:
    command = new_command(commands, "align", "learn from preferences (DPO)", _align)
    add_model(command)
    add_data(command, PREFERENCES)
    command.add_argument("--beta", type=float, default=0.1, help="how strongly the model is held back (0.1)")
    add_lora(command)
    add_run(command, ALIGN)


def _align(options: Options) -> None:
    config = configured(TrainConfig, options)
    require_rank(options)

    from fmkit import Transformer, align

    data = read_data(options, PREFERENCES)
    model, tokenizer = open_with(Transformer, options.model)
    adapt(model, options)
    run = align(model, tokenizer, data, config, beta=options.beta, **placed(options))
    report(run, options, model)
