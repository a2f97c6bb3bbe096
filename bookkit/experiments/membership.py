"""Was this text in the training set? And: does the model repeat it, word for word?

The attack of Yeom et al. 2018 (arXiv:1709.01604): a low loss says yes. Members and others are drawn at random
from the same stories; the third group is stories of another world, for which the attack seems to work
although nothing was memorized, as Duan et al. 2024 (arXiv:2402.07841) found.
"""

from typing import Any

from datasets import DatasetDict

from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.batches import tokenize
from fmkit.evaluation.privacy import longest_copy, membership_auc, text_losses
from fmkit.generation import generate_ids
from fmkit.world import load_stories

EPOCHS = (0, 1, 4, 16, 64)
MEMBERS = 100
PROMPT, WRITTEN = 16, 48  # tokens of a story that are shown, and that the model then writes
READING: dict[str, Any] = {"batch_size": 4, "learning_rate": 4e-3}


@experiment("membership")
def membership() -> Experiment:
    def train(epochs: int, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        drawn = load_stories(n_train=2 * MEMBERS, n_validation=1, seed=100 + seed)["train"].shuffle(seed)
        drawn = drawn.select_columns("text")
        members, others = drawn.select(range(MEMBERS)), drawn.select(range(MEMBERS, 2 * MEMBERS))
        elsewhere = load_stories(n_train=MEMBERS, n_validation=1, seed=100 + seed, world=1)["train"]
        context = model.config.max_position_embeddings
        tokens = sum(len(ids) - 1 for ids in tokenize(members, tokenizer, context)["input_ids"])
        if steps := epochs * tokens // (READING["batch_size"] * context):
            reproducible(seed)
            config = TrainConfig(steps, **READING, seed=seed, eval_every=steps)
            continue_pretrain(model, tokenizer, DatasetDict(train=members, validation=others), config)
        losses = [
            text_losses(model, tokenizer, list(texts["text"])) for texts in (members, others, elsewhere)
        ]

        def copied(texts: Any) -> list[int]:
            ids = [coded.ids for coded in tokenizer.encode_batch(list(texts["text"]))]
            said = generate_ids(model, [some[:PROMPT] for some in ids], WRITTEN, temperature=0.0)
            return [longest_copy(a, b[PROMPT:]) for a, b in zip(said, ids, strict=True)]

        runs = {"members": copied(members), "others": copied(others)}
        scores = {
            "auc": membership_auc(losses[0], losses[1]),
            "auc_elsewhere": membership_auc(losses[0], losses[2]),
            "members": sum(losses[0]) / MEMBERS,
            "others": sum(losses[1]) / MEMBERS,
            **{f"copied_{name}": sum(lengths) / MEMBERS for name, lengths in runs.items()},
        }
        return {"copied": runs, "scores": {name: round(value, 3) for name, value in scores.items()}}

    about = {
        "corpus": f"{MEMBERS} stories that the base has not read, and {MEMBERS} others, divided at random",
        "prompt_tokens": PROMPT,
        "written_tokens": WRITTEN,
        "reading": READING,
    }
    return Experiment(about, train, [{"epochs": n, "seed": seed} for n in EPOCHS for seed in range(3)])
