"""Releases, publication and release requests; where outputs are checked

Revision: 0004, after 0003. New tables, and columns with defaults: the previous release runs on with them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEW_TYPES = (
    "level4_login",
    "level4_login_failed",
    "level4_token_created",
    "level4_token_voided",
    "org_updated",
    "personal_token_created",
    "publish_request_created",
    "publish_request_rejected",
    "publish_request_withdrawn",
    "release_created",
    "release_file_deleted",
    "release_repeated",
    "release_reviewed",
    "release_uploaded",
    "snapshot_created",
    "snapshot_files_removed",
    "snapshot_published",
    "snapshot_unpublished",
)
OLD_TYPES = (
    "backend_created",
    "backend_member_added",
    "backend_token_rotated",
    "data_permission_granted",
    "data_permission_revoked",
    "job_request_cancelled",
    "job_request_created",
    "org_created",
    "org_member_added",
    "project_created",
    "project_member_added",
    "project_member_removed",
    "project_member_updated_roles",
    "project_updated",
    "user_created",
    "user_disabled",
    "user_enabled",
    "user_session_ended",
    "user_updated",
    "user_updated_roles",
    "workspace_archived",
    "workspace_created",
    "workspace_notifications_off",
    "workspace_notifications_on",
    "workspace_unarchived",
    "workspace_updated",
)
NEW_TABLES = (
    "snapshot_file",
    "release_file_review",
    "release_request_event",
    "release_file",
    "publish_request",
    "snapshot",
    "release_request",
    "release",
)


def _now_checked(types: tuple[str, ...]) -> None:
    """Which types of events there may be. Events that are stored are not looked through."""
    listed = ", ".join(f"'{each}'" for each in types)
    op.execute("ALTER TABLE auditable_event DROP CONSTRAINT ck_auditable_event_type_known")
    op.execute(
        "ALTER TABLE auditable_event ADD CONSTRAINT ck_auditable_event_type_known"
        f" CHECK (type IN ({listed})) NOT VALID"
    )


def upgrade() -> None:
    _releases()
    _publication()
    _release_requests()
    op.add_column("org", sa.Column("is_internal", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("org", sa.Column("output_checking_repo", sa.Text(), server_default="", nullable=False))
    op.add_column("org", sa.Column("output_checking_channel", sa.Text(), server_default="", nullable=False))
    op.execute(
        "ALTER TABLE org ADD CONSTRAINT ck_org_output_checking_repo_form"
        " CHECK (output_checking_repo ~ '^([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+)?$') NOT VALID"
    )
    op.add_column("user", sa.Column("login_token_failures", sa.Integer(), server_default="0", nullable=False))
    _now_checked(OLD_TYPES + NEW_TYPES)


def _releases() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("backend_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="REQUESTED", nullable=False),
        sa.Column("requested_files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("metadata", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("review", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'", name=op.f("ck_release_id_form")),
        sa.CheckConstraint(
            "status IN ('REQUESTED', 'APPROVED', 'REJECTED')", name=op.f("ck_release_status_known")
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_release_created_pair")
        ),
        sa.ForeignKeyConstraint(
            ["backend_id"], ["backend.id"], name=op.f("fk_release_backend_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_release_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_release_workspace_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("id", "workspace_id", name=op.f("uq_release_id_workspace_id")),
    )
    op.create_index(op.f("ix_release_backend_id"), "release", ["backend_id"], unique=False)
    op.create_index(op.f("ix_release_created_by_id"), "release", ["created_by_id"], unique=False)
    op.create_index(
        "ix_release_workspace_id_created_at",
        "release",
        ["workspace_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_table(
        "release_file",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("release_id", sa.String(length=26), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), server_default="", nullable=False),
        sa.Column("filehash", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metadata", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(uploaded_at IS NULL) = (path = '')", name=op.f("ck_release_file_uploaded_has_a_path")
        ),
        sa.CheckConstraint("filehash ~ '^[0-9a-f]{64}$'", name=op.f("ck_release_file_filehash_form")),
        sa.CheckConstraint("id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'", name=op.f("ck_release_file_id_form")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_release_file_name_not_empty")),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (deleted_by_id IS NULL)", name=op.f("ck_release_file_deleted_pair")
        ),
        sa.CheckConstraint(
            "(uploaded_at IS NULL) = (uploaded_by_id IS NULL)", name=op.f("ck_release_file_uploaded_pair")
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_release_file_created_pair")
        ),
        sa.CheckConstraint(
            "deleted_at IS NULL OR uploaded_at IS NOT NULL", name=op.f("ck_release_file_deleted_was_uploaded")
        ),
        sa.CheckConstraint("size >= 0", name=op.f("ck_release_file_size_not_negative")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_release_file_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["deleted_by_id"], ["user.id"], name=op.f("fk_release_file_deleted_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["release_id", "workspace_id"],
            ["release.id", "release.workspace_id"],
            name="fk_release_file_release",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["user.id"], name=op.f("fk_release_file_uploaded_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_file")),
        sa.UniqueConstraint("id", "workspace_id", name=op.f("uq_release_file_id_workspace_id")),
    )
    op.create_index(op.f("ix_release_file_created_by_id"), "release_file", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_release_file_deleted_by_id"), "release_file", ["deleted_by_id"], unique=False)
    op.create_index(op.f("ix_release_file_uploaded_by_id"), "release_file", ["uploaded_by_id"], unique=False)
    op.create_index(
        "ix_release_file_workspace_id_name", "release_file", ["workspace_id", "name"], unique=False
    )
    op.create_index("uq_release_file_release_id_name", "release_file", ["release_id", "name"], unique=True)
    op.create_table(
        "release_file_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("release_file_id", sa.String(length=26), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("comments", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('APPROVED', 'REJECTED')", name=op.f("ck_release_file_review_status_known")
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL",
            name=op.f("ck_release_file_review_created_pair"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user.id"],
            name=op.f("fk_release_file_review_created_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["release_file_id"],
            ["release_file.id"],
            name=op.f("fk_release_file_review_release_file_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_file_review")),
    )
    op.create_index(
        op.f("ix_release_file_review_created_by_id"), "release_file_review", ["created_by_id"], unique=False
    )
    op.create_index(
        op.f("ix_release_file_review_release_file_id"),
        "release_file_review",
        ["release_file_id"],
        unique=False,
    )


def _publication() -> None:
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_snapshot_created_pair")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_snapshot_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_snapshot_workspace_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("id", "workspace_id", name=op.f("uq_snapshot_id_workspace_id")),
    )
    op.create_index(op.f("ix_snapshot_created_by_id"), "snapshot", ["created_by_id"], unique=False)
    op.create_index(
        "ix_snapshot_workspace_id_created_at",
        "snapshot",
        ["workspace_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index("uq_snapshot_workspace_id_digest", "snapshot", ["workspace_id", "digest"], unique=True)
    op.create_table(
        "publish_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decision_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_by_id", sa.Integer(), nullable=True),
        sa.Column("decision_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("unpublished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unpublished_by_id", sa.Integer(), nullable=True),
        sa.Column("unpublished_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('approved', 'rejected', 'withdrawn')",
            name=op.f("ck_publish_request_decision_known"),
        ),
        sa.CheckConstraint(
            "unpublished_at IS NULL OR (decision IS NOT NULL AND decision = 'approved')",
            name=op.f("ck_publish_request_unpublished_was_approved"),
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decision_at IS NULL)", name=op.f("ck_publish_request_decision_has_a_time")
        ),
        sa.CheckConstraint(
            "(decision_at IS NULL) = (decision_by_id IS NULL)", name=op.f("ck_publish_request_decision_pair")
        ),
        sa.CheckConstraint(
            "(unpublished_at IS NULL) = (unpublished_by_id IS NULL)",
            name=op.f("ck_publish_request_unpublished_pair"),
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL",
            name=op.f("ck_publish_request_created_pair"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_publish_request_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["decision_by_id"],
            ["user.id"],
            name=op.f("fk_publish_request_decision_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshot.id"], name=op.f("fk_publish_request_snapshot_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["unpublished_by_id"],
            ["user.id"],
            name=op.f("fk_publish_request_unpublished_by_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publish_request")),
    )
    op.create_index(
        op.f("ix_publish_request_created_by_id"), "publish_request", ["created_by_id"], unique=False
    )
    op.create_index(
        op.f("ix_publish_request_decision_by_id"), "publish_request", ["decision_by_id"], unique=False
    )
    op.create_index(
        "ix_publish_request_queue",
        "publish_request",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_index(op.f("ix_publish_request_snapshot_id"), "publish_request", ["snapshot_id"], unique=False)
    op.create_index(
        op.f("ix_publish_request_unpublished_by_id"), "publish_request", ["unpublished_by_id"], unique=False
    )
    op.create_index(
        "uq_publish_request_in_force",
        "publish_request",
        ["snapshot_id"],
        unique=True,
        postgresql_where=sa.text("decision = 'approved' AND unpublished_at IS NULL"),
    )
    op.create_index(
        "uq_publish_request_pending",
        "publish_request",
        ["snapshot_id"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_table(
        "snapshot_file",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("release_file_id", sa.String(length=26), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_file_id", "workspace_id"],
            ["release_file.id", "release_file.workspace_id"],
            name="fk_snapshot_file_release_file",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id", "workspace_id"],
            ["snapshot.id", "snapshot.workspace_id"],
            name="fk_snapshot_file_snapshot",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "release_file_id", name=op.f("pk_snapshot_file")),
    )
    op.create_index(
        op.f("ix_snapshot_file_release_file_id"), "snapshot_file", ["release_file_id"], unique=False
    )


def _release_requests() -> None:
    op.create_table(
        "release_request",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("backend_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checking_repo", sa.Text(), server_default="", nullable=False),
        sa.Column("issue_repo", sa.Text(), server_default="", nullable=False),
        sa.Column("issue_number", sa.Integer(), nullable=True),
        sa.Column("issue_url", sa.Text(), server_default="", nullable=False),
        sa.Column("issue_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(issue_number IS NULL) = (issue_url = '')", name=op.f("ck_release_request_issue_has_an_address")
        ),
        sa.CheckConstraint("id <> ''", name=op.f("ck_release_request_id_not_empty")),
        sa.CheckConstraint(
            "state IN ('submitted', 'partially_reviewed', 'reviewed', 'returned', 'approved', 'released', 'rejected', 'withdrawn')",
            name=op.f("ck_release_request_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_release_request_author_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["backend_id"], ["backend.id"], name=op.f("fk_release_request_backend_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("fk_release_request_workspace_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_request")),
    )
    op.create_index(
        "ix_release_request_author",
        "release_request",
        ["author_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index(op.f("ix_release_request_backend_id"), "release_request", ["backend_id"], unique=False)
    op.create_index(
        "ix_release_request_created_at",
        "release_request",
        [sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_release_request_state",
        "release_request",
        ["state", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_release_request_workspace_id",
        "release_request",
        ["workspace_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_table(
        "release_request_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("release_request_id", sa.String(length=100), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("updates", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("issue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment_url", sa.Text(), server_default="", nullable=False),
        sa.Column("slack_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "event_type IN ('request_submitted', 'request_resubmitted', 'request_partially_reviewed', 'request_reviewed', 'request_returned', 'request_approved', 'request_released', 'request_rejected', 'request_withdrawn')",
            name=op.f("ck_release_request_event_event_type_known"),
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL",
            name=op.f("ck_release_request_event_created_pair"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user.id"],
            name=op.f("fk_release_request_event_created_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["release_request_id"],
            ["release_request.id"],
            name=op.f("fk_release_request_event_release_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_request_event")),
    )
    op.create_index(
        op.f("ix_release_request_event_created_by_id"),
        "release_request_event",
        ["created_by_id"],
        unique=False,
    )
    op.create_index(
        "uq_release_request_event_once",
        "release_request_event",
        ["release_request_id", "turn", "event_type"],
        unique=True,
    )


def downgrade() -> None:
    listed = ", ".join(f"'{each}'" for each in NEW_TYPES)
    op.execute(f"DELETE FROM auditable_event WHERE type IN ({listed})")  # noqa: S608 - the names above
    _now_checked(OLD_TYPES)
    op.drop_column("user", "login_token_failures")
    for column in ("output_checking_channel", "output_checking_repo", "is_internal"):
        op.drop_column("org", column)
    for table in NEW_TABLES:
        op.drop_table(table)
