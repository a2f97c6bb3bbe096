"""The commands that train: each reads options, opens what they name, and calls a recipe."""

import argparse
from typing import Any

from fmkit.cli.options import (
    PREFERENCES,
    QUESTIONS,
    TASKS,
    adapt,
    config_fields,
    configured,
    corpus,
    data,
    filled,
    lora,
    model_directory,
    open_with,
    option,
    placed,
    prompts,
    read_corpus,
    read_data,
    read_prompts,
    report,
    require_rank,
    run,
    run_config,
)
from fmkit.cli.registry import Options, command
from fmkit.config import ALIGN, CONTINUE, FINETUNE, GRPO, ModelConfig
from fmkit.errors import FmkitError


@command(
    "pretrain",
    "learn from raw text by predicting tokens",
    "fmkit pretrain --corpus stories --steps 600 --out my-model",
    corpus(),
    option("--vocab-size", type=int, default=1024, help="tokens of the vocabulary (1024)"),
    config_fields("model", ModelConfig),
    run(),
)
def _pretrain(options: Options) -> None:
    model_config, config = configured(ModelConfig, options), run_config(options)

    from fmkit import Transformer, pretrain, train_tokenizer

    texts = read_corpus(options)
    tokenizer = train_tokenizer(texts["train"], model_config.vocab_size)
    model = Transformer(model_config, seed=config.seed)
    report(pretrain(model, tokenizer, texts, config, **placed(options)), options, model)


@command(
    "continue",
    "go on pre-training on text of one field",
    "fmkit continue my-model --corpus medical --replay stories --out doctor",
    model_directory,
    corpus(),
    option("--replay", metavar="NAME|PATH|HUB-ID", help="what the model learned before, so that it is kept"),
    option("--replay-share", type=float, help="share of its tokens (0.1)"),
    lora,
    run(CONTINUE),
)
def _continue(options: Options) -> None:
    config = run_config(options)
    require_rank(options)
    if options.replay_share is not None and not options.replay:
        raise FmkitError("nothing to replay: give --replay, too")

    from fmkit import Transformer, continue_pretrain

    model, tokenizer = open_with(Transformer, options.model)
    adapt(model, options)
    replay = read_corpus(options, options.replay) if options.replay else None
    texts = read_corpus(options)
    share = 0.1 if options.replay_share is None else options.replay_share
    mix: dict[str, Any] = {"replay": replay, "replay_share": share}
    report(continue_pretrain(model, tokenizer, texts, config, **mix, **placed(options)), options, model)


@command(
    "finetune",
    "learn a task from examples of it",
    "fmkit finetune my-model --data support --lora-r 8 --out assistant",
    model_directory,
    data(TASKS),
    option(
        "--mask-prompt",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="read prompts, learn answers only (True)",
    ),
    lora,
    run(FINETUNE),
)
def _finetune(options: Options) -> None:
    config = run_config(options)
    require_rank(options)

    from fmkit import Classifier, Transformer, add_chat_tokens, finetune
    from fmkit.data.tokenizer import can_chat
    from fmkit.lora import token_modules
    from fmkit.model import open_model

    examples = read_data(options, TASKS)
    columns = examples["train"].column_names
    model: Any
    model, tokenizer = open_with(open_model if "label" in columns else Transformer, options.model)
    if "label" in columns and not isinstance(model, Classifier):
        model = Classifier.from_base(model, examples["train"].features["label"].names, seed=config.seed)
    elif "messages" in columns and not can_chat(tokenizer):
        tokenizer = add_chat_tokens(tokenizer)
        model.resize_vocab(max(model.config.vocab_size, tokenizer.get_vocab_size()), seed=config.seed)
        options.modules_to_save = sorted({*options.modules_to_save, *token_modules(model)})
    adapt(model, options)
    trained = finetune(model, tokenizer, examples, config, mask_prompt=options.mask_prompt, **placed(options))
    report(trained, options, model)


@command(
    "distill",
    "train a small model on what a large one expects",
    "fmkit distill my-model --corpus stories --hidden-size 32 --out student",
    option("teacher", type=filled, metavar="TEACHER", help="the large model, a directory or Hub id"),
    corpus(required=False),
    data(QUESTIONS, required=False),
    option("--temperature", type=float, default=2.0, help="softens both distributions (2.0)"),
    option("--soft-weight", type=float, default=0.5, help="the teacher's share of the loss (0.5)"),
    config_fields("student", ModelConfig),
    run(),
)
def _distill(options: Options) -> None:
    config = run_config(options)
    if (options.corpus is None) == (options.data is None):
        raise FmkitError("a student learns from text or from examples: give --corpus or --data")

    from fmkit import Transformer, distill

    teacher, tokenizer = open_with(Transformer, options.teacher)
    options.vocab_size = teacher.config.vocab_size
    student = Transformer(configured(ModelConfig, options), seed=config.seed)
    learned_from = read_corpus(options) if options.corpus else read_data(options, QUESTIONS)
    trained = distill(
        student,
        tokenizer,
        learned_from,
        config,
        teacher=teacher,
        temperature=options.temperature,
        soft_weight=options.soft_weight,
        **placed(options),
    )
    report(trained, options, student)


@command(
    "reward",
    "train a model that scores answers as people did",
    "fmkit reward my-model --data preferences --out judge",
    model_directory,
    data(PREFERENCES),
    lora,
    run(FINETUNE),
)
def _reward(options: Options) -> None:
    config = run_config(options)
    require_rank(options)

    from fmkit import Classifier, Transformer, train_reward

    pairs = read_data(options, PREFERENCES)
    base, tokenizer = open_with(Transformer, options.model)
    model = Classifier.from_base(base, ["reward"], seed=config.seed)
    adapt(model, options)
    report(train_reward(model, tokenizer, pairs, config, **placed(options)), options, model)


@command(
    "align",
    "learn from preferences (DPO)",
    "fmkit align my-model --data preferences --beta 0.5 --out aligned",
    model_directory,
    data(PREFERENCES),
    option("--beta", type=float, default=0.1, help="how strongly the model is held back (0.1)"),
    lora,
    run(ALIGN),
)
def _align(options: Options) -> None:
    config = run_config(options)
    require_rank(options)

    from fmkit import Transformer, align

    pairs = read_data(options, PREFERENCES)
    model, tokenizer = open_with(Transformer, options.model)
    adapt(model, options)
    report(align(model, tokenizer, pairs, config, beta=options.beta, **placed(options)), options, model)


@command(
    "grpo",
    "learn from a reward model's scores of the model's own answers (GRPO)",
    "fmkit grpo my-model --reward-model judge --data preferences --beta 0.1 --out tuned",
    model_directory,
    option("--reward-model", type=filled, required=True, metavar="DIR", help="what `fmkit reward` wrote"),
    prompts,
    option("--beta", type=float, default=0.04, help="how strongly the model is held back (0.04)"),
    option("--num-generations", type=int, default=8, help="answers to each prompt, a group (8)"),
    option("--max-new-tokens", type=int, default=100, help="maximum length of an answer (100)"),
    option("--temperature", type=float, default=1.0, help="of the answers that are learned from (1.0)"),
    lora,
    run(GRPO),
)
def _grpo(options: Options) -> None:
    config = run_config(options)
    require_rank(options)

    from fmkit import Classifier, Transformer, grpo

    data = read_prompts(options)
    model, tokenizer = open_with(Transformer, options.model)
    reward = Classifier.from_pretrained(options.reward_model)
    adapt(model, options)
    how = {
        name: getattr(options, name) for name in ("beta", "num_generations", "max_new_tokens", "temperature")
    }
    report(grpo(model, tokenizer, data, config, reward=reward, **how, **placed(options)), options, model)
