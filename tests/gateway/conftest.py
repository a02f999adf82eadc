"""One uvicorn on loopback for the whole session; each test puts its own application behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from ratchet.gateway.app import create_app
from ratchet.gateway.house import House, Listener
from ratchet.gateway.server import Server
from tests.gateway.paper import PaperHouse


@dataclass
class Street:
    """An address whose application can be changed."""

    app: ASGIApp | None = None
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def put(self, house: House, listener: Listener | None = None) -> None:
        self.app = create_app(house, listener)


@pytest.fixture(scope="session")
def _street() -> Iterator[Street]:
    street = Street()
    server = Server(street)
    street.url = server.start()
    yield street
    server.stop()


@pytest.fixture
def house() -> PaperHouse:
    return PaperHouse()


@pytest.fixture
def street(_street: Street, house: PaperHouse) -> Street:
    """The address, with the test's own house behind it."""
    _street.put(house)
    return _street


@pytest.fixture
def ask(street: Street) -> Iterator[Callable[..., httpx2.Response]]:
    """`ask("GET", "/path", role, **more)`: one request with that role's token, or none."""
    with httpx2.Client(base_url=street.url, trust_env=False, timeout=20) as client:

        def send(method: str, path: str, role: str | None = None, **more: Any) -> httpx2.Response:
            headers: dict[str, Any] = dict(more.pop("headers", {}))
            if role:
                headers["Authorization"] = f"Bearer rtk_{role}"
            return client.request(method, path, headers=headers, **more)

        yield send
