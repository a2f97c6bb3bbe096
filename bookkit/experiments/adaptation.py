"""How much reading a domain helps a task in it: naming the intent of a customer, from few examples.

The question of Gururangan et al. 2020 (arXiv:2004.10964): a base that continues pre-training in the task's
domain, or only on the task's own texts, before it sees an example; and one that reads another domain, as a
control (section 3.4). And a model from nothing that reads only the dialogs: what the base adds to them.
"""

import copy
from functools import cache
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.assistant import dialogs, prepare_chat
from bookkit.experiments.foundations import SIZE, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain, finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import tokenize_completions
from fmkit.evaluation.answers import answer_examples, exact_match
from fmkit.model import Transformer
from fmkit.world import LEGAL, SUPPORT

READING: dict[str, Any] = {"steps": 800, "batch_size": 4, "learning_rate": 4e-3}
TUNING: dict[str, Any] = {"steps": 200, "batch_size": 16, "learning_rate": 4e-3}
# Nothing; stories; stories and then one of three; and the dialogs without the stories.
STARTS = ("scratch", "base", "legal", "questions", "support", "support alone")


@experiment("adaptation")
def adaptation() -> Experiment:
    # Drawn apart from the dialogs that are learned from and asked; a fifth of those asked come up here too.
    shop = SUPPORT.load(4_000, 100, seed=1)
    questions = shop.select_columns("prompt").rename_column("prompt", "text")
    read = {"legal": LEGAL.load(4_000, 100), "questions": questions, "support": shop, "support alone": shop}
    known = set(shop["train"]["prompt"])

    @cache
    def reader(start: str, seed: int) -> tuple[Transformer, Tokenizer]:
        """A model that has read what `start` says, and seen no example."""
        model, tokenizer = base(seed)
        if start in ("scratch", "support alone"):
            model = Transformer(SIZE, seed=seed)
        reproducible(seed)
        if start in read:
            config = TrainConfig(**READING, seed=seed, eval_every=READING["steps"])
            continue_pretrain(model, tokenizer, read[start].select_columns("text"), config)
        return model, tokenizer

    def train(start: str, examples: int, seed: int) -> dict[str, Any]:
        model, tokenizer = copy.deepcopy(reader(start, seed))
        tokenizer = prepare_chat(model, tokenizer)
        data = dialogs("intent", examples)
        reproducible(seed)
        config = TrainConfig(**TUNING, seed=seed, eval_every=TUNING["steps"])
        finetune(model, tokenizer, data, config)
        asked = [row["messages"][0]["content"] for row in data["validation"]]
        examples = tokenize_completions(data["validation"], tokenizer, SIZE.max_position_embeddings)
        said, truth = answer_examples(model, tokenizer, examples)
        new = [number for number, question in enumerate(asked) if question not in known]
        right, right_new = (
            exact_match([said[i] for i in chosen], [truth[i] for i in chosen])
            for chosen in (range(len(asked)), new)
        )
        return {"scores": {"right": round(right, 3), "right_new": round(right_new, 3)}}

    arms = [
        {"start": start, "examples": examples, "seed": seed}
        for seed in range(3)
        for start in STARTS
        for examples in (50, 100, 400)
    ]
    about = {
        "corpus": "support questions, answered by their intent",
        "read": "4,000 legal clauses, support questions, or support dialogs",
        "reading": READING,
        "tuning": TUNING,
    }
    return Experiment(about, train, arms)
