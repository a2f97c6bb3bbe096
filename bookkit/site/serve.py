"""Serve the built site on this machine."""

import errno
import re
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fmkit.errors import FmkitError

HOST = "127.0.0.1"
FIRST_PORT, TRIES = 8000, 100
LOST = "404.html"
HEAD = re.compile(rb"<head>(\s*<base [^>]*>)?")  # with the public address, if the book was built for one


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

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Meet a dead link with the book's own page, which finds its parts from any depth."""
        lost = Path(self.directory, LOST)
        if code != HTTPStatus.NOT_FOUND or not lost.is_file():
            return super().send_error(code, message, explain)
        page = HEAD.sub(b'<head>\n<base href="/">', lost.read_bytes(), count=1)
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

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
