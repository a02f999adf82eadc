"""What the gateway needs from the house that wiring builds: a desk per principal, who a token is, and how it stands."""

from collections.abc import Mapping
from typing import Protocol

from ratchet.desk.contract import Desk
from ratchet.desk.views import CheckView
from ratchet.domain.noun import Noun
from ratchet.security.principal import Principal


class Listener(Noun):
    """Where the gateway is reached. A loopback listener answers only to loopback names and to `names`."""

    loopback: bool = True
    names: tuple[str, ...] = ()
    """Host names, without port, under which a proxy or a friend may call."""


class House(Protocol):
    """The wired program, as the gateway sees it."""

    def desk(self, principal: Principal) -> Desk:
        """The desk as this principal meets it."""
        ...

    def principal(self, token_text: str, channel: str) -> Principal | None:
        """Whom a token stands for; None when it is unknown, revoked or expired."""
        ...

    def loopback_source(self) -> Principal | None:
        """The source that may hand in alerts without a token while no source token exists; asked on loopback only."""
        ...

    def ready(self) -> list[CheckView]:
        """What must be well before requests are worth sending here; never the monitored systems."""
        ...

    def figures(self) -> Mapping[str, float]:
        """Present numbers for /metrics, by the keys of `ratchet.gateway.figures.FIGURES`."""
        ...
