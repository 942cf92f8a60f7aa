"""Logs as rows of a file."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import Backend, JobRequest, Org, Project, User, Workspace
from jobserver.queries.event_logs import Log
from jobserver.templating.states import state_of

MOST = 50_000
HEADER = (
    "request",
    "identifier",
    "state",
    "organisation",
    "project",
    "workspace",
    "actions",
    "jobs succeeded",
    "jobs failed",
    "jobs cancelled",
    "jobs not finished",
    "asked by",
    "backend",
    "asked at",
    "started at",
    "ended at",
    "commit",
)


def rows(db: Session, log: Log) -> list[tuple[Any, ...]]:
    """The requests that the log's filters let through, newest first, at most :data:`MOST`; see ``HEADER``."""
    chosen = select(JobRequest.id).where(*log.conditions()).order_by(JobRequest.id.desc()).limit(MOST)
    statement = (
        select(
            JobRequest.id,
            JobRequest.identifier,
            JobRequest.status,
            Org.slug,
            Project.slug,
            Workspace.name,
            func.array_to_string(JobRequest.requested_actions, " "),
            JobRequest.jobs_succeeded,
            JobRequest.jobs_failed,
            JobRequest.jobs_cancelled,
            JobRequest.jobs_pending + JobRequest.jobs_running + JobRequest.jobs_unknown,
            User.username,
            Backend.slug,
            JobRequest.created_at,
            JobRequest.started_at,
            JobRequest.completed_at,
            JobRequest.sha,
        )
        .join(Workspace, Workspace.id == JobRequest.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(Backend, Backend.id == JobRequest.backend_id)
        .join(User, User.id == JobRequest.created_by_id)
        .where(JobRequest.id.in_(chosen))
        .order_by(JobRequest.id.desc())
    )
    return [_with_state(row) for row in db.execute(statement)]


def _with_state(row: Any) -> tuple[Any, ...]:
    only_cancelled = row.jobs_cancelled > 0 and row.jobs_failed == 0
    state = state_of(row.status, only_cancelled=only_cancelled).word.lower()
    return (*row[:2], state, *row[3:])
