"""When the last word on an occurrence was received, and which end it named."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is not known of old rows stays empty."""
    for name in ("heard_at", "ended_at"):
        op.add_column("alerts", sa.Column(name, sa.Text))


def downgrade() -> None:
    """Nothing is lost: the events say when each word was received."""
    for name in ("heard_at", "ended_at"):
        op.drop_column("alerts", name)
