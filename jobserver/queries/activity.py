"""What has lately gone on in a few workspaces, and when something first did.

Each workspace is asked on its own through its index, so that nothing here grows with how much ever ran.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, extract, func, select, true
from sqlalchemy.orm import Session

from jobserver.models import JobRequest, Org, Project, Workspace
from jobserver.queries import event_logs

LATEST = 6
QUARTER = timedelta(days=90)


@dataclass(frozen=True)
class FirstRun:
    """The first request of which a job is known; ``at`` is when its first job started."""

    job_request_id: int
    at: datetime
    workspace: str
    project_slug: str
    org_slug: str

    @property
    def path(self) -> tuple[str, str, str, int]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.workspace, self.job_request_id)


@dataclass(frozen=True)
class Quarter:
    """What was asked for in the last 90 days. ``seconds``: from first start to last end of each, added up."""

    requests: int
    succeeded: int
    failed: int
    seconds: float

    @property
    def success_rate(self) -> int | None:
        """Of 100 requests that succeeded or failed, how many succeeded; None if none did either."""
        ended = self.succeeded + self.failed
        return round(100 * self.succeeded / ended) if ended else None


def latest_in(
    db: Session, *workspaces: ColumnElement[bool], limit: int = LATEST
) -> list[event_logs.RequestRow]:
    """The newest requests in the workspaces that fulfil the conditions."""
    newest = (
        select(JobRequest.id)
        .where(JobRequest.workspace_id == Workspace.id)
        .order_by(JobRequest.id.desc())
        .limit(limit)
        .correlate(Workspace)
        .lateral("newest")
    )
    chosen = (
        select(newest.c.id)
        .select_from(Workspace)
        .join(newest, true())
        .where(*workspaces)
        .order_by(newest.c.id.desc())
        .limit(limit)
    )
    return event_logs.newest(db, JobRequest.id.in_(chosen), limit=limit)


def first_run(db: Session, *workspaces: ColumnElement[bool]) -> FirstRun | None:
    """When code first ran in the workspaces that fulfil the conditions; None if it never has.

    In a workspace that is its first request with a job. A request knows when the first of its jobs
    started; an old one of which that is not known counts from when it was made.
    """
    first = (
        select(
            JobRequest.id,
            func.coalesce(JobRequest.started_at, JobRequest.created_at).label("at"),
        )
        .where(JobRequest.workspace_id == Workspace.id, JobRequest.jobs_total > 0)
        .order_by(JobRequest.id)
        .limit(1)
        .correlate(Workspace)
        .lateral("first")
    )
    statement = (
        select(first.c.id, first.c.at, Workspace.name, Project.slug, Org.slug)
        .select_from(Workspace)
        .join(first, true())
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(*workspaces)
        .order_by(first.c.at, first.c.id)
        .limit(1)
    )
    row = db.execute(statement).one_or_none()
    return FirstRun(*row) if row else None


def quarter_columns(workspace_id: int, now: datetime) -> Select[Any]:
    """The statement for a :class:`Quarter`, in the order of its fields; one row."""
    since = now - QUARTER
    # Ids rise with time: the first of the quarter is where the workspace's own index can be entered.
    oldest = (
        select(JobRequest.id)
        .where(JobRequest.created_at >= since)
        .order_by(JobRequest.created_at)
        .limit(1)
        .scalar_subquery()
    )
    took = extract("epoch", JobRequest.completed_at - JobRequest.started_at)
    return select(
        func.count().label("requests"),
        func.count().filter(JobRequest.status == "succeeded").label("succeeded"),
        func.count().filter(JobRequest.status == "failed", ~JobRequest.only_cancelled).label("failed"),
        func.coalesce(func.sum(func.greatest(took, 0)), 0.0).label("seconds"),
    ).where(
        JobRequest.workspace_id == workspace_id,
        JobRequest.id >= oldest,
        JobRequest.created_at >= since,
    )
