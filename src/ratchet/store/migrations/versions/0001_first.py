"""The first form of the tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=optional)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    """Make all tables."""
    _events()
    _incidents()
    _decisions_and_alerts()
    _evidence()
    _series()
    _house()
    _protocol()


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        _text("tenant"), _text("stream"), _number("seq"), _text("at"), _text("by"), _text("kind"), _number("version"),
        _bytes("stored"), _bytes("mac"),
        sa.UniqueConstraint("tenant", "stream", "seq", name="events_one_seq"),
    )  # fmt: skip
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        _text("chain"), _number("position"), _bytes("mac"),
        sa.Column("high_water", sa.Text, nullable=False, server_default=""),
    )  # fmt: skip


def _incidents() -> None:
    op.create_table(
        "incidents",
        _text("tenant", key=True), _text("id", key=True), _number("number"), _text("status"),
        _text("target", optional=True), _text("opened_at"), _text("wake_at", optional=True), _number("seq"),
        _text("body"),
        sa.UniqueConstraint("tenant", "number", name="incidents_one_number"),
    )  # fmt: skip
    op.create_index("incidents_due", "incidents", ["tenant", "wake_at"])
    op.create_index("incidents_by_status", "incidents", ["tenant", "status", "number"])


def _decisions_and_alerts() -> None:
    op.create_table(
        "decisions",
        _text("tenant", key=True), _text("id", key=True), _text("incident"), _text("state"), _text("created_at"),
        _text("expires_at"), _text("row"), _text("packet"),
    )  # fmt: skip
    op.create_index("decisions_by_state", "decisions", ["tenant", "state", "expires_at"])
    op.create_index("decisions_of_incident", "decisions", ["tenant", "incident"])
    op.create_table(
        "alerts",
        _text("tenant", key=True), _text("source", key=True), _text("fingerprint", key=True),
        _text("starts_at", key=True), _text("incident"), _text("body"),
    )  # fmt: skip


def _evidence() -> None:
    op.create_table("evidence", _text("tenant", key=True), _text("id", key=True), _number("packed"), _bytes("body"))


def _series() -> None:
    op.create_table("series", _text("tenant", key=True), _text("id", key=True), _number("seq"), _text("body"))
    op.create_table("versions", _text("tenant", key=True), _text("id", key=True), _text("series"))


def _house() -> None:
    op.create_table("targets", _text("tenant", key=True), _text("name", key=True), _text("body"))
    op.create_table(
        "tokens",
        _text("tenant", key=True), _text("id", key=True), sa.Column("hashed", sa.Text, nullable=False, unique=True),
        _text("created_at"), _text("body"),
    )  # fmt: skip


def _protocol() -> None:
    op.create_table(
        "locks",
        _text("tenant", key=True), _text("conflict_group", key=True), _text("incident"), _text("op_id"),
        _number("fence"), _number("held"), _text("cool_until", optional=True),
    )  # fmt: skip
    op.create_table("switch", _text("tenant", key=True), _text("by"), _text("reason"), _text("at"))
    op.create_table("standing", _text("tenant", key=True), _text("id", key=True), _text("given_at"), _text("body"))


def downgrade() -> None:
    """There is nothing before the first form."""
    raise NotImplementedError("restore the backup made before the upgrade")
