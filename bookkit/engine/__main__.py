"""`python -m bookkit.engine DIRECTORY FILE`: a model that fmkit saved, as one file that a page opens."""

import argparse
import sys
from pathlib import Path

from bookkit.engine.models import pack
from fmkit.errors import FmkitError


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bookkit.engine", description="Export a model for the page."
    )
    parser.add_argument("directory", type=Path, help="a model that fmkit saved, with its tokenizer")
    parser.add_argument("file", type=Path, help="the file to write, such as model.safetensors")
    options = parser.parse_args()
    try:
        data = pack(options.directory)
        options.file.write_bytes(data)
    except (FmkitError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.file}: {len(data) / 1000:,.0f} kB; open it in the prompt lab")
    return 0


if __name__ == "__main__":
    sys.exit(main())
