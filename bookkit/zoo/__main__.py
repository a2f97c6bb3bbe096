"""`python -m bookkit.zoo`, which `make models` calls."""

import argparse
import sys
from collections.abc import Sequence

from bookkit.zoo.commands import read_plans
from bookkit.zoo.making import MODELS, make, write_card
from fmkit.config import reproducible
from fmkit.errors import FmkitError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bookkit.zoo", description="Make the book's models.")
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
        print(f"bookkit.zoo: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
