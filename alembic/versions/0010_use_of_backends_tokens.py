"""When backends' tokens were used last, and an index of files that are waited for

Revision: 0010, after 0009. Two columns that may be null; the index is made while others write.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COLUMNS = ("token_used_at", "previous_token_used_at")
INDEX = "ix_release_file_waiting"


def upgrade() -> None:
    # The index first: what is stopped in it can be run again.
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        # What is left of a run that was stopped is an index that is not used.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON release_file (release_id) WHERE uploaded_at IS NULL"
        )
        op.execute("SET statement_timeout = '60s'")
    for name in COLUMNS:
        op.add_column("backend", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
    for name in COLUMNS:
        op.drop_column("backend", name)
