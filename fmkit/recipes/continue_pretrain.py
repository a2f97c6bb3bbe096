"""Continuous pre-training: learn the texts of a new domain without forgetting the old ones."""

from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import CONTINUE, TrainConfig
from fmkit.data.given import TEXTS, as_splits
from fmkit.data.tables import Data
from fmkit.errors import FmkitError
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.recipes.prepare import accept, held_out_texts, prepare_texts
from fmkit.run import Callbacks, TrainingRun, fit
from fmkit.settings import require_numbers
from fmkit.trainer import Record, Trainer


def continue_pretrain(
    model: Transformer,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig | None = None,
    *,
    replay: Data | None = None,
    replay_share: float = 0.1,
    output_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Continue pre-training on the texts of a domain.

    The learning rate rises and falls once more, to a lower peak by default, and `replay_share` of the tokens
    come from `replay`, a corpus of what the model learned before (Ibrahim et al. 2024, arXiv:2403.08763,
    section 6). The run also records `replay_loss`, the validation loss on `replay`: it shows what is
    forgotten, even with a share of 0. The rest is as in `pretrain`.
    """
    tokenizer, config = accept(model, tokenizer, config, CONTINUE, Transformer)
    require_numbers(float, replay_share=replay_share)
    if not 0 <= replay_share < 1:
        raise FmkitError(f"replay_share={replay_share} must be at least 0 and less than 1")
    replay = None if replay is None else as_splits(replay, TEXTS)
    loader, held_out, identity = prepare_texts(model, tokenizer, data, config, replay, replay_share)
    held_out_replay = held_out_texts(model, replay, config) if replay else []
    trainer = Trainer(model, language_modeling, loader, config)

    def validate() -> Record:
        losses = {"validation_loss": held_out, "replay_loss": held_out_replay}
        return {name: trainer.evaluate(batches) for name, batches in losses.items() if batches}

    identity["replay_share"] = replay_share
    return fit(trainer, validate, output_dir, resume, identity, callbacks)
