"""Indexes for logs and search, made beside the running site

Revision: 0003, after 0002. Each is made without locking its table; a run that was stopped can be repeated.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _words(*columns: str) -> str:
    each = "to_tsvector('simple'::regconfig, translate(coalesce({}, ''), '-_./@+', '      '))"
    return f"USING gin ({', '.join(map(each.format, columns))})"


ONLY_CANCELLED = "status = 'failed' AND jobs_cancelled > 0 AND jobs_failed = 0"
INDEXES = {
    "ix_job_action": "job (action text_pattern_ops, job_request_id DESC)",
    "ix_job_request_identifier_prefix": "job_request (identifier text_pattern_ops)",
    "ix_job_request_cancelled": f"job_request (id DESC) WHERE {ONLY_CANCELLED}",
    "ix_job_request_log": (
        "job_request (id DESC) INCLUDE"
        " (status, backend_id, workspace_id, created_by_id, created_at, jobs_cancelled, jobs_failed)"
    ),
    "ix_job_request_rerun_of_id": "job_request (rerun_of_id) WHERE rerun_of_id IS NOT NULL",
    "ix_job_request_sha": "job_request (sha text_pattern_ops)",
    "ix_job_request_status": "job_request (status, id DESC) INCLUDE (jobs_cancelled, jobs_failed)",
    "ix_org_words": f"org {_words('name', 'slug')}",
    "ix_project_words": f"project {_words('name', 'slug')}",
    "ix_repo_checked_at": "repo (checked_at NULLS FIRST)",
    "ix_user_words": f'"user" {_words("username", "fullname")}',
    "ix_workspace_words": f"workspace {_words('name')}",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        for name, what in INDEXES.items():
            # What is left of a run that was stopped is an index that is not used.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
        op.execute("ALTER TABLE auditable_event VALIDATE CONSTRAINT ck_auditable_event_type_known")
        op.execute("ALTER TABLE job_request VALIDATE CONSTRAINT fk_job_request_rerun_of_id")
        op.execute("INSERT INTO action_name SELECT DISTINCT action FROM job ON CONFLICT DO NOTHING")
        op.execute("SET statement_timeout = '60s'")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
