"""The staff area: who did what and why, tokens, pauses, ends of memberships, applications

Revision: 0006, after 0005. New tables, and columns with defaults: the previous release runs on with them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NEW_TYPES = (
    "announcement_mailed",
    "application_linked",
    "application_unlinked",
    "backend_cancelled_all",
    "backend_member_removed",
    "backend_member_updated",
    "backend_paused",
    "backend_resumed",
    "backend_updated",
    "org_member_removed",
    "org_member_updated",
    "personal_token_revoked",
    "project_member_updated",
    "redirect_created",
    "redirect_deleted",
    "redirect_updated",
    "repo_researcher_signed_off",
    "repo_signed_off",
    "site_alert_created",
    "site_alert_deleted",
    "site_alert_updated",
    "task_retried",
    "workspace_moved",
    "workspace_signed_off",
)
OLD_TYPES = (
    "backend_created",
    "backend_member_added",
    "backend_token_rotated",
    "data_permission_granted",
    "data_permission_revoked",
    "job_request_cancelled",
    "job_request_created",
    "level4_login",
    "level4_login_failed",
    "level4_token_created",
    "level4_token_voided",
    "org_created",
    "org_member_added",
    "org_updated",
    "personal_token_created",
    "project_created",
    "project_member_added",
    "project_member_removed",
    "project_member_updated_roles",
    "project_updated",
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
OLD_ROLES = (
    "DeploymentAdministrator",
    "OutputChecker",
    "OutputPublisher",
    "ProjectCollaborator",
    "ServiceAdministrator",
    "SignOffRepoWithOutputs",
    "StaffAreaAdministrator",
    "TechSupport",
)
NEW_TABLES = ("application", "personal_token", "task_record")
MEMBERSHIPS = ("backend_membership", "org_membership", "project_membership")


def _now_checked(table: str, name: str, rule: str) -> None:
    """A rule in place of the one of this name, if there is one. Rows that are stored are not looked through."""
    op.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS ck_{table}_{name}')
    op.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT ck_{table}_{name} CHECK ({rule}) NOT VALID')


def _types(types: tuple[str, ...]) -> str:
    return f"type IN ({', '.join(map(repr, types))})"


def _roles(roles: tuple[str, ...]) -> str:
    return f"roles <@ ARRAY[{', '.join(map(repr, roles))}]::text[]"


def upgrade() -> None:
    _events()
    _tasks()
    _tokens()
    _applications()
    _pauses()
    for table in MEMBERSHIPS:
        op.add_column(table, sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("org", sa.Column("has_no_copilots", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("repo", sa.Column("topics", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("repo", sa.Column("made_on_github_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("site_alert", sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("site_alert", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    _now_checked("site_alert", "ends_after_start", "ends_at > starts_at")
    _now_checked("user", "roles_known", _roles(("Auditor", *OLD_ROLES)))


def _events() -> None:
    event = "auditable_event"
    op.add_column(event, sa.Column("target_label", sa.Text(), server_default="", nullable=False))
    op.add_column(event, sa.Column("parent_label", sa.Text(), server_default="", nullable=False))
    op.add_column(
        event,
        sa.Column("changes", postgresql.JSONB(none_as_null=True), server_default="{}", nullable=False),
    )
    op.add_column(event, sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.add_column(event, sa.Column("source", sa.Text(), server_default="service", nullable=False))
    _now_checked(event, "source_known", "source IN ('browser', 'command', 'api', 'service')")
    _now_checked(event, "type_known", _types(OLD_TYPES + NEW_TYPES))
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON auditable_event"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _tasks() -> None:
    op.create_table(
        "task_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_record")),
        sa.UniqueConstraint("job_id", name=op.f("uq_task_record_job_id")),
        sa.UniqueConstraint("key", name=op.f("uq_task_record_key")),
    )
    op.create_index(op.f("ix_task_record_created_at"), "task_record", ["created_at"], unique=False)


def _tokens() -> None:
    op.create_table(
        "personal_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "scopes <@ ARRAY['releases', 'job_requests', 'workspaces']::text[]",
            name=op.f("ck_personal_token_scopes_known"),
        ),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by_id IS NULL)", name=op.f("ck_personal_token_revoked_pair")
        ),
        sa.CheckConstraint("length(trim(name)) > 0", name=op.f("ck_personal_token_name_not_blank")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_personal_token_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["user.id"], name=op.f("fk_personal_token_revoked_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_personal_token_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_personal_token_digest")),
    )
    op.create_index(
        op.f("ix_personal_token_created_by_id"), "personal_token", ["created_by_id"], unique=False
    )
    op.create_index(
        op.f("ix_personal_token_revoked_by_id"), "personal_token", ["revoked_by_id"], unique=False
    )
    op.create_index("ix_personal_token_user_id", "personal_token", ["user_id", "id"], unique=False)


def _applications() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="ongoing", nullable=False),
        sa.Column("status_comment", sa.Text(), server_default="", nullable=False),
        sa.Column("study_name", sa.Text(), server_default="", nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status IN ('approved_fully', 'approved_subject_to', 'completed', 'submitted', 'ongoing', 'rejected', 'deferred')",
            name=op.f("ck_application_status_known"),
        ),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by_id IS NULL)", name=op.f("ck_application_approved_pair")
        ),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (deleted_by_id IS NULL)", name=op.f("ck_application_deleted_pair")
        ),
        sa.CheckConstraint(
            "(submitted_at IS NULL) = (submitted_by_id IS NULL)", name=op.f("ck_application_submitted_pair")
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_application_created_pair")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["user.id"], name=op.f("fk_application_approved_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_application_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["deleted_by_id"], ["user.id"], name=op.f("fk_application_deleted_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_application_project_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["user.id"], name=op.f("fk_application_submitted_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
    )
    op.create_index(op.f("ix_application_approved_by_id"), "application", ["approved_by_id"], unique=False)
    op.create_index(
        "ix_application_created_at",
        "application",
        [sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(op.f("ix_application_created_by_id"), "application", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_application_deleted_by_id"), "application", ["deleted_by_id"], unique=False)
    op.create_index(op.f("ix_application_submitted_by_id"), "application", ["submitted_by_id"], unique=False)
    op.create_index(
        "uq_application_project_id",
        "application",
        ["project_id"],
        unique=True,
        postgresql_where=sa.text("project_id IS NOT NULL"),
    )


def _pauses() -> None:
    op.add_column("backend", sa.Column("creation_paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("backend", sa.Column("creation_paused_by_id", sa.Integer(), nullable=True))
    op.add_column("backend", sa.Column("creation_pause_reason", sa.Text(), server_default="", nullable=False))
    op.execute(
        "ALTER TABLE backend ADD CONSTRAINT fk_backend_creation_paused_by_id"
        ' FOREIGN KEY (creation_paused_by_id) REFERENCES "user" (id) ON DELETE RESTRICT NOT VALID'
    )
    # A handful of rows.
    op.create_index(op.f("ix_backend_creation_paused_by_id"), "backend", ["creation_paused_by_id"])
    _now_checked(
        "backend", "creation_paused_pair", "(creation_paused_at IS NULL) = (creation_paused_by_id IS NULL)"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER never_changed ON auditable_event")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute(f"DELETE FROM auditable_event WHERE {_types(NEW_TYPES)}")  # noqa: S608
    _now_checked("auditable_event", "type_known", _types(OLD_TYPES))
    for column in ("source", "reason", "changes", "parent_label", "target_label"):
        op.drop_column("auditable_event", column)
    op.execute("UPDATE \"user\" SET roles = array_remove(roles, 'Auditor') WHERE 'Auditor' = ANY (roles)")
    _now_checked("user", "roles_known", _roles(OLD_ROLES))
    for column in ("ends_at", "starts_at"):
        op.drop_column("site_alert", column)
    for column in ("made_on_github_at", "topics"):
        op.drop_column("repo", column)
    op.drop_column("org", "has_no_copilots")
    for table in MEMBERSHIPS:
        op.drop_column(table, "ends_at")
    for column in ("creation_pause_reason", "creation_paused_by_id", "creation_paused_at"):
        op.drop_column("backend", column)
    for table in NEW_TABLES:
        op.drop_table(table)
