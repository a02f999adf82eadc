"""The tables: events are the truth, everything else is folded from them or written in the same transaction."""

from typing import Any

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()


def _nouns(name: str, *columns: "Column[Any]", key: str = "id") -> Table:
    """A table of nouns kept whole in `body`, each under its tenant and key; `columns` is what they are found by."""
    whose = (Column("tenant", Text, primary_key=True), Column(key, Text, primary_key=True))
    return Table(name, metadata, *whose, *columns, Column("body", Text, nullable=False))


events = Table(
    "events",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("tenant", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("stored", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    UniqueConstraint("tenant", "stream", "seq", name="events_one_seq"),
)
"""Position is commit order. `stored` holds every field of the event; the columns before it are only its index."""

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("chain", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("high_water", Text, nullable=False, server_default=""),
)
"""One row: where the chain ends. `chain` names this database, so that an anchor of another one is noticed.

`high_water` is the latest wall time ever written down: a clock that goes back is noticed by it.
"""

incidents = Table(
    "incidents",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("target", Text),
    Column("opened_at", Text, nullable=False),
    Column("wake_at", Text),
    Column("seq", Integer, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "number", name="incidents_one_number"),
)
Index("incidents_due", incidents.c.tenant, incidents.c.wake_at)
Index("incidents_by_status", incidents.c.tenant, incidents.c.status, incidents.c.number)

decisions = Table(
    "decisions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("incident", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("row", Text, nullable=False),
    Column("packet", Text, nullable=False),
)
Index("decisions_by_state", decisions.c.tenant, decisions.c.state, decisions.c.expires_at)
Index("decisions_of_incident", decisions.c.tenant, decisions.c.incident)

alerts = Table(
    "alerts",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("starts_at", Text, primary_key=True),
    Column("incident", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("heard_at", Text),
    Column("ended_at", Text),
)
"""Occurrences already received, with the incident that each belongs to and what was last said of it.

`heard_at` is when that was received, `ended_at` the end that its last `resolved` named; both are empty for what an
earlier release wrote.
"""

joinable = Table(
    "joinable",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("incident", Text, primary_key=True),
)
Index("joinable_of_incident", joinable.c.tenant, joinable.c.incident)
"""By which alerts and which group the incidents that still take alerts are found."""

evidence = Table(
    "evidence",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("packed", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

series = _nouns("series", Column("seq", Integer, nullable=False))

versions = Table(
    "versions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("series", Text, nullable=False),
)
"""Which series holds a version."""

targets = _nouns("targets", key="name")

tokens = _nouns(
    "tokens",
    Column("hashed", Text, nullable=False, unique=True),
    Column("created_at", Text, nullable=False),
)

locks = Table(
    "locks",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("conflict_group", Text, primary_key=True),
    Column("incident", Text, nullable=False),
    Column("op_id", Text, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("cool_until", Text),
)
"""One row per conflict group that was ever acted on; `held` while the outcome of its operation is open."""

switch = Table(
    "switch",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""A row while the automation is paused."""

standing = _nouns("standing", Column("given_at", Text, nullable=False))

certificates = _nouns("certificates", Column("series", Text, nullable=False), Column("issued_at", Text, nullable=False))
Index("certificates_of_series", certificates.c.tenant, certificates.c.series)

runs = _nouns(
    "runs",
    Column("batch", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("ended_at", Text, nullable=False),
)
Index("runs_by_end", runs.c.tenant, runs.c.ended_at)
Index("runs_of_fault", runs.c.tenant, runs.c.fault, runs.c.ended_at)

seals = Table(
    "seals",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("mac", LargeBinary, nullable=False),
    Column("high_water", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
"""Places up to which the chain was walked and found whole, signed with the house's key."""

followers = Table(
    "followers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
)
"""How far each sink has been told; a place that is lost means that events are told twice."""
