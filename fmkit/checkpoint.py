"""Saving so that nothing is lost, and loading only what is whole.

A model directory has Hugging Face's layout (config.json, model.safetensors, tokenizer.json). A checkpoint is
such a directory with the training state added (training.safetensors, training.json) and a manifest of
hashes; it is written under another name, flushed to disk and renamed, so that it is there in full or not at
all. Where processes share the weights, each writes its rows, of weights and state, to a file of its own
(torch.distributed.checkpoint, in safetensors). Nothing is pickled.
"""

import hashlib
import json
import os
import shutil
import sys
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.distributed import checkpoint as dcp
from torch.distributed.tensor import DTensor

from fmkit.config import read_field
from fmkit.data.tokenizer import OTHER_TOKENIZER, save_tokenizer, token_ids
from fmkit.errors import FmkitError
from fmkit.parallel import by_first, gather, rank
from fmkit.processes import only_writer

CONFIGURATIONS = ("config.json", "adapter_config.json")  # what makes a directory a model or an adapter
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
OTHER_MODEL = (  # or adapter: of an earlier one
    INDEX,
    "model-*.safetensors",
    "pytorch_model*",
    "generation_config.json",
    "adapter_config.json",
    "adapter_model.*",
)
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
KEEP = 2  # checkpoints of a run: the newest, and the one before it in case the newest is damaged


# --- a model ----------------------------------------------------------------------------------------------


def save_model(
    directory: str | Path, config: dict[str, Any], weights: dict[str, Tensor], tokenizer: Tokenizer | None
) -> None:
    """Write a Hugging Face model directory; what is there is replaced only when everything is written.

    Of several processes that train the model, the first one writes.
    """
    if rank() > 0:
        return
    with filling(directory, OTHER_MODEL) as scratch:
        _write_model(scratch, config, weights, tokenizer)


@contextmanager
def filling(directory: str | Path, obsolete: Sequence[str] = ()) -> Iterator[Path]:
    """Yield a scratch directory; once all its files are whole, they replace those of `directory`.

    What else matches a pattern of `obsolete` goes. If there is a new tokenizer, so does what says otherwise.
    Meanwhile there is no configuration, so nothing opens the files of two models as one (see `reading`).
    Raises `FmkitError` where another process is filling the directory.
    """
    directory = Path(directory)
    with explain_write_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with only_writer(directory, "model"), explain_write_errors(directory):
        for leftover in directory.glob(".model.tmp-*"):  # of saves that were killed
            shutil.rmtree(leftover, ignore_errors=True)
        scratch = _scratch(directory / "model")
        try:
            scratch.mkdir()
            yield scratch
            files = sorted(scratch.iterdir(), key=lambda file: file.name in CONFIGURATIONS)  # at the end
            for file in files:
                _flush(file)
            for name in CONFIGURATIONS:
                if (scratch / name).exists():
                    (directory / name).unlink(missing_ok=True)
            for file in files:
                os.replace(file, directory / file.name)
            names = {file.name for file in files}
            obsolete = (*obsolete, *(OTHER_TOKENIZER if "tokenizer.json" in names else ()))
            for old in [old for pattern in obsolete for old in directory.glob(pattern)]:
                if old.name not in names:
                    old.unlink(missing_ok=True)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def reading(directory: str | Path) -> Iterator[None]:
    """Read the files of a model. Raises `FmkitError` where another process replaced them meanwhile."""

    def stamps() -> list[tuple[int, ...]]:
        found = []
        for name in CONFIGURATIONS:
            with suppress(OSError):  # it may go at any time
                found.append((Path(directory) / name).stat())
        return [(each.st_ino, each.st_size, each.st_mtime_ns) for each in found]

    before = stamps()
    try:
        yield
    except FmkitError:  # half of one, perhaps, and half of another
        if stamps() == before:
            raise
    else:
        if before and stamps() == before:  # none at the start: one came in between, and may be gone again
            return
    raise FmkitError(f"{directory}: was rewritten while it was read: open it again")


def load_config(directory: str | Path) -> dict[str, Any]:
    """Read the config.json of a model directory. Raises `FmkitError` if it is missing or damaged."""
    file, adapter = (Path(directory) / name for name in CONFIGURATIONS)
    if adapter.is_file():
        raise FmkitError(
            f"{directory}: holds an adapter ({adapter.name}), which others would open with the model: "
            "keep it in a directory of its own, open the model, then load_adapter"
        )
    if not file.is_file():
        raise FmkitError(
            f"{directory}: no model here (config.json is missing): name a directory that "
            "`fmkit pretrain --out` or save_pretrained wrote"
        )
    return read_json(file)


def load_weights(directory: str | Path) -> dict[str, Tensor]:
    """Read the weights of a model directory, in one file or in several that an index names.

    Raises `FmkitError` naming the file that is missing or damaged, and for two sets of weights.
    """
    directory = Path(directory)
    weights: dict[str, Tensor] = {}
    for name, expected in _weight_files(directory).items():
        tensors = read_tensors(directory / name)
        if expected is not None and (odd := sorted(tensors.keys() ^ expected)):
            raise FmkitError(f"{directory / name}: not as {INDEX} says, first {odd[0]} of {len(odd)}")
        weights.update(tensors)
    return weights


def hash_weights(directory: Path) -> str | None:
    """Hash the files of a model's weights (SHA-256); None if they are no longer there."""
    try:
        hashes = [_sha256(directory / name) for name in sorted(_weight_files(directory))]
    except (OSError, FmkitError):
        return None
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _weight_files(directory: Path) -> dict[str, set[str] | None]:
    """Find the files of a model's weights, and which tensors the index says each holds, if there is one."""
    index = directory / INDEX
    if not index.is_file():
        return {SINGLE: None}
    files: dict[str, set[str] | None] = {}
    for tensor, name in read_field(read_json(index), "weight_map", dict, str(index), {}).items():
        if not isinstance(name, str) or Path(name).name != name:
            raise FmkitError(f"{index}: weight_map must name files beside it")
        files.setdefault(name, set()).add(tensor)  # type: ignore[union-attr]
    if SINGLE not in files and (directory / SINGLE).is_file():
        raise FmkitError(f"{directory}: two sets of weights, in {SINGLE} and in the files that {INDEX} names")
    return files


def assign_weights(targets: dict[str, Tensor], weights: dict[str, Tensor], where: str) -> None:
    """Copy `weights` into the tensors of the same names.

    Raises `FmkitError` where names or shapes differ, and for weights that are quantized or not finite.
    """
    if missing := sorted(targets.keys() - weights.keys()):
        raise FmkitError(f"{where}: weights are missing, first {missing[0]} of {len(missing)}")
    if unknown := sorted(weights.keys() - targets.keys()):
        raise FmkitError(f"{where}: {unknown[0]} has no place in the model, one of {len(unknown)}")
    for name, target in targets.items():
        if target.shape != weights[name].shape:
            raise FmkitError(
                f"{where}: {name} has shape {tuple(weights[name].shape)}, "
                f"the model's is {tuple(target.shape)}"
            )
        if (dtype := weights[name].dtype) not in FLOATS:
            raise FmkitError(
                f"{where}: {name} is quantized ({str(dtype).removeprefix('torch.')}), fmkit's are not: have "
                "transformers dequantize() the model and save it"
            )
        if not weights[name].isfinite().all():
            raise FmkitError(
                f"{where}: {name} holds numbers that are not finite: the training that wrote it has failed"
            )
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(weights[name])


def _write_model(
    directory: Path, config: dict[str, Any], weights: dict[str, Tensor], tokenizer: Tokenizer | None
) -> None:
    if weights:
        write_tensors(directory / SINGLE, weights)
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
    keep: int | None = None,
) -> Path:
    """Write checkpoint `step` of a run with its training state, and drop those before the last two.

    The one of step `keep` stays. Of several processes all call this, and the first one writes, but for rows
    that they share. Raises `FmkitError` where the disk is full; the checkpoints before stay as they are.
    """
    target = run_directory / "checkpoints" / f"step-{step:08d}"
    is_shared = any(isinstance(tensor, DTensor) for tensor in weights.values())

    def begin() -> Path:
        with explain_write_errors(run_directory):
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = _scratch(target)
            scratch.mkdir()
            return scratch

    def finish() -> None:
        with explain_write_errors(run_directory):
            _write_model(scratch, config, {} if is_shared else weights, tokenizer)
            if not is_shared:
                write_tensors(scratch / "training.safetensors", tensors)
            write_json(scratch / "training.json", state)
            described = {f.name: _describe(f) for f in scratch.iterdir() if f.name not in rows}
            write_json(scratch / "manifest.json", rows | described)
            for file in (*scratch.iterdir(), scratch):
                _flush(file)
            if target.exists():
                _remove(target)
            os.replace(scratch, target)
            _flush(target.parent)

    scratch = by_first(begin)
    try:
        rows = _write_rows(scratch, {**weights, **tensors}) if is_shared else {}
        by_first(finish)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    by_first(lambda: _drop_checkpoints(target.parent, keep))
    return target


def _drop_checkpoints(directory: Path, keep: int | None) -> None:
    """Drop the checkpoints before the last two, but for that of step `keep`, and what killed saves left."""
    for old in sorted(directory.glob("step-*"))[:-KEEP]:
        if _step(old) != keep:
            _remove(old)
    for leftover in directory.glob(".*.tmp-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _write_rows(directory: Path, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Write this process's rows of the tensors; returns the part of the manifest that all have written.

    Raises `FmkitError` in all of them where one cannot write.
    """
    if not all(gather(directory.is_dir())):
        raise FmkitError(f"{directory.parent}: not every process sees it: give a directory that they share")
    writer = dcp.HuggingFaceStorageWriter(str(directory), save_distributed=True)
    try:
        with explain_write_errors(directory.parent):
            dcp.save(dict(tensors), storage_writer=writer)
    except dcp.api.CheckpointException as error:
        with explain_write_errors(directory.parent):
            raise next(iter(error.failures.values()))[0] from None
    own = {file.name: _describe(file) for file in directory.glob(f"shard-{rank() + 1:05d}-*")}
    return {name: each for part in gather(own) for name, each in part.items()}


def read_checkpoint(
    directory: Path, weights: dict[str, Tensor], shards: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Read a checkpoint's weights, those of the names of `weights`, and its training state.

    However many processes wrote it: what is shared in `weights`, and `shards`, is read as rows of its own.
    """
    files = [directory / name for name in (SINGLE, "training.safetensors")]
    if files[0].is_file() and not shards:
        return read_tensors(files[0]), read_tensors(files[1])
    reader = dcp.HuggingFaceStorageReader(str(directory))
    like = {name: torch.empty_like(tensor) for name, tensor in weights.items()} | shards
    found: dict[str, Any] = reader.read_metadata().state_dict_metadata
    tensors = {
        name: like[name] if name in like else torch.empty(each.size, dtype=each.properties.dtype)
        for name, each in found.items()
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")  # each reads what it needs
        dcp.load(tensors, storage_reader=reader, no_dist=True)
    state = {name: tensor for name, tensor in tensors.items() if name not in weights}
    return {name: tensors[name] for name in weights}, state


def _remove(checkpoint: Path) -> None:
    """Remove a checkpoint at once: who reads it finds all of its files or none."""
    removed = _scratch(checkpoint)
    os.replace(checkpoint, removed)
    shutil.rmtree(removed, ignore_errors=True)


def saved_steps(run_directory: Path) -> list[int]:
    """List the steps whose checkpoints are there, whole or not, the first one first."""
    return sorted(map(_step, run_directory.glob("checkpoints/step-*")))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def latest_checkpoint(run_directory: Path, up_to: int) -> Path | None:
    """Find the newest checkpoint up to a step that is whole, or None; standard error says why one is not."""
    for path in sorted(run_directory.glob("checkpoints/step-*"), reverse=True):
        if _step(path) > up_to:
            continue
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
    return target.with_name(f".{target.name}.tmp-{uuid.uuid4().hex[:12]}")  # on whatever machine


def _flush(path: Path) -> None:
    """Make the system write a file, or a directory's list of files, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _describe(file: Path) -> dict[str, Any]:
    return {"bytes": file.stat().st_size, "sha256": _sha256(file)}


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
