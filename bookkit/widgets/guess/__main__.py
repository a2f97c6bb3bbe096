"""`python -m bookkit.widgets.guess`: record what a model expects next."""

import argparse
import json
import shlex
import sys
from pathlib import Path

from bookkit.widgets.guess import MODELS, record


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bookkit.widgets.guess", description="Record a prediction."
    )
    parser.add_argument("directory", type=Path, help="a model that fmkit saved")
    parser.add_argument("prompt")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trained", required=True, help="the command that made the model")
    parser.add_argument("--model", required=True, help="the model in words, for the reader")
    options = parser.parse_args()
    content = {
        "prompt": options.prompt,
        "top": record(options.directory, options.prompt),
        "model": options.model,
        "command": f"{options.trained}\n{parser.prog} {shlex.join(sys.argv[1:4])} …",
    }
    if options.directory.parent == Path(MODELS):
        content["live"] = options.directory.name
    options.file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
