"""Publish the book's data with the site, for notebooks that run elsewhere (see `fmkit.asset`)."""

import hashlib
import json
import shutil
from pathlib import Path

from sphinx.application import Sphinx

PUBLISHED = ("business", "footprint", "hardware", "models", "runs", "texts")  # of assets/


def publish(assets: Path, out: Path) -> None:
    """Copy the data to `out` with an index.json that has the SHA-256 of each file."""
    index = {}
    for folder in PUBLISHED:
        for file in sorted((assets / folder).rglob("*")):
            if file.is_file():
                name = file.relative_to(assets)
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, out / name)
                index[name.as_posix()] = hashlib.sha256(file.read_bytes()).hexdigest()
    out.mkdir(parents=True, exist_ok=True)
    (out / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def finish(app: Sphinx, error: Exception | None) -> None:
    if not error and app.builder.name == "html":
        publish(Path(app.srcdir) / "assets", Path(app.outdir) / "assets")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", finish)
