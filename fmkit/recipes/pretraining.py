"""Learning from raw text: from the start, or on from what a model knows."""

from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.splits import Corpus
from fmkit.defaults import CONTINUE
from fmkit.errors import FmkitError
from fmkit.model import Transformer
from fmkit.objectives import predict_tokens
from fmkit.recipes.shared import fit_together, held_out_texts, identity, require_splits, text_data
from fmkit.run import TrainingRun, fit
from fmkit.trainer import Record, Trainer


def pretrain(
    model: Transformer,
    tokenizer: Tokenizer,
    corpus: Corpus,
    config: TrainConfig | None = None,
    output_dir: str | Path | None = None,
    resume: bool = False,
) -> TrainingRun:
    """Learn by predicting: the next token of raw text or, for a model with `is_causal` off, masked tokens.

    `corpus` has the splits train and validation and a column `text` (see `load_corpus`). With `output_dir`,
    metrics, checkpoints and the final model are left there, and `resume` goes on where a stopped run was.
    Raises `FmkitError` for a corpus shorter than a context or without a split, a tokenizer that is larger
    than the model or not the one that it was trained with, and as `fmkit.run.fit` says.
    """
    config = config or TrainConfig()
    context = fit_together(model, tokenizer, corpus, config)
    loader, held_out = text_data(model, tokenizer, corpus, config, context)
    trainer = Trainer(model, predict_tokens, loader, config)

    def validate() -> Record:
        return {"validation_loss": trainer.evaluate(held_out)} if held_out else {}

    return fit(trainer, validate, output_dir, resume, identity(model, {"corpus": corpus}, tokenizer))


def continue_pretrain(
    model: Transformer,
    tokenizer: Tokenizer,
    corpus: Corpus,
    config: TrainConfig | None = None,
    replay: Corpus | None = None,
    replay_share: float = 0.1,
    output_dir: str | Path | None = None,
    resume: bool = False,
) -> TrainingRun:
    """Go on learning by predicting, on a domain of its own.

    The learning rate rises and falls once more, to a lower peak by default, and `replay_share` of the tokens
    come from `replay`, a corpus of what the model learned before (Ibrahim et al. 2024, arXiv:2403.08763,
    section 6). The run records `replay_loss`, the validation loss of `replay`, beside `validation_loss`: what
    is forgotten shows there, with a share of 0 too. Else as `pretrain`.
    """
    config = config or TrainConfig(**CONTINUE)
    if not 0 <= replay_share < 1:
        raise FmkitError(f"replay_share={replay_share} must be at least 0 and less than 1")
    context = fit_together(model, tokenizer, corpus, config)
    if replay:
        require_splits(replay)
    mixed = replay if replay_share else None
    loader, held_out = text_data(model, tokenizer, corpus, config, context, mixed, replay_share)
    before = held_out_texts(model, tokenizer, replay, config, context) if replay else []
    trainer = Trainer(model, predict_tokens, loader, config)

    def validate() -> Record:
        losses = {"validation_loss": held_out, "replay_loss": before}
        return {name: trainer.evaluate(batches) for name, batches in losses.items() if batches}

    corpora = {"corpus": corpus, **({"replay": replay} if replay else {})}
    what = identity(model, corpora, tokenizer, replay_share=replay_share)
    return fit(trainer, validate, output_dir, resume, what)
