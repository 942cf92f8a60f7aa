"""What 0004 let be: look through the rows that were there before its rules

Revision: 0005, after 0004. Rows can be read and written meanwhile.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("ALTER TABLE auditable_event VALIDATE CONSTRAINT ck_auditable_event_type_known")
        op.execute("ALTER TABLE org VALIDATE CONSTRAINT ck_org_output_checking_repo_form")
        op.execute("SET statement_timeout = '60s'")


def downgrade() -> None:
    """Nothing to undo: what was looked through stays so."""
