"""Indexes for the staff area; what 0006 let be; tokens in their own table

Revision: 0007, after 0006. Rows can be read and written meanwhile; a run that was stopped can be repeated.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _words(*columns: str) -> str:
    each = "to_tsvector('simple'::regconfig, translate(coalesce({}, ''), '-_./@+', '      '))"
    return f"USING gin ({', '.join(map(each.format, columns))})"


INDEXES = {
    "ix_auditable_event_actor_id": "auditable_event (actor_id, id DESC)",
    "ix_auditable_event_source": "auditable_event (source, created_at, id)",
    "ix_auditable_event_target_user_id": "auditable_event (target_user_id, id DESC)",
    "ix_auditable_event_type": "auditable_event (type, id DESC)",
    "ix_auditable_event_words": f"auditable_event {_words('target_label', 'parent_label')}",
    "ix_backend_membership_ends_at": "backend_membership (ends_at)",
    "ix_org_membership_ends_at": "org_membership (ends_at)",
    "ix_procrastinate_events_deferred": "procrastinate_events (at, job_id) WHERE type = 'deferred'",
    "ix_procrastinate_jobs_status": ("procrastinate_jobs (status, id) WHERE task_name <> 'check_repository'"),
    "ix_procrastinate_jobs_task_name": "procrastinate_jobs (task_name, id)",
    "ix_project_membership_ends_at": "project_membership (ends_at)",
}
VALIDATED = {
    "ck_auditable_event_source_known": "auditable_event",
    "ck_auditable_event_type_known": "auditable_event",
    "ck_backend_creation_paused_pair": "backend",
    "fk_backend_creation_paused_by_id": "backend",
    "ck_site_alert_ends_after_start": "site_alert",
    "ck_user_roles_known": '"user"',
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        for name, what in INDEXES.items():
            # What is left of a run that was stopped is an index that is not used.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
        for name, table in VALIDATED.items():
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        # A token was good to the end of its last day.
        op.execute(
            """
            INSERT INTO personal_token (user_id, name, digest, scopes, created_at, expires_at)
            SELECT id, 'From before', pat_token, '{releases}', now(), pat_expires_at + interval '1 day'
            FROM "user" WHERE pat_token IS NOT NULL
            ON CONFLICT DO NOTHING
            """
        )
        op.execute("SET statement_timeout = '60s'")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
