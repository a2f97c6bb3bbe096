"""The book's data: recorded runs, trained models, texts. In a checkout they are its files; elsewhere they are
downloaded from the book's public site, once."""

import hashlib
import json
import os
import urllib.request
import uuid
from collections.abc import Iterator
from http.client import HTTPException
from importlib import metadata
from pathlib import Path

from fmkit.data.cache import cache_folder
from fmkit.errors import FmkitError

BESIDE = Path(__file__).parents[1]  # the checkout, where fmkit is installed in editable mode
INDEX = "index.json"  # what the site publishes: {path: SHA-256}
TIMEOUT = 30  # seconds without an answer

Index = dict[str, str]


class UnknownAsset(FmkitError):
    """The book has no file or folder of this name."""


def asset(path: str) -> Path:
    """The place of a file or folder of the book's data: `runs/scaling.json`, `models/base`.

    In a checkout of the book (around the working directory, or where fmkit is installed in editable mode) it
    is the file there. Elsewhere it is downloaded from `FMKIT_PUBLIC_URL`, or else from the address of the
    book that fmkit was built with; compared with the site's index of SHA-256 hashes; and cached beside the
    caches of datasets (`HF_HOME` moves them), so that no network is needed the next time.

    Raises `UnknownAsset` for a name that the book does not have, and `FmkitError` where the site cannot be
    reached or its files are damaged.
    """
    for root in _checkouts():
        found = root / "assets" / path
        if not found.exists():
            raise UnknownAsset(f"{path}: not in {root / 'assets'}")
        return found
    return _download(path, _public_url())


def _checkouts() -> Iterator[Path]:
    """Folders that hold the book, nearest first."""
    here = Path.cwd()
    for folder in (here, *here.parents, BESIDE):
        if (folder / "_toc.yml").is_file() and (folder / "assets").is_dir():
            yield folder


def _public_url() -> str:
    """The address of the book's site: set by the user, or part of the package's metadata."""
    links = dict(link.split(", ", 1) for link in metadata.metadata("fmkit").get_all("Project-URL") or ())
    url = os.environ.get("FMKIT_PUBLIC_URL") or links.get("Documentation")
    if not url:
        raise FmkitError(
            "the book's data is not here: start in a checkout of the book, or set FMKIT_PUBLIC_URL to the "
            "address of its site"
        )
    return url.rstrip("/")


def _download(path: str, url: str) -> Path:
    """The cached copy of a file or folder of the site, completed and repaired where needed."""
    folder = cache_folder() / "assets" / hashlib.sha256(url.encode()).hexdigest()[:16]
    index = _read_index(folder)
    if index and (names := _names(path, index)) and all(_is_whole(folder / n, index[n]) for n in names):
        return folder / path
    # What is missing or damaged is read from the site as it is now.
    content = _get(url, INDEX)
    index = _parse(content, url)
    names = _names(path, index)
    if not names:
        raise UnknownAsset(f"{path}: not on {url}")
    for name in names:
        if not _is_whole(folder / name, index[name]):
            data = _get(url, name)
            if hashlib.sha256(data).hexdigest() != index[name]:
                raise FmkitError(f"{url}/assets/{name}: damaged in transit: try again")
            _write(folder / name, data)
    _write(folder / INDEX, content)
    return folder / path


def _names(path: str, index: Index) -> list[str]:
    """The file `path`, or the files of the folder `path`."""
    return [name for name in index if name == path or name.startswith(f"{path.rstrip('/')}/")]


def _is_whole(file: Path, digest: str) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest


def _read_index(folder: Path) -> Index | None:
    try:
        return dict(json.loads((folder / INDEX).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _parse(content: bytes, url: str) -> Index:
    try:
        index = dict(json.loads(content))
    except (TypeError, ValueError):
        index = {"": ""}
    # A name must not lead out of the cache.
    if not all(Path(name).parts and not {"..", "/"} & set(Path(name).parts) for name in index):
        raise FmkitError(f"{url}/assets/{INDEX}: not an index of the book's data: check FMKIT_PUBLIC_URL")
    return index


def _get(url: str, name: str) -> bytes:
    address = f"{url}/assets/{name}"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
            return bytes(answer.read())
    except (OSError, HTTPException, ValueError) as error:  # ValueError: not an address
        reason = getattr(error, "reason", error)
        raise FmkitError(
            f"{address}: cannot be downloaded: {reason}; check the network and FMKIT_PUBLIC_URL"
        ) from None


def _write(file: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is complete."""
    scratch = file.with_name(f".{file.name}.{uuid.uuid4().hex[:12]}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        scratch.replace(file)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise FmkitError(f"{file}: cannot be written: {error.strerror}") from None
