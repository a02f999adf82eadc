"""Opens what stands in a state directory: the tables, the key of the chain, the key under its seals."""

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, select

from ratchet.domain.errors import Code, Refusal
from ratchet.security.chain import GENESIS, make_key, read_key
from ratchet.security.seal import Signer, make_signer, read_signer
from ratchet.store import tables as t
from ratchet.store.migrate import migrate
from ratchet.store.proof import read_head
from ratchet.store.sqlite import Connections, open_engine


def open_tables(home: Path, new_id: Callable[[], str]) -> Connections:
    """The tables, migrated, with the first row of the chain; raises Refusal(UNAVAILABLE) when they cannot be had."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = open_engine(home / "ratchet.db")
    except OSError as error:
        raise Refusal(
            Code.UNAVAILABLE,
            f"The state directory {home} cannot be opened: {error.strerror}.",
            "Give this account write access to it, or set RATCHET_HOME to another directory.",
        ) from None
    connections = Connections(engine)
    try:
        migrate(engine)
        with connections.write() as connection:
            if connection.execute(select(t.head.c.id)).first() is None:
                connection.execute(insert(t.head), {"id": 1, "chain": new_id(), "position": 0, "mac": GENESIS})
    except Refusal:
        connections.close()
        raise
    return connections


def key_of(connections: Connections, home: Path) -> bytes:
    """The key; it is made only while there is nothing yet that it should prove."""
    with connections.read() as connection:
        begun = read_head(connection).position > 0
    return read_key(home / "key") if begun else make_key(home / "key", os.urandom)


def signer_of(connections: Connections, home: Path) -> Signer:
    """The house's signing key; once something was sealed with it, it is not quietly made anew."""
    with connections.read() as connection:
        begun = connection.execute(select(t.seals.c.position).limit(1)).first() is not None
    return read_signer(home / "seal") if begun else make_signer(home / "seal", os.urandom)
