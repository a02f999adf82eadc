"""By which alerts and groups the open incidents are found."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = "('open', 'triaging', 'awaiting_approval', 'acting', 'verifying')"
_WAITING = "('escalated', 'held')"
_TAKES = (
    f"(i.status IN {_OPEN} OR (i.status IN {_WAITING} AND EXISTS (SELECT 1 FROM json_each(i.body, '$.alerts') AS f"
    " WHERE json_extract(f.value, '$.status') <> 'resolved')))"
)


def upgrade() -> None:
    """Make the table and fill it from what is open."""
    op.create_table(
        "joinable",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("tenant", "kind", "key", "incident")),
    )
    op.create_index("joinable_of_incident", "joinable", ["tenant", "incident"])
    op.execute(
        "INSERT INTO joinable (tenant, kind, key, incident) SELECT DISTINCT i.tenant, 'same',"
        " json_extract(a.value, '$.source') || '|' || json_extract(a.value, '$.fingerprint'), i.id"
        f" FROM incidents AS i, json_each(i.body, '$.alerts') AS a WHERE {_TAKES}"
    )
    op.execute(
        "INSERT INTO joinable (tenant, kind, key, incident)"
        " SELECT i.tenant, 'group', json_extract(i.body, '$.alerts[0].group_key'), i.id FROM incidents AS i"
        f" WHERE {_TAKES} AND json_extract(i.body, '$.alerts[0].group_key') <> ''"
    )


def downgrade() -> None:
    """Nothing is lost: the incidents hold all of it."""
    op.drop_table("joinable")
