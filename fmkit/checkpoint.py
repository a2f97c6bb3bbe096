"""Saving so that nothing is lost, and loading only what is whole.

A model directory has Hugging Face's layout (config.json, model.safetensors, tokenizer.json). A checkpoint is
such a directory with the training state added (training.safetensors, training.json) and a manifest of
hashes; it is written under another name, flushed to disk and renamed, so that it is there in full or not at
all. Nothing is pickled.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from fmkit.config import read_field
from fmkit.data.tokenizer import save_tokenizer, token_ids
from fmkit.errors import FmkitError

KEEP = 2  # checkpoints of a run: the newest, and the one before it in case the newest is damaged


# --- a model ----------------------------------------------------------------------------------------------


def save_model(
    directory: str | Path, config: dict[str, Any], weights: dict[str, Tensor], tokenizer: Tokenizer | None
) -> None:
    """Write a Hugging Face model directory; each file replaces an earlier one only when it is whole."""
    with filling(directory) as scratch:
        _write_model(scratch, config, weights, tokenizer)


@contextmanager
def filling(directory: str | Path) -> Iterator[Path]:
    """Yield a scratch directory; once all its files are whole, each replaces the one in `directory`."""
    directory = Path(directory)
    with explain_write_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        scratch = _scratch(directory / "model")
        try:
            scratch.mkdir()
            yield scratch
            for file in sorted(scratch.iterdir(), reverse=True):  # weights before their configuration
                _flush(file)
                os.replace(file, directory / file.name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def load_config(directory: str | Path) -> dict[str, Any]:
    """Read the config.json of a model directory. Raises `FmkitError` if it is missing or damaged."""
    file = Path(directory) / "config.json"
    if not file.is_file():
        raise FmkitError(
            f"{directory}: no model here (config.json is missing): name a directory that "
            "`fmkit pretrain --out` or save_pretrained wrote"
        )
    return read_json(file)


def load_weights(directory: str | Path) -> dict[str, Tensor]:
    """Read the weights (float32) of a model directory, in one file or in several that an index names.

    Raises `FmkitError` naming the file that is missing or damaged.
    """
    directory = Path(directory)
    index, names = directory / "model.safetensors.index.json", ["model.safetensors"]
    if index.is_file():
        names = list(read_field(read_json(index), "weight_map", dict, str(index), {}).values())
        if not all(isinstance(name, str) and Path(name).name == name for name in names):
            raise FmkitError(f"{index}: weight_map must name files beside it")
    weights: dict[str, Tensor] = {}
    for name in sorted(set(names)):
        weights.update(read_tensors(directory / name))
    return {name: tensor.float() for name, tensor in weights.items()}


def assign_weights(targets: dict[str, Tensor], weights: dict[str, Tensor], where: str) -> None:
    """Copy `weights` into the tensors of the same names. Raises `FmkitError` where names or shapes differ."""
    if missing := sorted(targets.keys() - weights.keys()):
        raise FmkitError(f"{where}: weights are missing, first {missing[0]} of {len(missing)}")
    for name, target in targets.items():
        if target.shape != weights[name].shape:
            raise FmkitError(
                f"{where}: {name} has shape {tuple(weights[name].shape)}, "
                f"the model's is {tuple(target.shape)}"
            )
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(weights[name])


def _write_model(
    directory: Path, config: dict[str, Any], weights: dict[str, Tensor], tokenizer: Tokenizer | None
) -> None:
    write_tensors(directory / "model.safetensors", weights)
    config = dict(config)
    if tokenizer is not None:
        save_tokenizer(tokenizer, directory, config["max_position_embeddings"])
        config |= token_ids(tokenizer)
    write_json(directory / "config.json", config)


# --- a run's checkpoints ----------------------------------------------------------------------------------


def save_checkpoint(
    run_directory: Path,
    step: int,
    config: dict[str, Any],
    weights: dict[str, Tensor],
    tokenizer: Tokenizer | None,
    tensors: dict[str, Tensor],
    state: dict[str, Any],
) -> Path:
    """Write checkpoint `step` of a run with its training state, and drop those older than the last two.

    Raises `FmkitError` where the disk is full; the checkpoints before stay as they are.
    """
    target = run_directory / "checkpoints" / f"step-{step:08d}"
    with explain_write_errors(run_directory):
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = _scratch(target)
        try:
            scratch.mkdir()
            _write_model(scratch, config, weights, tokenizer)
            write_tensors(scratch / "training.safetensors", tensors)
            write_json(scratch / "training.json", state)
            manifest = {f.name: {"bytes": f.stat().st_size, "sha256": _sha256(f)} for f in scratch.iterdir()}
            write_json(scratch / "manifest.json", manifest)
            for file in (*scratch.iterdir(), scratch):
                _flush(file)
            shutil.rmtree(target, ignore_errors=True)
            os.replace(scratch, target)
            _flush(target.parent)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    for old in sorted(target.parent.glob("step-*"))[:-KEEP]:
        shutil.rmtree(old)
    for leftover in target.parent.glob(".*.tmp-*"):  # of saves that were killed
        shutil.rmtree(leftover, ignore_errors=True)
    return target


def latest_checkpoint(run_directory: Path) -> Path | None:
    """Find the newest checkpoint that is whole, or None; standard error says why a newer one is skipped."""
    for path in sorted(run_directory.glob("checkpoints/step-*"), reverse=True):
        fault = find_damage(path)
        if fault is None:
            return path
        print(f"fmkit: checkpoint {path.name} is damaged ({fault}): using the one before", file=sys.stderr)
    return None


def find_damage(checkpoint: Path) -> str | None:
    """Say what is wrong with a checkpoint, or None if every file is as it was written."""
    try:
        manifest = read_json(checkpoint / "manifest.json")
        for name, expected in manifest.items():
            file = checkpoint / name
            if not file.is_file():
                return f"{name} is missing"
            if file.stat().st_size != expected["bytes"]:
                return f"{name} is cut short"
            if _sha256(file) != expected["sha256"]:
                return f"{name} has changed since it was written"
    except (FmkitError, KeyError, TypeError, AttributeError, OSError, ValueError) as error:
        return f"manifest.json: {error}"
    return None


# --- files ------------------------------------------------------------------------------------------------


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object from a file. Raises `FmkitError` if there is none."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FmkitError(f"{file}: cannot be read as JSON ({error})") from None
    if not isinstance(data, dict):
        raise FmkitError(f"{file}: holds a {type(data).__name__}, not a JSON object")
    return data


def write_json(file: Path, data: dict[str, Any]) -> None:
    """Write a JSON object so that the file is the old or the new one, never half of it."""
    scratch = file.with_name(f".{file.name}.tmp")
    with explain_write_errors(file.parent):
        scratch.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        _flush(scratch)
        os.replace(scratch, file)


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file. Raises `FmkitError` if it is missing or damaged."""
    if not file.is_file():
        raise FmkitError(f"{file}: is missing")
    try:
        return load_file(file)
    except (OSError, SafetensorError, ValueError) as error:
        raise FmkitError(f"{file}: is damaged ({error})") from None


def write_tensors(file: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors as a safetensors file."""
    save_file({k: t.detach().contiguous().cpu() for k, t in tensors.items()}, file, {"format": "pt"})


@contextmanager
def explain_write_errors(directory: Path) -> Iterator[None]:
    """Turn a failed write into one line that says where and what to do."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        remedy = "free some space and run again with --resume" if "space" in reason else "check the path"
        raise FmkitError(
            f"{directory}: cannot be written ({reason}): what was there before is unharmed; {remedy}"
        ) from None


def _scratch(target: Path) -> Path:
    return target.with_name(f".{target.name}.tmp-{os.getpid()}")


def _flush(path: Path) -> None:
    """Make the system write a file, or a directory's list of files, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
