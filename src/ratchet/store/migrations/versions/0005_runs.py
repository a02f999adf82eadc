"""What drills found."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "runs",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("batch", "fault", "ended_at", "body")),
    )
    op.create_index("runs_by_end", "runs", ["tenant", "ended_at"])
    op.create_index("runs_of_fault", "runs", ["tenant", "fault", "ended_at"])


def downgrade() -> None:
    """What was found would be forgotten while the events still tell of it."""
    raise NotImplementedError("restore the backup made before the upgrade")
