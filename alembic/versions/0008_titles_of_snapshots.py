"""What a publication is called and about

Revision: 0008, after 0007. Columns with constant defaults: the previous release runs on with them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("title", "summary"):
        op.add_column("snapshot", sa.Column(name, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    for name in ("summary", "title"):
        op.drop_column("snapshot", name)
