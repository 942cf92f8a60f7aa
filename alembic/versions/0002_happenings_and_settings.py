"""Happenings of requests, settings of people, repositories as GitHub last described them

Revision: 0002, after 0001. New tables and nullable columns only: the previous release runs on with them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW_TYPES = (
    "project_updated",
    "user_session_ended",
    "user_updated",
    "workspace_archived",
    "workspace_notifications_off",
    "workspace_notifications_on",
    "workspace_unarchived",
    "workspace_updated",
)
OLD_TYPES = (
    "project_created",
    "project_member_added",
    "project_member_removed",
    "project_member_updated_roles",
    "user_updated_roles",
    "user_created",
    "user_disabled",
    "user_enabled",
    "org_created",
    "org_member_added",
    "backend_created",
    "backend_member_added",
    "backend_token_rotated",
    "data_permission_granted",
    "data_permission_revoked",
    "workspace_created",
    "job_request_created",
    "job_request_cancelled",
)


def _user() -> sa.ForeignKey:
    return sa.ForeignKey("user.id", ondelete="CASCADE")


def _now_checked(types: tuple[str, ...]) -> None:
    """Which types of events there may be. Events that are stored are not looked through."""
    listed = ", ".join(f"'{each}'" for each in types)
    op.execute("ALTER TABLE auditable_event DROP CONSTRAINT ck_auditable_event_type_known")
    op.execute(
        "ALTER TABLE auditable_event ADD CONSTRAINT ck_auditable_event_type_known"
        f" CHECK (type IN ({listed})) NOT VALID"
    )


def upgrade() -> None:
    op.create_table("action_name", sa.Column("name", sa.Text(), primary_key=True))
    op.create_table(
        "email_change",
        sa.Column("user_id", sa.Integer(), _user(), primary_key=True, autoincrement=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "mail_preference",
        sa.Column("user_id", sa.Integer(), _user(), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.CheckConstraint("choice IN ('always', 'failures', 'never')", name="choice_known"),
        sa.CheckConstraint("kind IN ('request_ended', 'first_failure')", name="kind_known"),
    )
    op.create_table(
        "muted_workspace",
        sa.Column("user_id", sa.Integer(), _user(), primary_key=True, autoincrement=False),
        sa.Column(
            "workspace_id",
            sa.Integer(),
            sa.ForeignKey("workspace.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
            index=True,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "happening",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "job_request_id",
            sa.Integer(),
            sa.ForeignKey("job_request.id", ondelete="RESTRICT"),
            nullable=False,
        ),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id", ondelete="RESTRICT")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("status_code", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("(kind = 'job') = (job_id IS NOT NULL)", name="names_a_job"),
        sa.CheckConstraint(
            "kind IN ('sent', 'no_answer', 'accepted', 'refused', 'nothing_to_do', 'job', 'mailed', 'not_mailed')",
            name="kind_known",
        ),
    )
    op.create_index("ix_happening_job_request_id_id", "happening", ["job_request_id", sa.text("id DESC")])
    op.create_index(
        "ix_happening_job_id_id",
        "happening",
        ["job_id", "id"],
        postgresql_where=sa.text("job_id IS NOT NULL"),
    )
    op.add_column("job_request", sa.Column("rerun_of_id", sa.Integer()))
    op.execute(
        "ALTER TABLE job_request ADD CONSTRAINT fk_job_request_rerun_of_id"
        " FOREIGN KEY (rerun_of_id) REFERENCES job_request (id) ON DELETE RESTRICT NOT VALID"
    )
    op.add_column("repo", sa.Column("is_private", sa.Boolean()))
    op.add_column("repo", sa.Column("checked_at", sa.DateTime(timezone=True)))
    op.add_column("repo", sa.Column("check_failure", sa.Text(), server_default="", nullable=False))
    _now_checked(OLD_TYPES + NEW_TYPES)


def downgrade() -> None:
    listed = ", ".join(f"'{each}'" for each in NEW_TYPES)
    op.execute(f"DELETE FROM auditable_event WHERE type IN ({listed})")  # noqa: S608 - the names above
    _now_checked(OLD_TYPES)
    for column in ("check_failure", "checked_at", "is_private"):
        op.drop_column("repo", column)
    op.drop_column("job_request", "rerun_of_id")
    for table in ("happening", "muted_workspace", "mail_preference", "email_change", "action_name"):
        op.drop_table(table)
