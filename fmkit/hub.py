"""The Hugging Face Hub: models by their id, and why something cannot be had from there."""

import re
from pathlib import Path

from fmkit.errors import FmkitError
from fmkit.settings import as_path

ID = r"\w[\w.-]*/\w[\w.-]*"  # org/name
FILES = ["*.json", "*.jinja", "model*.safetensors", "adapter_model.safetensors"]  # of a model that are read


def find_model(name: str | Path) -> Path:
    """Return the directory of a model: a path as it is, of an id of the Hub (`org/name`) what is downloaded.

    A directory of that name goes first. Downloads are kept in Hugging Face's cache, which `HF_HOME` moves;
    with HF_HUB_OFFLINE=1, or where the Hub cannot be reached, what was downloaded before is taken. Raises
    `FmkitError` for what is neither a path nor a model of the Hub.
    """
    path = as_path(name)
    if path.exists() or not isinstance(name, str) or not re.fullmatch(ID, name):
        return path
    import huggingface_hub  # a model of this machine needs no client

    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=FILES))
    except Exception as error:  # the Hub and its client raise many kinds
        raise explain(name, error, "model", f"{name}: no directory here, and no model on the Hub") from error


def explain(name: str, error: Exception, kind: str, unknown: str) -> FmkitError:
    """Say in one line why a `kind` of the Hub cannot be had; if there is none, it begins with `unknown`."""
    kinds = {each.__name__ for each in type(error).__mro__}
    if "GatedRepoError" in kinds or "is a gated" in str(error):
        return FmkitError(f"{name}: a gated {kind}; accept its terms on the Hub, then `hf auth login`")
    if kinds & {"RepositoryNotFoundError", "DatasetNotFoundError", "HFValidationError"}:
        return FmkitError(f"{unknown} that is public")
    unreached = {"ConnectionError", "TransportError", "OfflineModeIsEnabled", "TimeoutError"}
    if kinds & {*unreached, "LocalEntryNotFoundError"}:
        return FmkitError(
            f"{unknown}, which cannot be reached; check the network, or set HF_HUB_OFFLINE=1 to use what "
            "was downloaded before"
        )
    reason = str(error.__cause__ or error).strip()[:300]
    remedy = f"; choose one: {name}:CONFIGURATION" if "onfig name is missing" in reason else ""
    return FmkitError(f"{name}: the {kind} cannot be loaded: {reason}{remedy}")
