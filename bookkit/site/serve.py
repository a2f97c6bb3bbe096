"""Serve the built site on this machine."""

import errno
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fmkit.errors import FmkitError

HOST = "127.0.0.1"
FIRST_PORT, TRIES = 8000, 100


class Handler(SimpleHTTPRequestHandler):
    # What the machine's own tables may lack: a module under another type is refused by browsers.
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
    }

    def log_message(self, *arguments: Any) -> None:
        """Say nothing: the terminal keeps the address in sight."""


def open_server(folder: Path, port: int | None = None) -> ThreadingHTTPServer:
    """A server on exactly `port`, or on the first free one from 8000."""
    handler = partial(Handler, directory=str(folder))
    for candidate in range(FIRST_PORT, FIRST_PORT + TRIES) if port is None else [port]:
        try:
            return ThreadingHTTPServer((HOST, candidate), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    wanted = f"Port {port} is" if port is not None else f"Ports {FIRST_PORT} to {FIRST_PORT + TRIES - 1} are"
    raise FmkitError(f"{wanted} not free: choose another one, as in  make book PORT=9000")


def serve(folder: Path, port: int | None = None) -> None:
    with open_server(folder, port) as server:
        print(f"The book is at http://{HOST}:{server.server_port}/  (Ctrl-C ends it)", flush=True)
        server.serve_forever()
