"""A head on the frozen features of a model that has read reviews without labels: are features only as good as
what was read? The same head on features of a model that has read stories is in `frozen-features`."""

from typing import Any

from bookkit.experiments.foundations import pretrained
from bookkit.experiments.frozen_features import BATCH, EPOCHS, HELD_OUT, POOL, RATES, judge, kind_of
from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.transfer import READING, SIZE, read_texts
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.model import Classifier
from fmkit.world import LABELS, load_reviews


@experiment("frozen-readers")
def frozen_readers() -> Experiment:
    raw = read_texts()
    read = {*raw["train"]["text"], *raw["validation"]["text"]}
    pool = load_reviews(1, POOL)["validation"].filter(lambda row: row["text"] not in read)
    held_out, of_one_kind = pool.take(HELD_OUT), pool.filter(lambda row: kind_of(row["text"]) is not None)

    def train(labels: int, seed: int) -> dict[str, Any]:
        reader, tokenizer = pretrained(SIZE, raw, READING, seed)
        reproducible(seed)
        model = Classifier.from_base(reader, LABELS, seed)
        model.model.requires_grad_(False)
        steps = EPOCHS * labels // BATCH
        rate = RATES["frozen"]
        config = TrainConfig(steps, batch_size=BATCH, learning_rate=rate, seed=seed, eval_every=steps)
        finetune(model, tokenizer, load_reviews(labels, 200), config)
        return judge(model, tokenizer, held_out, of_one_kind)

    about = {
        "corpus": "20,000 reviews and 3,000 stories were read without labels; all but the head is frozen",
        "pretraining": READING,
        "training": {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": RATES["frozen"]},
        "held_out": HELD_OUT,
    }
    arms = [{"labels": labels, "seed": seed} for seed in range(3) for labels in (50, 200, 1_000)]
    return Experiment(about, train, arms)
