"""Failures at the pooler: its pool held by silent transactions, its backend pointed elsewhere."""

from ratchet.lab.injectors.grip import Grip, NoArgs
from ratchet.lab.lab import NAMES
from ratchet.lab.pooler import POOL_SIZE


def starve(grip: Grip, _args: NoArgs) -> None:
    """As many open transactions as the pool has connections, all of one application, all silent."""
    for _ in range(POOL_SIZE):
        session = grip.open_as(grip.names.role, "pgbouncer")
        session.autocommit = False
        session.execute("SELECT count(*) FROM products")
        grip.hold(session)
    grip.point_at("application", grip.names.application)


def misdirect(grip: Grip, _args: NoArgs) -> None:
    """The pooler is told a port where nobody listens."""
    pooler = grip.lab.the_pooler()
    pooler.direct(1)
    grip.point_at("target", NAMES["pgbouncer"])


def direct_back(grip: Grip, _args: NoArgs) -> None:
    pooler = grip.lab.the_pooler()
    pooler.direct(grip.lab.primary.port)
