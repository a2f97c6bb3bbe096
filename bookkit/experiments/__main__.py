"""`python -m bookkit.experiments`, which `make experiments` calls."""

import importlib
import pkgutil
import sys
from collections.abc import Iterable

from bookkit import experiments
from bookkit.experiments.recording import EXPERIMENTS, ROOT, record, rerun
from fmkit.config import reproducible
from fmkit.errors import FmkitError

for module in pkgutil.iter_modules(experiments.__path__):
    if module.name != "__main__":
        importlib.import_module(f"{experiments.__name__}.{module.name}")


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
