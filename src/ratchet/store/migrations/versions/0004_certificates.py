"""What certifications of playbook texts found."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "certificates",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("series", "issued_at", "body")),
    )
    op.create_index("certificates_of_series", "certificates", ["tenant", "series"])


def downgrade() -> None:
    """What was proved would be forgotten while the events still tell of it."""
    raise NotImplementedError("restore the backup made before the upgrade")
