"""Who may use a route: every route declares it by `Needs` or `Open`, and the application refuses one that does not."""

from typing import Annotated, TypeAlias

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ratchet.desk.contract import Desk
from ratchet.domain.errors import Code, Refusal, forbidden, invalid
from ratchet.gateway.house import House, Listener
from ratchet.gateway.server import is_loopback
from ratchet.security.principal import Permission, Principal, require

CHANNEL = "http"


class Needs:
    """A dependency that yields the caller's desk, or refuses. `None` asks only that the caller is known; `person` that
    no service does it, whatever its role."""

    def __init__(self, permission: Permission | None, *, person: bool = False) -> None:
        self.permission: Permission | None = permission
        self.person = person

    def __call__(self, request: Request) -> Desk:
        house = house_of(request)
        principal = self._principal(request, house)
        if self.permission is not None:
            require(principal, self.permission)
        if self.person and principal.kind != "person":
            raise forbidden(f"{principal.id} is not a person; only a person may do this.", "Use a person's token.")
        if self.permission != "ingest":
            _refuse_unknown_query(request)
        return house.desk(principal)

    def _principal(self, request: Request, house: House) -> Principal:
        token = bearer(request)
        if token is not None:
            found = house.principal(token, CHANNEL)
            if found is None:
                raise Refusal(Code.UNAUTHENTICATED, "This token is not known, was revoked or has expired.", _HOW)
            return found
        source = house.loopback_source() if self.permission == "ingest" and from_this_machine(request) else None
        if source is None:
            raise Refusal(Code.UNAUTHENTICATED, "This needs a token.", _HOW)
        return source


class Open:
    """A declaration that a route is public: always, or on a loopback listener while others need `read`."""

    def __init__(self, *, only_on_loopback: bool = False) -> None:
        self.only_on_loopback = only_on_loopback

    def __call__(self, request: Request) -> None:
        listener: Listener = request.app.state.listener
        if self.only_on_loopback and not listener.loopback:
            Needs("read")(request)


_HOW = "Send `Authorization: Bearer rtk_...` with a token made by `ratchet token create`."

Known: TypeAlias = Annotated[Desk, Depends(Needs(None))]
Read: TypeAlias = Annotated[Desk, Depends(Needs("read"))]
Ingest: TypeAlias = Annotated[Desk, Depends(Needs("ingest"))]
Answer: TypeAlias = Annotated[Desk, Depends(Needs("answer"))]
Operate: TypeAlias = Annotated[Desk, Depends(Needs("operate"))]
OperatePerson: TypeAlias = Annotated[Desk, Depends(Needs("operate", person=True))]
Activate: TypeAlias = Annotated[Desk, Depends(Needs("activate"))]
Admin: TypeAlias = Annotated[Desk, Depends(Needs("admin"))]
OPEN = Depends(Open())
OPEN_ON_LOOPBACK = Depends(Open(only_on_loopback=True))


def house_of(request: Request) -> House:
    """The house behind this application."""
    house: House = request.app.state.house
    return house


def from_this_machine(request: Request) -> bool:
    """Whether the listener is loopback and the caller is, too; a proxy on this machine calls for somebody else."""
    listener: Listener = request.app.state.listener
    forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
    return listener.loopback and not forwarded and request.client is not None and is_loopback(request.client.host)


def bearer(request: Request) -> str | None:
    """The token of the Authorization header; None without one, a refusal for any other scheme."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.casefold() != "bearer" or not token.strip():
        raise Refusal(Code.UNAUTHENTICATED, "Only bearer tokens are accepted.", _HOW)
    return token.strip()


def _refuse_unknown_query(request: Request) -> None:
    """`?approved=true` must not look as if it had meant something, and a token in an address ends up in logs."""
    route = request.scope.get("route")
    known = {param.alias for param in route.dependant.query_params} if isinstance(route, APIRoute) else set[str]()
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise invalid(f"There is no query parameter {unknown[0][:60]!r} here.", f"Leave it out; known are: {allowed}.")


def declaration(dependant: Dependant) -> Needs | Open | None:
    """How a route says who may use it; None when it does not."""
    found = [inner.call for inner in dependant.dependencies if isinstance(inner.call, Needs | Open)]
    return found[0] if len(found) == 1 else None


def declarations(app: FastAPI) -> dict[str, Needs | Open | None]:
    """Every route of the application, as `GET /path`, with its declaration."""
    return {
        f"{method} {getattr(route, 'path', route)}": declaration(route.dependant)
        if isinstance(route, APIRoute)
        else None
        for route in app.routes
        for method in sorted(getattr(route, "methods", None) or {"ANY"})
    }
