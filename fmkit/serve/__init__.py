"""Serve a model to clients that speak OpenAI's API: `fmkit serve`. Needs `fmkit[serve]`."""

import ipaddress
import logging
import signal
import socket
import sys
from pathlib import Path

from tokenizers import Tokenizer

from fmkit.data.tokenizer import as_tokenizer
from fmkit.errors import FmkitError
from fmkit.generation import require_writer
from fmkit.model import Transformer

KEY = "FMKIT_API_KEY"  # the environment variable; other users of the machine see a command's arguments


def serve(
    model: Transformer,
    tokenizer: Tokenizer,
    name: str,
    host: str = "127.0.0.1",
    port: int = 8000,
    max_batch: int = 32,
    max_waiting: int = 256,
    max_length: int | None = None,
    key: str | None = None,
    public_without_key: bool = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C; what runs or waits then is finished.

    `max_batch` answers are written at a time and `max_waiting` more wait, each with its prompt of at most
    `max_length` tokens (the model's context). Raises `FmkitError` without fmkit[serve], for a public address
    without a key unless `public_without_key`, and for one that cannot be had.
    """
    try:
        import uvicorn

        from fmkit.serve.app import make_app
        from fmkit.serve.protocol import Served
    except ImportError:
        raise FmkitError("serving needs starlette and uvicorn: pip install 'fmkit[serve]'") from None
    require_writer(model)
    context = model.config.max_position_embeddings
    length = context if max_length is None else max_length
    if not 2 <= length <= context:
        raise FmkitError(f"max_length={length} must be from 2 to the model's context, {context}")
    if max_batch < 1 or max_waiting < 0:
        raise FmkitError("max_batch must be at least 1 and max_waiting at least 0")
    _require_key(host, key, public_without_key)
    served = Served(name, model, as_tokenizer(tokenizer), length, max_batch)
    hosts = frozenset({"localhost", "127.0.0.1", "::1", host}) if _is_local(host) and key is None else None
    app = make_app(served, max_batch, max_waiting, key, hosts)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    with listen(host, port) as listening:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # after uvicorn has finished what runs
        shown, port = (f"[{host}]" if ":" in host else host), listening.getsockname()[1]
        print(f"{name} is served at http://{shown}:{port}/ (a page) and /v1 (OpenAI's API)", flush=True)
        uvicorn.Server(config).run(sockets=[listening])


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _require_key(host: str, key: str | None, public_without_key: bool) -> None:
    if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key and key):
        raise FmkitError(f"{KEY} must be of visible ASCII characters, one or more; unset it for no key")
    if not (_is_local(host) or key or public_without_key):
        raise FmkitError(
            f"--host {host}: others could use the model: set the environment variable {KEY}, or say "
            "--public-without-key"
        )


def listen(host: str, port: int) -> socket.socket:
    """Open the address to listen at. Raises `FmkitError` if it cannot be had."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=2048)
        listening.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # else pieces wait 40 ms for the client
        return listening
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FmkitError(f"{host}:{port}: {reason}: choose another --host or --port") from None


def name_of(directory: str) -> str:
    """The name under which the model of a directory is served."""
    return Path(directory).resolve().name
