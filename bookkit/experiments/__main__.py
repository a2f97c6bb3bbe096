"""`python -m bookkit.experiments`, which `make experiments` calls."""

import sys
from collections.abc import Callable, Iterable

from bookkit.experiments.adaptation import adaptation
from bookkit.experiments.batch_size import batch_size
from bookkit.experiments.cutoff import cutoff
from bookkit.experiments.distillation import distillation
from bookkit.experiments.fertility import fertility
from bookkit.experiments.forgetting import forgetting
from bookkit.experiments.isoflop import isoflop
from bookkit.experiments.lab import lab
from bookkit.experiments.lora_near import lora_near
from bookkit.experiments.masking import masking
from bookkit.experiments.preference import preference
from bookkit.experiments.pretraining import pretraining
from bookkit.experiments.recording import ROOT, Experiment, record, rerun
from bookkit.experiments.repetition import repetition
from bookkit.experiments.scaling import scaling
from bookkit.experiments.selection import selection
from bookkit.experiments.support import format_learning, lora_rank
from bookkit.experiments.transfer import transfer
from fmkit.config import reproducible
from fmkit.errors import FmkitError

EXPERIMENTS: dict[str, Callable[[], Experiment]] = {
    "lab": lab,
    "pretraining": pretraining,
    "adaptation": adaptation,
    "batch-size": batch_size,
    "cutoff": cutoff,
    "distillation": distillation,
    "fertility": fertility,
    "forgetting": forgetting,
    "format": format_learning,
    "isoflop": isoflop,
    "lora-rank": lora_rank,
    "lora-near": lora_near,
    "masking": masking,
    "preference": preference,
    "repetition": repetition,
    "scaling": scaling,
    "selection": selection,
    "transfer": transfer,
}


def main(arguments: Iterable[str] | None = None) -> int:
    name, *pairs = list(sys.argv[1:] if arguments is None else arguments) or ["all"]
    reproducible(0)
    try:
        if name not in (*EXPERIMENTS, "all"):
            raise FmkitError(f"no experiment {name!r}: choose from {', '.join(EXPERIMENTS)}")
        if not all("=" in pair for pair in pairs):
            raise FmkitError("settings are written like learning_rate=0.003 seed=0")
        chosen = {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
        for each in EXPERIMENTS if name == "all" else [name]:
            if chosen:
                rerun(each, EXPERIMENTS[each](), chosen)
            else:
                print(record(each, EXPERIMENTS[each]()).relative_to(ROOT))
    except FmkitError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
