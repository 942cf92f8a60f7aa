"""What operators' actions on a backend would touch: for the look beforehand and for the acts.

Nothing of another backend is ever in these answers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, not_, select
from sqlalchemy.orm import Session

from jobserver.models import (
    ACTIVE_STATUSES,
    AuditableEvent,
    AuditType,
    BackendMembership,
    Job,
    JobRequest,
    User,
    Workspace,
)
from jobserver.queries.event_logs import still_going
from jobserver.queries.job_requests import ACTIVE
from jobserver.security.sessions import goes_on

# So many requests are listed, and acted on, at a time: more than any backend ever had going on.
MOST = 2000


@dataclass(frozen=True)
class GoingOn:
    """A request with jobs that could be cancelled; ``jobs`` says how many."""

    id: int
    identifier: str
    workspace: str
    username: str
    fullname: str
    created_at: datetime
    jobs: int


def cancellable(db: Session, backend_id: int, ids: Collection[int] | None = None) -> list[GoingOn]:
    """The requests on a backend of which jobs go on that nobody has asked to cancel, oldest first.

    ``ids``: only among these.
    """
    jobs = (
        select(Job.job_request_id, func.count().label("jobs"))
        .join(JobRequest, JobRequest.id == Job.job_request_id)
        .where(
            Job.backend_id == backend_id, ACTIVE, not_(Job.action == func.any(JobRequest.cancelled_actions))
        )
        .group_by(Job.job_request_id)
    )
    if ids is not None:
        jobs = jobs.where(Job.job_request_id.in_(ids))
    found = jobs.subquery()
    statement = (
        _columns(found.c.jobs)
        .join(found, found.c.job_request_id == JobRequest.id)
        .order_by(JobRequest.id)
        .limit(MOST)
    )
    return [GoingOn(*row) for row in db.execute(statement)]


def not_known_yet(db: Session, backend_id: int) -> list[GoingOn]:
    """Requests on a backend that go on although the controller has told of no job yet, oldest first."""
    statement = (
        _columns(JobRequest.jobs_total)
        .where(JobRequest.backend_id == backend_id, still_going(), JobRequest.jobs_total == 0)
        .order_by(JobRequest.id)
        .limit(MOST)
    )
    return [GoingOn(*row) for row in db.execute(statement)]


def _columns(jobs: Any) -> Select[Any]:
    return (
        select(
            JobRequest.id,
            JobRequest.identifier,
            Workspace.name,
            User.username,
            User.fullname,
            JobRequest.created_at,
            jobs,
        )
        .join(Workspace, Workspace.id == JobRequest.workspace_id)
        .join(User, User.id == JobRequest.created_by_id)
    )


@dataclass(frozen=True)
class Recipient:
    """Somebody with a request that goes on; ``requests`` says how many."""

    user_id: int
    username: str
    fullname: str
    requests: int


def recipients(db: Session, backend_id: int) -> list[Recipient]:
    """Everybody who has a request going on at a backend, an open account and an email address, by name."""
    statement = (
        select(User.id, User.username, User.fullname, func.count())
        .join(JobRequest, JobRequest.created_by_id == User.id)
        .where(
            JobRequest.backend_id == backend_id,
            still_going(),
            and_(User.disabled_at.is_(None), func.coalesce(User.email, "") != ""),
        )
        .group_by(User.id)
        .order_by(func.lower(User.fullname), User.id)
    )
    return [Recipient(*row) for row in db.execute(statement)]


def last_announcement(db: Session, backend_id: int) -> int:
    """What tells the last announcement about a backend from those before; 0 if there was none."""
    of_backend = (
        AuditableEvent.parent_model == "jobserver.Backend",
        AuditableEvent.parent_id == str(backend_id),
    )
    statement = select(func.max(AuditableEvent.id)).where(
        *of_backend, AuditableEvent.type == AuditType.SITE_ALERT_CREATED
    )
    return db.scalar(statement) or 0


@dataclass(frozen=True)
class Reach:
    """How many people may use a backend, and how many requests go on there."""

    members: int
    requests: int


def reach(db: Session, backend_id: int) -> Reach:
    """Whom and what a pause of a backend concerns."""
    members = select(func.count()).where(
        BackendMembership.backend_id == backend_id, goes_on(BackendMembership)
    )
    requests = select(func.count()).where(
        JobRequest.backend_id == backend_id,
        JobRequest.status.in_(ACTIVE_STATUSES),
        JobRequest.completed_at.is_(None),
    )
    return Reach(*db.execute(select(members.scalar_subquery(), requests.scalar_subquery())).one())


def people(found: Sequence[GoingOn]) -> int:
    """How many people asked for these requests."""
    return len({each.username for each in found})
