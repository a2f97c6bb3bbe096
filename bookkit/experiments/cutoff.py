"""The knowledge cutoff: a model that has read an almanac up to a year is asked about later ones, and brought
up to date by continuous pre-training, with and without replay of the old years."""

import copy
from functools import cache
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import EOS, special_id
from fmkit.evaluation.sampling import complete
from fmkit.model import Transformer
from fmkit.world import FACTS, Almanac

OLD, NEW = (2021, 2022), (2023, 2024)
READING: dict[str, Any] = {"steps": 600, "batch_size": 8, "learning_rate": 6e-3}
UPDATING: dict[str, Any] = {"steps": 400, "batch_size": 8, "learning_rate": 4e-3}


@experiment("cutoff")
def cutoff() -> Experiment:
    almanac = FACTS.load(8_000, 400)
    known, news = (almanac.filter(lambda row, years=years: row["year"] in years) for years in (OLD, NEW))
    stories = load_corpus("stories")

    @cache
    def reader(seed: int) -> tuple[Transformer, Tokenizer]:
        """The base after it has read the old years."""
        model, tokenizer = base(seed)
        reproducible(seed)
        config = TrainConfig(**READING, seed=seed, eval_every=READING["steps"])
        continue_pretrain(model, tokenizer, known, config, replay=stories, replay_share=0.25)
        return model, tokenizer

    def train(update: str, seed: int) -> dict[str, Any]:
        model, tokenizer = copy.deepcopy(reader(seed))
        if update != "none":
            config = TrainConfig(**UPDATING, seed=seed, eval_every=UPDATING["steps"])
            continue_pretrain(model, tokenizer, news, config, replay=known, replay_share=float(update))
        return {"scores": ask(model, tokenizer)}

    arms = [{"update": update, "seed": seed} for seed in range(3) for update in ("none", "0", "0.25", "0.5")]
    about = {
        "corpus": f"almanac to {OLD[-1]}, then {NEW}",
        "replay": "the almanac to 2022",
        "reading": READING,
        "updating": UPDATING,
    }
    return Experiment(about, train, arms)


def ask(model: Transformer, tokenizer: Tokenizer) -> dict[str, float]:
    """Share of the 48 questions of each year that are answered right."""
    world, end = Almanac(), special_id(tokenizer, EOS)
    right = {}
    for year in (*OLD, *NEW):
        questions = world.questions(year)
        prompts = [tokenizer.encode(question.prompt).ids for question in questions]
        said = [tokenizer.decode(row) for row in complete(model, prompts, 6, end, temperature=0)]
        hits = [text.strip().startswith(q.answer) for text, q in zip(said, questions, strict=True)]
        right[str(year)] = round(sum(hits) / len(hits), 3)
    return right
