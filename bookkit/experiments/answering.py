"""What an answer costs: three story models tell stories, one at a time and many together.

The energy is what the meter says: CPU seconds, and joules estimated from them where the processor's counters
cannot be read. How good a story is, is how much of it is told before its first false word.
"""

from typing import Any

from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import reproducible
from fmkit.data.tokenizer import BOS, EOS, special_id
from fmkit.flops import num_parameters
from fmkit.footprint import Meter
from fmkit.generation import generate_ids
from fmkit.world import validity

MODELS = ("teacher", "base", "student")
ANSWERS = 60
TOGETHER = (1, 20)
LONGEST = 200  # tokens
SEEDS = (0, 1, 2)


@experiment("answering")
def answering() -> Experiment:
    def tell(model: str, together: int, seed: int) -> dict[str, Any]:
        teller, tokenizer = committed(model)
        reproducible(seed)
        start, end = special_id(tokenizer, BOS), special_id(tokenizer, EOS)
        generate_ids(teller, [[start]], LONGEST, seed=seed, eos_id=end)  # the first call is slower
        meter, told = Meter(), []
        for first in range(0, ANSWERS, together):
            batch = range(first, first + together)
            told += generate_ids(teller, [[start]] * together, LONGEST, seed=seed, eos_id=end, numbers=batch)
        used = meter.usage()
        texts = [tokenizer.decode(ids) for ids in told]
        stories = validity(texts)
        right = [
            1.0 if verdict.broke_at is None else verdict.broke_at / max(1, len(text))
            for text, verdict in zip(texts, stories.verdicts, strict=True)
        ]
        return {
            "obtained": list(used.obtained),
            "scores": {
                "cpu_seconds": round(used.cpu_seconds, 2),
                "joules_low": round(used.joules[0], 1),
                "joules_high": round(used.joules[1], 1),
                "tokens": sum(map(len, told)),
                "right": round(sum(right) / ANSWERS, 3),
                "true_stories": round(stories.share, 3),
            },
        }

    about = {
        "corpus": "stories that the models tell themselves, at temperature 1",
        "answers": ANSWERS,
        "longest": LONGEST,
        "parameters": {name: num_parameters(committed(name)[0].config) for name in MODELS},
    }
    arms = [
        {"model": model, "together": together, "seed": seed}
        for model in MODELS
        for together in TOGETHER
        for seed in SEEDS
    ]
    return Experiment(about, tell, arms)
