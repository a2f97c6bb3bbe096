"""`python -m bookkit.engine DIRECTORY FILE [--int8]`: a model that fmkit saved, as a file for the page."""

import argparse
import sys
from pathlib import Path

from bookkit.engine.packing import pack
from fmkit.errors import FmkitError


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bookkit.engine", description="Export a model for the page."
    )
    parser.add_argument("directory", type=Path, help="a model that fmkit saved, with its tokenizer")
    parser.add_argument("file", type=Path, help="the file to write, such as model.safetensors")
    parser.add_argument("--int8", action="store_true", help="the matrices of the blocks in 8 bits")
    options = parser.parse_args()
    try:
        data = pack(options.directory, options.int8)
        options.file.write_bytes(data)
    except (FmkitError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.file}: {len(data) / 1000:,.0f} kB; open it in the prompt lab")
    return 0


if __name__ == "__main__":
    sys.exit(main())
