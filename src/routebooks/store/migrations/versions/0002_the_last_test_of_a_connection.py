"""The last test of a connection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from routebooks.store.tables import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.add_column("connections", sa.Column("tested_at", Instant(), nullable=True))
    op.add_column("connections", sa.Column("test_problem", sa.JSON(none_as_null=True), nullable=True))
