"""The first tables

Revision: 0001, after nothing
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

PROCRASTINATE = Path(__file__).parent.parent / "sql" / "procrastinate_3_10.sql"
DROP_PROCRASTINATE = r"""
DO $$
DECLARE thing record;
BEGIN
    FOR thing IN SELECT tablename AS name FROM pg_tables
        WHERE schemaname = 'public' AND tablename LIKE 'procrastinate\_%' LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', thing.name);
    END LOOP;
    FOR thing IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'procrastinate\_%' LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', thing.name);
    END LOOP;
    FOR thing IN SELECT typname AS name FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typname LIKE 'procrastinate\_%' LOOP
        EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', thing.name);
    END LOOP;
END $$
"""

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # As it came with the queue's version 3.10: later versions bring migrations of their own.
    op.get_bind().connection.cursor().execute(PROCRASTINATE.read_text())
    op.create_table(
        "auditable_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("target_model", sa.Text(), server_default="", nullable=False),
        sa.Column("target_field", sa.Text(), server_default="", nullable=False),
        sa.Column("target_id", sa.Text(), server_default="", nullable=False),
        sa.Column("target_user", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_model", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.Text(), server_default="", nullable=False),
        sa.Column("old", sa.Text(), server_default="", nullable=False),
        sa.Column("new", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("target_user_id", sa.Integer(), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "type IN ('project_created', 'project_member_added', 'project_member_removed', 'project_member_updated_roles', 'user_updated_roles', 'user_created', 'user_disabled', 'user_enabled', 'org_created', 'org_member_added', 'backend_created', 'backend_member_added', 'backend_token_rotated', 'data_permission_granted', 'data_permission_revoked', 'workspace_created', 'job_request_created', 'job_request_cancelled')",
            name=op.f("ck_auditable_event_type_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auditable_event")),
    )
    op.create_index("ix_auditable_event_created_at", "auditable_event", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_auditable_event_created_by",
        "auditable_event",
        ["created_by", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_auditable_event_parent",
        "auditable_event",
        ["parent_model", "parent_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_auditable_event_target",
        "auditable_event",
        ["target_model", "target_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_auditable_event_target_user",
        "auditable_event",
        ["target_user", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "backend",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("token_digest", sa.Text(), nullable=True),
        sa.Column("previous_token_digest", sa.Text(), nullable=True),
        sa.Column("previous_token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alert_timeout", sa.Interval(), server_default="5 minutes", nullable=False),
        sa.Column("rap_api_state", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_maintenance_mode", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_in_maintenance_mode", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_paused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("alert_timeout > interval '0'", name=op.f("ck_backend_alert_timeout_positive")),
        sa.CheckConstraint("slug ~ '^[-a-zA-Z0-9_]{1,255}$'", name=op.f("ck_backend_slug_form")),
        sa.CheckConstraint(
            "(previous_token_digest IS NULL) = (previous_token_expires_at IS NULL)",
            name=op.f("ck_backend_previous_token_has_an_end"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backend")),
        sa.UniqueConstraint("previous_token_digest", name=op.f("uq_backend_previous_token_digest")),
        sa.UniqueConstraint("slug", name=op.f("uq_backend_slug")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_backend_token_digest")),
    )
    op.create_table(
        "controller_contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_controller_contact_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_controller_contact")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("fullname", sa.Text(), nullable=False),
        sa.Column("date_joined", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login", sa.DateTime(timezone=True), nullable=True),
        sa.Column("roles", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("pat_token", sa.Text(), nullable=True),
        sa.Column("pat_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("login_token", sa.Text(), nullable=True),
        sa.Column("login_token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "roles <@ ARRAY['DeploymentAdministrator', 'OutputChecker', 'OutputPublisher', 'ProjectCollaborator', 'ServiceAdministrator', 'SignOffRepoWithOutputs', 'StaffAreaAdministrator', 'TechSupport']::text[]",
            name=op.f("ck_user_roles_known"),
        ),
        sa.CheckConstraint("username ~ '^[[:alnum:]_.+-]+$'", name=op.f("ck_user_username_form")),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_by_id IS NULL)", name=op.f("ck_user_disabled_pair")
        ),
        sa.CheckConstraint(
            "(login_token IS NULL) = (login_token_expires_at IS NULL)",
            name=op.f("ck_user_both_login_token_and_login_token_expires_at"),
        ),
        sa.CheckConstraint(
            "(pat_token IS NULL) = (pat_expires_at IS NULL)",
            name=op.f("ck_user_both_pat_token_and_pat_expires_at"),
        ),
        sa.CheckConstraint("email IS NULL OR length(trim(email)) > 2", name=op.f("ck_user_email_not_blank")),
        sa.CheckConstraint("length(trim(fullname)) > 0", name=op.f("ck_user_fullname_not_blank")),
        sa.ForeignKeyConstraint(
            ["disabled_by_id"], ["user.id"], name=op.f("fk_user_disabled_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
    )
    op.create_index(op.f("ix_user_disabled_by_id"), "user", ["disabled_by_id"], unique=False)
    op.create_index(
        "ix_user_fullname",
        "user",
        [sa.literal_column("lower(fullname)"), sa.literal_column("lower(username)")],
        unique=False,
    )
    op.create_index("uq_user_email_lower", "user", [sa.literal_column("lower(email)")], unique=True)
    op.create_index("uq_user_pat_token", "user", ["pat_token"], unique=True)
    op.create_index("uq_user_username_lower", "user", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "backend_membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("backend_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["backend_id"], ["backend.id"], name=op.f("fk_backend_membership_backend_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user.id"],
            name=op.f("fk_backend_membership_created_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_backend_membership_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backend_membership")),
    )
    op.create_index(
        op.f("ix_backend_membership_created_by_id"), "backend_membership", ["created_by_id"], unique=False
    )
    op.create_index(op.f("ix_backend_membership_user_id"), "backend_membership", ["user_id"], unique=False)
    op.create_index(
        "uq_backend_membership_backend_id_user_id",
        "backend_membership",
        ["backend_id", "user_id"],
        unique=True,
    )
    op.create_table(
        "github_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), server_default="github", nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column(
            "extra_data",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("provider IN ('github')", name=op.f("ck_github_identity_provider_known")),
        sa.CheckConstraint("uid <> ''", name=op.f("ck_github_identity_uid_not_empty")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_github_identity_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_github_identity")),
    )
    op.create_index(op.f("ix_github_identity_user_id"), "github_identity", ["user_id"], unique=False)
    op.create_index("uq_github_identity_provider_uid", "github_identity", ["provider", "uid"], unique=True)
    op.create_table(
        "org",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("logo_file", sa.Text(), nullable=True),
        sa.Column("github_orgs", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("slug ~ '^[-a-zA-Z0-9_]{1,255}$'", name=op.f("ck_org_slug_form")),
        sa.CheckConstraint("length(trim(name)) > 0", name=op.f("ck_org_name_not_blank")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_org_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["user.id"], name=op.f("fk_org_updated_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org")),
        sa.UniqueConstraint("name", name=op.f("uq_org_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_org_slug")),
    )
    op.create_index(op.f("ix_org_created_by_id"), "org", ["created_by_id"], unique=False)
    op.create_index("ix_org_name_lower", "org", [sa.literal_column("lower(name)")], unique=False)
    op.create_index(op.f("ix_org_updated_by_id"), "org", ["updated_by_id"], unique=False)
    op.create_table(
        "repo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("has_github_outputs", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("internal_signed_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("internal_signed_off_by_id", sa.Integer(), nullable=True),
        sa.Column("researcher_signed_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("researcher_signed_off_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "url ~ '^https://github\\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$' AND url !~* '\\.git$'",
            name=op.f("ck_repo_url_form"),
        ),
        sa.CheckConstraint(
            "(internal_signed_off_at IS NULL) = (internal_signed_off_by_id IS NULL)",
            name=op.f("ck_repo_internal_signed_off_pair"),
        ),
        sa.CheckConstraint(
            "(researcher_signed_off_at IS NULL) = (researcher_signed_off_by_id IS NULL)",
            name=op.f("ck_repo_researcher_signed_off_pair"),
        ),
        sa.ForeignKeyConstraint(
            ["internal_signed_off_by_id"],
            ["user.id"],
            name=op.f("fk_repo_internal_signed_off_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["researcher_signed_off_by_id"],
            ["user.id"],
            name=op.f("fk_repo_researcher_signed_off_by_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repo")),
    )
    op.create_index(
        op.f("ix_repo_internal_signed_off_by_id"), "repo", ["internal_signed_off_by_id"], unique=False
    )
    op.create_index(
        op.f("ix_repo_researcher_signed_off_by_id"), "repo", ["researcher_signed_off_by_id"], unique=False
    )
    op.create_index("uq_repo_url_lower", "repo", [sa.literal_column("lower(url)")], unique=True)
    op.create_table(
        "site_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), server_default="warning", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "level IN ('danger', 'info', 'success', 'warning')", name=op.f("ck_site_alert_level_known")
        ),
        sa.CheckConstraint("length(trim(message)) > 0", name=op.f("ck_site_alert_message_not_blank")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_site_alert_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["user.id"], name=op.f("fk_site_alert_updated_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_alert")),
    )
    op.create_index(op.f("ix_site_alert_created_by_id"), "site_alert", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_site_alert_updated_by_id"), "site_alert", ["updated_by_id"], unique=False)
    op.create_table(
        "stats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("backend_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("api_last_seen", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["backend_id"], ["backend.id"], name=op.f("fk_stats_backend_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stats")),
    )
    op.create_index("uq_stats_backend_id_url", "stats", ["backend_id", "url"], unique=True)
    op.create_table(
        "user_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_user_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_user_session_digest")),
    )
    op.create_index(op.f("ix_user_session_expires_at"), "user_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "org_membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_org_membership_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["org.id"], name=op.f("fk_org_membership_org_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_org_membership_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_membership")),
    )
    op.create_index(
        op.f("ix_org_membership_created_by_id"), "org_membership", ["created_by_id"], unique=False
    )
    op.create_index(op.f("ix_org_membership_user_id"), "org_membership", ["user_id"], unique=False)
    op.create_index("uq_org_membership_org_id_user_id", "org_membership", ["org_id", "user_id"], unique=True)
    op.create_table(
        "project",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("status", sa.Text(), server_default="ongoing", nullable=False),
        sa.Column("status_description", sa.Text(), server_default="", nullable=False),
        sa.Column("copilot_id", sa.Integer(), nullable=True),
        sa.Column("copilot_support_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("copilot_notes", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "category IN ('internal', 'legacy', 'legacy_approved', 'approved', 'unknown')",
            name=op.f("ck_project_category_known"),
        ),
        sa.CheckConstraint(
            "number ~ '^([1-9][0-9]{0,8}|POS-20[0-9]{2}-[1-9][0-9]{3})$'",
            name=op.f("ck_project_number_valid_format"),
        ),
        sa.CheckConstraint("slug ~ '^[-a-zA-Z0-9_]{1,255}$'", name=op.f("ck_project_slug_form")),
        sa.CheckConstraint(
            "status IN ('ongoing', 'postponed', 'retired', 'ongoing-and-linked', 'completed-and-linked', 'completed-and-awaiting')",
            name=op.f("ck_project_status_known"),
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_project_created_pair")
        ),
        sa.CheckConstraint("length(trim(name)) > 0", name=op.f("ck_project_name_not_blank")),
        sa.CheckConstraint(
            "updated_at IS NOT NULL AND updated_by_id IS NOT NULL", name=op.f("ck_project_updated_pair")
        ),
        sa.ForeignKeyConstraint(
            ["copilot_id"], ["user.id"], name=op.f("fk_project_copilot_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_project_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["id", "org_id"],
            ["project_collaboration.project_id", "project_collaboration.org_id"],
            name="fk_project_lead_org_collaborates",
            initially="DEFERRED",
            deferrable=True,
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name=op.f("fk_project_org_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["user.id"], name=op.f("fk_project_updated_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_project_slug")),
    )
    op.create_index(op.f("ix_project_copilot_id"), "project", ["copilot_id"], unique=False)
    op.create_index(op.f("ix_project_created_by_id"), "project", ["created_by_id"], unique=False)
    op.create_index("ix_project_name_lower", "project", [sa.literal_column("lower(name)")], unique=False)
    op.create_index(op.f("ix_project_org_id"), "project", ["org_id"], unique=False)
    op.create_index(op.f("ix_project_updated_by_id"), "project", ["updated_by_id"], unique=False)
    op.create_index(
        "uq_project_number",
        "project",
        ["number"],
        unique=True,
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_table(
        "data_permission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'population' AND name IN ('include_t1oo', 'include_ndoo', 'include_gp_unactivated')) OR (kind = 'dataset' AND name IN ('appointments', 'icnarc', 'isaric', 'open_prompt', 'ukrr', 'waiting_list', 'sgss_covid_all_tests', 'occupation_on_covid_vaccine_record', 'covid_therapeutics')) OR (kind = 'tool' AND name = 'sqlrunner')",
            name=op.f("ck_data_permission_name_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('population', 'dataset', 'tool')", name=op.f("ck_data_permission_kind_known")
        ),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by_id IS NULL)", name=op.f("ck_data_permission_revoked_pair")
        ),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_data_permission_reason_not_blank")),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["user.id"], name=op.f("fk_data_permission_granted_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_data_permission_project_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["user.id"], name=op.f("fk_data_permission_revoked_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_permission")),
    )
    op.create_index(
        op.f("ix_data_permission_granted_by_id"), "data_permission", ["granted_by_id"], unique=False
    )
    op.create_index(
        op.f("ix_data_permission_revoked_by_id"), "data_permission", ["revoked_by_id"], unique=False
    )
    op.create_index(
        "uq_data_permission_in_force",
        "data_permission",
        ["project_id", "kind", "name"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "project_collaboration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL",
            name=op.f("ck_project_collaboration_created_pair"),
        ),
        sa.CheckConstraint(
            "updated_at IS NOT NULL AND updated_by_id IS NOT NULL",
            name=op.f("ck_project_collaboration_updated_pair"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user.id"],
            name=op.f("fk_project_collaboration_created_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["org.id"], name=op.f("fk_project_collaboration_org_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_project_collaboration_project_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"],
            ["user.id"],
            name=op.f("fk_project_collaboration_updated_by_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_collaboration")),
    )
    op.create_index(
        op.f("ix_project_collaboration_created_by_id"),
        "project_collaboration",
        ["created_by_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_project_collaboration_org_id"), "project_collaboration", ["org_id"], unique=False
    )
    op.create_index(
        op.f("ix_project_collaboration_updated_by_id"),
        "project_collaboration",
        ["updated_by_id"],
        unique=False,
    )
    op.create_index(
        "uq_project_collaboration_project_id_org_id",
        "project_collaboration",
        ["project_id", "org_id"],
        unique=True,
    )
    op.create_table(
        "project_membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "roles <@ ARRAY['ProjectCollaborator', 'ProjectDeveloper']::text[]",
            name=op.f("ck_project_membership_roles_known"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user.id"],
            name=op.f("fk_project_membership_created_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_project_membership_project_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_project_membership_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_membership")),
    )
    op.create_index(
        op.f("ix_project_membership_created_by_id"), "project_membership", ["created_by_id"], unique=False
    )
    op.create_index(op.f("ix_project_membership_user_id"), "project_membership", ["user_id"], unique=False)
    op.create_index(
        "uq_project_membership_project_id_user_id",
        "project_membership",
        ["project_id", "user_id"],
        unique=True,
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("repo_id", sa.Integer(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("is_archived", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("should_notify", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("uses_new_release_flow", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=False),
        sa.Column("signed_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_off_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("name ~ '^[-a-zA-Z0-9_]+$'", name=op.f("ck_workspace_name_form")),
        sa.CheckConstraint(
            "(signed_off_at IS NULL) = (signed_off_by_id IS NULL)", name=op.f("ck_workspace_signed_off_pair")
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_workspace_created_pair")
        ),
        sa.CheckConstraint("length(trim(branch)) > 0", name=op.f("ck_workspace_branch_not_blank")),
        sa.CheckConstraint(
            "updated_at IS NOT NULL AND updated_by_id IS NOT NULL", name=op.f("ck_workspace_updated_pair")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_workspace_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_workspace_project_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repo.id"], name=op.f("fk_workspace_repo_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["signed_off_by_id"], ["user.id"], name=op.f("fk_workspace_signed_off_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["user.id"], name=op.f("fk_workspace_updated_by_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
        sa.UniqueConstraint("name", name=op.f("uq_workspace_name")),
    )
    op.create_index(op.f("ix_workspace_created_by_id"), "workspace", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_workspace_project_id"), "workspace", ["project_id"], unique=False)
    op.create_index(op.f("ix_workspace_repo_id"), "workspace", ["repo_id"], unique=False)
    op.create_index(op.f("ix_workspace_signed_off_by_id"), "workspace", ["signed_off_by_id"], unique=False)
    op.create_index(op.f("ix_workspace_updated_by_id"), "workspace", ["updated_by_id"], unique=False)
    op.create_index("uq_workspace_name_lower", "workspace", [sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "job_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("backend_id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("requested_actions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("cancelled_actions", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("force_run_dependencies", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), server_default="", nullable=False),
        sa.Column("commit_message", sa.Text(), server_default="", nullable=False),
        sa.Column("project_definition", sa.Text(), server_default="", nullable=False),
        sa.Column("codelists_ok", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("will_notify", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "analysis_scope", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("status", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("status_message", sa.Text(), nullable=True),
        sa.Column("jobs_pending", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_running", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_succeeded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("jobs_unknown", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("jobs_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submit_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unrecognised_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unrecognised_polls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("identifier ~ '^[a-z0-9]{16}$'", name=op.f("ck_job_request_identifier_form")),
        sa.CheckConstraint("sha = '' OR sha ~ '^[0-9a-f]{40}$'", name=op.f("ck_job_request_sha_form")),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'failed', 'succeeded', 'nothing_to_do', 'unknown', 'unknown_error_creating_jobs')",
            name=op.f("ck_job_request_status_known"),
        ),
        sa.CheckConstraint(
            "cardinality(requested_actions) > 0", name=op.f("ck_job_request_requests_an_action")
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_job_request_created_pair")
        ),
        sa.CheckConstraint(
            "least(jobs_pending, jobs_running, jobs_succeeded, jobs_failed, jobs_cancelled, jobs_unknown) >= 0",
            name=op.f("ck_job_request_counts_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["backend_id"], ["backend.id"], name=op.f("fk_job_request_backend_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_job_request_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_job_request_workspace_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_request")),
        sa.UniqueConstraint(
            "id", "workspace_id", "backend_id", name=op.f("uq_job_request_id_workspace_id_backend_id")
        ),
        sa.UniqueConstraint("identifier", name=op.f("uq_job_request_identifier")),
    )
    op.create_index(
        "ix_job_request_active",
        "job_request",
        ["id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('pending', 'running', 'unknown', 'unknown_error_creating_jobs')"
        ),
    )
    op.create_index(
        "ix_job_request_backend_id_id",
        "job_request",
        ["backend_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_job_request_created_at", "job_request", ["created_at"], unique=False)
    op.create_index(op.f("ix_job_request_created_by_id"), "job_request", ["created_by_id"], unique=False)
    op.create_index(
        "ix_job_request_created_by_id_id",
        "job_request",
        ["created_by_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_job_request_unsettled",
        "job_request",
        ["id"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "ix_job_request_workspace_id_id",
        "job_request",
        ["workspace_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "redirect",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("workspace_id", sa.Integer(), nullable=True),
        sa.Column("old_url", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("old_url ~ '^/.+/$'", name=op.f("ck_redirect_old_url_form")),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (deleted_by_id IS NULL)", name=op.f("ck_redirect_deleted_pair")
        ),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_redirect_created_pair")
        ),
        sa.CheckConstraint(
            "num_nonnulls(org_id, project_id, workspace_id) = 1", name=op.f("ck_redirect_exactly_one_target")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_redirect_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["deleted_by_id"], ["user.id"], name=op.f("fk_redirect_deleted_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name=op.f("fk_redirect_org_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_redirect_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_redirect_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redirect")),
    )
    op.create_index(op.f("ix_redirect_created_by_id"), "redirect", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_redirect_deleted_by_id"), "redirect", ["deleted_by_id"], unique=False)
    op.create_index("ix_redirect_old_url", "redirect", ["old_url"], unique=False)
    op.create_index(op.f("ix_redirect_org_id"), "redirect", ["org_id"], unique=False)
    op.create_index(op.f("ix_redirect_project_id"), "redirect", ["project_id"], unique=False)
    op.create_index(op.f("ix_redirect_workspace_id"), "redirect", ["workspace_id"], unique=False)
    op.create_table(
        "cancellation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_request_id", sa.Integer(), nullable=False),
        sa.Column("actions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("sent_actions", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("cardinality(actions) > 0", name=op.f("ck_cancellation_names_an_action")),
        sa.CheckConstraint(
            "created_at IS NOT NULL AND created_by_id IS NOT NULL", name=op.f("ck_cancellation_created_pair")
        ),
        sa.CheckConstraint(
            "sent_at IS NULL OR refusal IS NULL", name=op.f("ck_cancellation_sent_or_refused")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_cancellation_created_by_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["job_request_id"],
            ["job_request.id"],
            name=op.f("fk_cancellation_job_request_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cancellation")),
    )
    op.create_index(op.f("ix_cancellation_created_by_id"), "cancellation", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_cancellation_job_request_id"), "cancellation", ["job_request_id"], unique=False)
    op.create_index(
        "ix_cancellation_unsent",
        "cancellation",
        ["id"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL AND refusal IS NULL"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_request_id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("backend_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("run_command", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_code", sa.Text(), server_default="", nullable=False),
        sa.Column("status_message", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "state",
            sa.Text(),
            sa.Computed(
                "CASE\n    WHEN lower(status) = 'failed' AND status_code = 'cancelled_by_user' THEN 'cancelled'\n    WHEN lower(status) IN ('pending', 'running', 'succeeded', 'failed') THEN lower(status)\n    WHEN status = '' THEN 'pending'\n    ELSE 'unknown' END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trace_context", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("metrics", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_request_id", "workspace_id", "backend_id"],
            ["job_request.id", "job_request.workspace_id", "job_request.backend_id"],
            name=op.f("fk_job_job_request_id_workspace_id_backend_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("identifier", name=op.f("uq_job_identifier")),
    )
    op.create_index(
        "ix_job_identifier_prefix",
        "job",
        ["identifier"],
        unique=False,
        postgresql_ops={"identifier": "text_pattern_ops"},
    )
    op.create_index("ix_job_job_request_id_state", "job", ["job_request_id", "state"], unique=False)
    op.create_index(
        "ix_job_last_run",
        "job",
        [
            "workspace_id",
            "backend_id",
            "action",
            sa.literal_column("created_at DESC"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
    )
    op.create_index(
        "ix_job_queue",
        "job",
        ["backend_id", "state"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'running')"),
    )
    op.create_foreign_key(
        "fk_project_lead_org_collaborates",
        "project",
        "project_collaboration",
        ["id", "org_id"],
        ["project_id", "org_id"],
        deferrable=True,
        initially="DEFERRED",
    )


def downgrade() -> None:
    op.drop_constraint("fk_project_lead_org_collaborates", "project", type_="foreignkey")
    op.drop_index(
        "ix_job_queue", table_name="job", postgresql_where=sa.text("state IN ('pending', 'running')")
    )
    op.drop_index("ix_job_last_run", table_name="job")
    op.drop_index("ix_job_job_request_id_state", table_name="job")
    op.drop_index(
        "ix_job_identifier_prefix", table_name="job", postgresql_ops={"identifier": "text_pattern_ops"}
    )
    op.drop_table("job")
    op.drop_index(
        "ix_cancellation_unsent",
        table_name="cancellation",
        postgresql_where=sa.text("sent_at IS NULL AND refusal IS NULL"),
    )
    op.drop_index(op.f("ix_cancellation_job_request_id"), table_name="cancellation")
    op.drop_index(op.f("ix_cancellation_created_by_id"), table_name="cancellation")
    op.drop_table("cancellation")
    op.drop_index(op.f("ix_redirect_workspace_id"), table_name="redirect")
    op.drop_index(op.f("ix_redirect_project_id"), table_name="redirect")
    op.drop_index(op.f("ix_redirect_org_id"), table_name="redirect")
    op.drop_index("ix_redirect_old_url", table_name="redirect")
    op.drop_index(op.f("ix_redirect_deleted_by_id"), table_name="redirect")
    op.drop_index(op.f("ix_redirect_created_by_id"), table_name="redirect")
    op.drop_table("redirect")
    op.drop_index("ix_job_request_workspace_id_id", table_name="job_request")
    op.drop_index(
        "ix_job_request_unsettled", table_name="job_request", postgresql_where=sa.text("settled_at IS NULL")
    )
    op.drop_index("ix_job_request_created_by_id_id", table_name="job_request")
    op.drop_index(op.f("ix_job_request_created_by_id"), table_name="job_request")
    op.drop_index("ix_job_request_created_at", table_name="job_request")
    op.drop_index("ix_job_request_backend_id_id", table_name="job_request")
    op.drop_index(
        "ix_job_request_active",
        table_name="job_request",
        postgresql_where=sa.text(
            "status IN ('pending', 'running', 'unknown', 'unknown_error_creating_jobs')"
        ),
    )
    op.drop_table("job_request")
    op.drop_index("uq_workspace_name_lower", table_name="workspace")
    op.drop_index(op.f("ix_workspace_updated_by_id"), table_name="workspace")
    op.drop_index(op.f("ix_workspace_signed_off_by_id"), table_name="workspace")
    op.drop_index(op.f("ix_workspace_repo_id"), table_name="workspace")
    op.drop_index(op.f("ix_workspace_project_id"), table_name="workspace")
    op.drop_index(op.f("ix_workspace_created_by_id"), table_name="workspace")
    op.drop_table("workspace")
    op.drop_index("uq_project_membership_project_id_user_id", table_name="project_membership")
    op.drop_index(op.f("ix_project_membership_user_id"), table_name="project_membership")
    op.drop_index(op.f("ix_project_membership_created_by_id"), table_name="project_membership")
    op.drop_table("project_membership")
    op.drop_index("uq_project_collaboration_project_id_org_id", table_name="project_collaboration")
    op.drop_index(op.f("ix_project_collaboration_updated_by_id"), table_name="project_collaboration")
    op.drop_index(op.f("ix_project_collaboration_org_id"), table_name="project_collaboration")
    op.drop_index(op.f("ix_project_collaboration_created_by_id"), table_name="project_collaboration")
    op.drop_table("project_collaboration")
    op.drop_index(
        "uq_data_permission_in_force",
        table_name="data_permission",
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.drop_index(op.f("ix_data_permission_revoked_by_id"), table_name="data_permission")
    op.drop_index(op.f("ix_data_permission_granted_by_id"), table_name="data_permission")
    op.drop_table("data_permission")
    op.drop_index("uq_project_number", table_name="project", postgresql_where=sa.text("number IS NOT NULL"))
    op.drop_index(op.f("ix_project_updated_by_id"), table_name="project")
    op.drop_index(op.f("ix_project_org_id"), table_name="project")
    op.drop_index("ix_project_name_lower", table_name="project")
    op.drop_index(op.f("ix_project_created_by_id"), table_name="project")
    op.drop_index(op.f("ix_project_copilot_id"), table_name="project")
    op.drop_table("project")
    op.drop_index("uq_org_membership_org_id_user_id", table_name="org_membership")
    op.drop_index(op.f("ix_org_membership_user_id"), table_name="org_membership")
    op.drop_index(op.f("ix_org_membership_created_by_id"), table_name="org_membership")
    op.drop_table("org_membership")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_index(op.f("ix_user_session_expires_at"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_index("uq_stats_backend_id_url", table_name="stats")
    op.drop_table("stats")
    op.drop_index(op.f("ix_site_alert_updated_by_id"), table_name="site_alert")
    op.drop_index(op.f("ix_site_alert_created_by_id"), table_name="site_alert")
    op.drop_table("site_alert")
    op.drop_index("uq_repo_url_lower", table_name="repo")
    op.drop_index(op.f("ix_repo_researcher_signed_off_by_id"), table_name="repo")
    op.drop_index(op.f("ix_repo_internal_signed_off_by_id"), table_name="repo")
    op.drop_table("repo")
    op.drop_index(op.f("ix_org_updated_by_id"), table_name="org")
    op.drop_index("ix_org_name_lower", table_name="org")
    op.drop_index(op.f("ix_org_created_by_id"), table_name="org")
    op.drop_table("org")
    op.drop_index("uq_github_identity_provider_uid", table_name="github_identity")
    op.drop_index(op.f("ix_github_identity_user_id"), table_name="github_identity")
    op.drop_table("github_identity")
    op.drop_index("uq_backend_membership_backend_id_user_id", table_name="backend_membership")
    op.drop_index(op.f("ix_backend_membership_user_id"), table_name="backend_membership")
    op.drop_index(op.f("ix_backend_membership_created_by_id"), table_name="backend_membership")
    op.drop_table("backend_membership")
    op.drop_index("uq_user_username_lower", table_name="user")
    op.drop_index("uq_user_pat_token", table_name="user")
    op.drop_index("uq_user_email_lower", table_name="user")
    op.drop_index("ix_user_fullname", table_name="user")
    op.drop_index(op.f("ix_user_disabled_by_id"), table_name="user")
    op.drop_table("user")
    op.drop_table("controller_contact")
    op.drop_table("backend")
    op.drop_index("ix_auditable_event_target_user", table_name="auditable_event")
    op.drop_index("ix_auditable_event_target", table_name="auditable_event")
    op.drop_index("ix_auditable_event_parent", table_name="auditable_event")
    op.drop_index("ix_auditable_event_created_by", table_name="auditable_event")
    op.drop_index("ix_auditable_event_created_at", table_name="auditable_event")
    op.drop_table("auditable_event")
    op.execute(DROP_PROCRASTINATE)
