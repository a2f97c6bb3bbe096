"""`python -m fmkit.models`, which `make models` calls."""

import argparse
import sys
from collections.abc import Sequence

from fmkit.config import reproducible
from fmkit.errors import FmkitError
from fmkit.models.making import MODELS, make, write_card
from fmkit.models.plans import read_plans


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fmkit.models", description="Make the book's models.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones (all)")
    parser.add_argument("--cards", action="store_true", help="only write their cards again")
    options = parser.parse_args(arguments)
    reproducible(0)
    try:
        plans = read_plans(MODELS / "commands.yml")
        if unknown := [name for name in options.names if name not in plans]:
            raise FmkitError(f"no model {unknown[0]!r}: choose from {', '.join(plans)}")
        for name in options.names or plans:
            if not options.cards:
                make(plans[name], MODELS)
            write_card(plans[name], MODELS)
    except FmkitError as error:
        print(f"fmkit.models: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
