"""Seals of the chain, and the places of those who follow it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "seals",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.Column("high_water", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "followers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Nothing is lost: seals are made again, and a follower begins anew."""
    op.drop_table("followers")
    op.drop_table("seals")
