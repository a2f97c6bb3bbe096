"""Reward modeling: learn which of two answers people preferred."""

from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import FINETUNE, TrainConfig
from fmkit.data.tables import Data
from fmkit.evaluation.preferences import judge_rewards, require_one_score, scores
from fmkit.model import Classifier
from fmkit.objectives import reward_ranking
from fmkit.recipes.prepare import accept, prepare_pairs
from fmkit.run import Callbacks, TrainingRun, fit
from fmkit.trainer import Record, Trainer


def train_reward(
    model: Classifier,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig | None = None,
    *,
    output_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Train a reward model: a classifier with one label, whose score ranks answers as people did.

    `data` has the columns prompt, chosen and rejected (see `fmkit.recipes`). The loss is that of Ouyang et
    al. 2022 (arXiv:2203.02155, equation 1). The run records `reward_accuracy`, the share of held-out pairs
    ranked as people did, and `margin`, the mean difference of their scores. Raises `FmkitError` for a model
    with another number of labels, and as `pretrain` does.
    """
    tokenizer, config = accept(model, tokenizer, config, FINETUNE, Classifier)
    require_one_score(model)
    loader, held_out, identity = prepare_pairs(model, tokenizer, data, config)
    trainer = Trainer(model, reward_ranking, loader, config)

    def validate() -> Record:
        return judge_rewards(scores(trainer.model, held_out))

    return fit(trainer, validate, output_dir, resume, identity, callbacks)
