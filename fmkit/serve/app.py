"""The web server: who may ask, how much, and how answers are sent."""

import asyncio
import contextlib
import hmac
import html
import json
import logging
import re
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as Received
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fmkit.serve.batch import Asked, Busy, Engine
from fmkit.serve.protocol import Refused, Request, Served

log = logging.getLogger("fmkit.serve")

BODY_SECONDS = 30.0  # for a request to arrive
PAGE = Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def make_app(
    served: Served, places: int, max_waiting: int, key: str | None = None, hosts: frozenset[str] | None = None
) -> Starlette:
    """Make the application. Every client must know `key`, and call the server by one of `hosts`."""
    engine = Engine(served.model, places, max_waiting, served.max_length)
    page, headers = _page(served)
    loaded = int(time.time())
    card = {"id": served.name, "object": "model", "created": loaded, "owned_by": "fmkit"}

    async def answer(received: Received) -> "Answers":
        body = await _body(received, 65_536 + 32 * served.max_length)
        chat = received.url.path == "/v1/chat/completions"
        return Answers(await run_in_threadpool(Request, body, chat, served), engine)

    async def models(received: Received) -> Response:
        return _json({"object": "list", "data": [card]})

    async def model(received: Received) -> Response:
        if received.path_params["name"] != served.name:
            raise Refused(404, f"The model does not exist; this server has {served.name!r}.", "model")
        return _json(card)

    async def health(received: Received) -> Response:
        running = len(engine.batch.answers)
        return _json({"status": "ok", "running": running, "waiting": len(engine.waiting)})

    async def chat_page(received: Received) -> Response:
        return Response(page, media_type="text/html", headers=headers)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        steps = asyncio.create_task(engine.run())
        yield
        steps.cancel()
        await asyncio.wait([steps])

    app = Starlette(
        routes=[
            Route("/", chat_page),
            Route("/health", health),
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            Route("/v1/chat/completions", answer, methods=["POST"]),
            Route("/v1/completions", answer, methods=["POST"]),
        ],
        exception_handlers={Refused: _refuse, HTTPException: _refuse_http, Exception: _fail},
        lifespan=lifespan,
    )
    app.add_middleware(Gate, most=places + max_waiting, key=key, hosts=hosts)
    return app


# --- requests ---------------------------------------------------------------------------------------------


class Gate:
    """What each request passes: the host's name, the key, how many are inside; and its line in the log."""

    def __init__(self, app: ASGIApp, most: int, key: str | None, hosts: frozenset[str] | None) -> None:
        self.app, self.most, self.hosts = app, most, hosts
        self.key = None if key is None else f"Bearer {key}".encode()
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, sent = time.monotonic(), {"status": 0}
        scope["state"]["tokens"] = ""

        async def noting(message: Message) -> None:
            sent["status"] = sent["status"] or message.get("status", 0)
            await send(message)

        self.inside += 1
        try:
            if refused := self._refused(scope):
                await refused(scope, receive, noting)
            else:
                await self.app(scope, receive, noting)
        finally:
            self.inside -= 1
            path, tokens = quote(scope["path"][:80]), scope["state"]["tokens"]
            took = time.monotonic() - start
            log.info("%s %s %d %.2f s%s", scope["method"], path, sent["status"], took, tokens)

    def _refused(self, scope: Scope) -> Response | None:
        given = dict(scope["headers"])
        host = given.get(b"host", b"").decode("latin-1").lower()
        if self.hosts is not None and re.sub(r":\d*$", "", host).strip("[]") not in self.hosts:
            return _error(Refused(400, "This server is called by another name; see --host."))
        is_api = scope["path"].startswith("/v1/")
        if is_api and self.key and not hmac.compare_digest(given.get(b"authorization", b""), self.key):
            message = "Incorrect API key provided: give the one that the server was started with."
            return _error(Refused(401, message, code="invalid_api_key"))
        return _error(_full()) if scope["method"] == "POST" and self.inside > self.most else None


async def _body(received: Received, most: int) -> bytes:
    """Read the body. Raises `Refused` for one that is no JSON, too long or too slow."""
    if received.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(400, "Send JSON, with the header Content-Type: application/json.")
    body = bytearray()
    declared = received.headers.get("content-length", "")
    too_long = declared.isdecimal() and (len(declared) > 18 or int(declared) > most)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in received.stream():
                too_long = too_long or len(body) + len(chunk) > most
                if too_long:
                    raise Refused(413, f"The body is too long: this server takes {most} bytes at most.")
                body += chunk
    except TimeoutError:
        raise Refused(408, f"The body took longer than {BODY_SECONDS:.0f} seconds.") from None
    return bytes(body)


# --- answers ----------------------------------------------------------------------------------------------


class Answers:
    """What a client gets, whole or as it is written; when it vanishes, its places are free."""

    def __init__(self, request: Request, engine: Engine) -> None:
        self.request, self.engine, self.asked = request, engine, Asked(request.answers)
        try:
            engine.submit(self.asked)
        except Busy:
            raise _full() from None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        write = asyncio.create_task(
            (self._stream if self.request.stream else self._whole)(scope, receive, send)
        )
        leave = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({write, leave}, return_when=asyncio.FIRST_COMPLETED)
            if write.done():
                write.result()
        finally:
            for task in (write, leave):
                task.cancel()
            self.engine.leave(self.asked)
            used = self.request.count()
            tokens = f", {used['prompt_tokens']} + {used['completion_tokens']} tokens"
            scope["state"]["tokens"] = tokens + ("" if write.done() else ", client gone")

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        texts = [""] * len(self.asked.answers)
        try:
            async for index, piece, _ in self.asked.pieces():
                texts[index] += piece
        except Exception as error:
            return await _error(_failed(error))(scope, receive, send)
        await _json(self.request.whole(texts))(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})

        async def event(*objects: dict[str, Any]) -> None:
            body = b"".join(b"data: " + _dump(each) + b"\n\n" for each in objects)
            await send({"type": "http.response.body", "body": body, "more_body": True})

        try:
            await event(*self.request.opening())
            async for index, piece, finish in self.asked.pieces():
                await event(*self.request.piece(index, piece, finish))
            await event(*self.request.closing())
        except Exception as error:
            await event(_failed(error).object)
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _full() -> Refused:
    return Refused(429, "The queue is full: try again in a moment.", code="rate_limit_exceeded")


def _failed(error: Exception) -> Refused:
    """What a client learns of an answer that could not be written."""
    log.error("an answer failed: %s", type(error).__name__, exc_info=error)
    return Refused(503, "The model could not write this answer: try a shorter one, or try later.")


def _dump(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_dump(content), status, headers, media_type="application/json")


def _error(refused: Refused) -> Response:
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}}.get(refused.status)
    return _json(refused.object, refused.status, headers)


async def _refuse(received: Received, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _error(error)


async def _refuse_http(received: Received, error: Exception) -> Response:
    """For a path or method that there is not."""
    assert isinstance(error, HTTPException)
    return _error(Refused(error.status_code, f"{error.detail}: {quote(received.url.path[:80])}"))


async def _fail(received: Received, error: Exception) -> Response:
    return _error(Refused(500, "The server failed; its log says why."))


# --- the page ---------------------------------------------------------------------------------------------


def _page(served: Served) -> tuple[str, dict[str, str]]:
    """The chat page and its headers: it runs its own script and style, and talks to this server alone."""

    def hashed(tag: str) -> str:
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.S)
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    policy = (
        f"default-src 'none'; script-src {hashed('script')}; style-src {hashed('style')}; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    size = sum(weight.numel() for weight in served.model.parameters())
    filled = PAGE.replace("%NAME%", html.escape(served.name)).replace("%SIZE%", f"{size:,}")
    filled = filled.replace("%CHATS%", "yes" if served.chats else "no")
    return filled, {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
