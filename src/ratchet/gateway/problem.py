"""How a refusal looks over HTTP: problem+json (RFC 9457), from one table of statuses."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ratchet.domain.errors import Code, Mistake, Refusal, invalid
from ratchet.domain.noun import Noun

STATUS: dict[Code, int] = {
    Code.INVALID: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.GONE: 410,
    Code.UNAVAILABLE: 503,
    Code.FAILED: 500,
}
"""The one place where a code becomes a status."""

MEDIA_TYPE = "application/problem+json"
SAFE_HEADERS: dict[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Sent with every answer that does not set them itself."""
_EXTRA: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": 'Bearer realm="ratchet"'},
    413: {"Connection": "close"},
    503: {"Retry-After": "5"},
}
_log = logging.getLogger(__name__)


class Rejected(Refusal):
    """A refusal of HTTP itself, which has a status of its own: too large, wrong media type, wrong method."""

    def __init__(self, status: int, message: str, remedy: str, code: Code = Code.INVALID) -> None:
        super().__init__(code, message, remedy)
        self.status = status


class Problem(Noun):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    remedy: str = ""
    mistakes: tuple[Mistake, ...] = ()
    reference: str | None = None
    """Names the entry in the server's log, for faults of the server."""
    error: str
    """`detail` again, for programs that know only this key."""


REFUSED: dict[int | str, dict[str, Any]] = {
    "default": {"description": "Refused", "content": {MEDIA_TYPE: {}}, "model": Problem}
}
"""How routes describe their refusals in the interface's description."""


def problem(refusal: Refusal, *, reference: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says no, what for, and what to do next."""
    status = refusal.status if isinstance(refusal, Rejected) else STATUS[refusal.code]
    body = Problem(
        type=f"/problems/{refusal.code.value}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=refusal.message,
        code=refusal.code,
        remedy=refusal.remedy,
        mistakes=refusal.mistakes,
        reference=reference,
        error=refusal.message,
    )
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={**SAFE_HEADERS, **_EXTRA.get(status, {}), **(headers or {})},
    )


def add_problems(app: FastAPI) -> None:
    """Give every way of failing its problem."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _refusal(_: Request, error: Exception) -> Response:
    return problem(cast(Refusal, error))


def _not_understood(_: Request, error: Exception) -> Response:
    mistakes = [_mistake(found) for found in cast(RequestValidationError, error).errors()]
    first = f"{mistakes[0].where}: {mistakes[0].message}" if mistakes else "it cannot be read"
    return problem(invalid(f"The request is not understood: {first}", "Mend what `mistakes` names.", mistakes))


def _mistake(found: Mapping[str, Any]) -> Mistake:
    """A validation error without the input that caused it: inputs may hold secrets."""
    parts: Sequence[str | int] = found["loc"]
    most = found.get("ctx", {}).get("max_length")
    remedy = {
        "string_too_short": "Write a few words.",
        "string_too_long": f"Say it in {most} characters, and link to the rest.",
        "extra_forbidden": "Remove it; this body has no such field.",
        "missing": "Add it.",
        "json_invalid": "Send one JSON document.",
    }.get(found["type"], "See /api/v1/openapi.json for what is expected.")
    return Mistake(where=".".join(str(part) for part in parts), code="API001", message=found["msg"], remedy=remedy)


def _http(request: Request, error: Exception) -> Response:
    refused = cast(HTTPException, error)
    match refused.status_code:
        case 404:
            said = Refusal(Code.NOT_FOUND, "There is nothing at this address.", "See /api/v1/openapi.json.")
        case 405:
            said = Rejected(405, f"{request.method} is not possible here.", "See /api/v1/openapi.json.")
        case status:
            said = Rejected(status, "The request cannot be read.", "Send one JSON document.")
    return problem(said, headers=refused.headers)


def _unexpected(request: Request, _: Exception) -> Response:
    """The traceback goes to the log by the server itself; outside there is only a reference to it."""
    reference = secrets.token_hex(6)
    _log.error("reference %s: %s %s failed", reference, request.method, request.url.path)
    said = Refusal(Code.FAILED, "Something in Ratchet broke.", f"Look for reference {reference} in the server's log.")
    return problem(said, reference=reference)
