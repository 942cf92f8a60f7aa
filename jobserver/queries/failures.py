"""Somebody's requests that failed and that nobody has seen to yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    DateTime,
    Integer,
    Select,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from jobserver.models import Backend, Job, JobRequest, Org, Project, Workspace
from jobserver.security.identity import Identity

# How far back a failure still asks for attention, and among how many of somebody's newest requests.
WITHIN = timedelta(days=14)
LOOKED_AT = 100


@dataclass(frozen=True)
class Failure:
    """A request of mine that failed and was not run again, with the first job whose own fault it was."""

    id: int
    workspace: str
    project_slug: str
    org_slug: str
    backend: str
    status_message: str | None
    failed_at: datetime
    jobs_failed: int
    action: str | None
    identifier: str | None
    status_code: str | None
    message: str | None

    @property
    def path(self) -> tuple[str, str, str, int]:
        """The names that lead to the request."""
        return (self.org_slug, self.project_slug, self.workspace, self.id)

    @property
    def job_path(self) -> tuple[object, ...]:
        """The names that lead to what failed: the job, or the request if it has none."""
        return (*self.path, self.identifier) if self.identifier else self.path


def failures(db: Session, identity: Identity, now: datetime, *, limit: int) -> list[Failure]:
    """My newest requests that failed lately and of which nothing has been asked for again, newest first.

    Cancelled ones do not count. A failure is seen to once there is a newer request in the same workspace
    on the same backend for everything, for one of the actions asked for, or for one that failed; or one
    that was made as its repetition.
    """
    values = {"user_id": identity.user_id, "since": now - WITHIN, "most": limit}
    return [Failure(*row) for row in db.execute(_statement(), values)]


@cache
def _statement() -> Select[Any]:
    """Made once: to make it takes longer than to run it."""
    request, newer, failed = JobRequest, aliased(JobRequest), aliased(Job)
    mine = select(request.id).where(request.created_by_id == bindparam("user_id"))
    recent = mine.order_by(request.id.desc()).limit(LOOKED_AT)
    failed_actions = (
        select(func.array_agg(failed.action))
        .where(failed.job_request_id == request.id, failed.state == "failed")
        .correlate(request)
        .scalar_subquery()
    )
    asked_again = exists().where(
        newer.workspace_id == request.workspace_id,
        newer.backend_id == request.backend_id,
        newer.id > request.id,
        or_(
            literal("run_all") == any_(newer.requested_actions),
            newer.requested_actions.bool_op("&&")(request.requested_actions),
            newer.requested_actions.bool_op("&&")(failed_actions),
        ),
    )
    repeated = exists().where(newer.rerun_of_id == request.id)
    ended_at = func.coalesce(request.completed_at, request.created_at)
    first = (
        select(Job.action, Job.identifier, Job.status_code, Job.status_message)
        .where(Job.job_request_id == request.id, Job.state == "failed")
        # Those that never started because of another come last.
        .order_by(case((Job.status_code == "dependency_failed", 1), else_=0), Job.completed_at, Job.id)
        .limit(1)
        .lateral("first")
    )
    return (
        select(
            request.id,
            Workspace.name,
            Project.slug,
            Org.slug,
            Backend.name,
            request.status_message,
            ended_at,
            request.jobs_failed,
            first.c.action,
            first.c.identifier,
            first.c.status_code,
            first.c.status_message,
        )
        .join(Workspace, Workspace.id == request.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(Backend, Backend.id == request.backend_id)
        .outerjoin(first, true())
        .where(
            request.id.in_(recent),
            request.status == "failed",
            ~request.only_cancelled,
            ended_at > bindparam("since", type_=DateTime(timezone=True)),
            ~Workspace.is_archived,
            ~asked_again,
            ~repeated,
        )
        .order_by(request.id.desc())
        .limit(bindparam("most", type_=Integer))
    )
