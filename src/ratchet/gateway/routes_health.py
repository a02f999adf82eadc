"""Health, figures and the description of the interface itself: the routes that need no token."""

import base64
import hashlib
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from ratchet.gateway.access import OPEN, OPEN_ON_LOOPBACK, house_of
from ratchet.gateway.figures import Meter

router = APIRouter(include_in_schema=False)

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "td{padding:.2rem 1rem .2rem 0;vertical-align:top}code{white-space:nowrap}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")


@router.get("/livez", dependencies=[OPEN])
@router.get("/healthz", dependencies=[OPEN])
def livez() -> PlainTextResponse:
    """The process answers; nothing else is asked."""
    return PlainTextResponse("ok\n")


@router.get("/health", dependencies=[OPEN])
def health() -> dict[str, str]:
    """As `/livez`, in the form that older programs read."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[OPEN])
def readyz(request: Request) -> PlainTextResponse:
    """Whether requests are worth sending here: names only, since anyone may ask."""
    checks = house_of(request).ready()
    lines = [f"[{'-' if check.ok is False else '+'}]{check.name} {_word(check.ok)}" for check in checks]
    ready = all(check.ok is not False for check in checks)
    headers = {} if ready else {"Retry-After": "5"}
    last = "ready" if ready else "not ready"
    return PlainTextResponse("\n".join([*lines, last]) + "\n", status_code=200 if ready else 503, headers=headers)


def _word(ok: bool | None) -> str:
    return {True: "ok", False: "failed", None: "unknown"}[ok]


@router.get("/metrics", dependencies=[OPEN_ON_LOOPBACK])
def metrics(request: Request) -> Response:
    """The figures in Prometheus' text format or OpenMetrics."""
    meter: Meter = request.app.state.meter
    content, media_type = meter.page(request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": media_type})


@router.get("/api/v1/openapi.json", dependencies=[OPEN])
def openapi(request: Request) -> JSONResponse:
    """The interface, for programs."""
    return JSONResponse(request.app.openapi())


@router.get("/api/v1/docs", dependencies=[OPEN])
def docs(request: Request) -> HTMLResponse:
    """The interface, for people; one page without scripts and without other servers."""
    described: dict[str, Any] = request.app.openapi()
    rows = [
        f"<tr><td><code>{method.upper()} {escape(path)}</code><td>{escape(verb.get('description', ''))}"
        for path, verbs in described["paths"].items()
        for method, verb in verbs.items()
    ]
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Ratchet API</title><style>{_STYLE}</style>"
        "<h1>Ratchet API</h1><p>Send <code>Authorization: Bearer rtk_...</code>. Refusals are"
        " <code>application/problem+json</code>. For programs: <a href=openapi.json>openapi.json</a>."
        f"<table>{''.join(rows)}</table></html>"
    )
    policy = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})
