"""What every request passes before a route sees it: host, origin, media type, size; safe headers on the way out."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ratchet.domain.errors import Refusal, forbidden
from ratchet.gateway.body import limit_of, read_body
from ratchet.gateway.house import Listener
from ratchet.gateway.problem import SAFE_HEADERS, Rejected, problem

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
READING = ("GET", "HEAD", "OPTIONS")


def check_host(headers: Headers, listener: Listener) -> None:
    """Refuse a name that nobody gave this server: it is how a web page reaches loopback (DNS rebinding)."""
    allowed = (*LOOPBACK_NAMES, *listener.names) if listener.loopback or listener.names else ()
    if allowed and _name(headers.get("host", "")) not in {name.casefold() for name in allowed}:
        raise forbidden("This server is not known by that host name.", "Call it as 127.0.0.1, or add the name to it.")


def _name(netloc: str) -> str:
    try:
        return (urlsplit(f"//{netloc}").hostname or "").casefold()
    except ValueError:
        return ""


def check_origin(method: str, headers: Headers) -> None:
    """Refuse what another site's page sends; programs send no Origin at all."""
    origin = headers.get("origin")
    if origin is not None and _place(origin) != headers.get("host", "").casefold():
        raise forbidden("Requests from other sites are refused.", "Open Ratchet itself and answer there.")
    if method not in READING and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise forbidden("Requests from other sites are refused.", "Open Ratchet itself and answer there.")


def _place(origin: str) -> str | None:
    """`host:port` of an Origin; None when it is no address at all."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return None


def check_media_type(method: str, headers: Headers) -> None:
    """Refuse bodies that are not JSON; a form or plain text can be sent by any web page without asking."""
    declared = headers.get("content-type")
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if method in READING or (declared is None and not has_body):
        return
    kind = (declared or "").partition(";")[0].strip().casefold()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Rejected(415, "Only JSON bodies are read here.", "Send `Content-Type: application/json`.")


class Guard:
    """The ASGI layer around the routes."""

    def __init__(self, app: ASGIApp, listener: Listener) -> None:
        self._app = app
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            check_host(headers, self._listener)
            check_origin(scope["method"], headers)
            check_media_type(scope["method"], headers)
            body = await read_body(headers, receive, limit_of(scope["path"]))
        except Refusal as refusal:
            await problem(refusal)(scope, receive, send)
        except ClientDisconnect:
            return
        else:
            await self._app(scope, _replay(body, receive), _with_safe_headers(send))


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body in one message; afterwards what the server says, such as that the client is gone."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


def _with_safe_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
