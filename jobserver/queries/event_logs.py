"""Job requests in lists, newest first (spec: pages 9): whole logs, and the newest few."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import (
    ACTIVE_STATUSES,
    Backend,
    Job,
    JobRequest,
    Org,
    Project,
    ProjectCollaboration,
    User,
    Workspace,
)
from jobserver.queries.path import as_id
from jobserver.templating.states import State, state_of

PAGE = 25


@dataclass(frozen=True)
class RequestRow:
    """A job request in a list, with the names along its path."""

    id: int
    status: str
    requested_actions: list[str]
    sha: str
    version: int
    jobs_pending: int
    jobs_running: int
    jobs_succeeded: int
    jobs_failed: int
    jobs_cancelled: int
    jobs_unknown: int
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    workspace: str
    project_slug: str
    project: str
    org_slug: str
    org: str
    backend: str
    user: str
    username: str

    @property
    def path(self) -> tuple[str, str, str, int]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.workspace, self.id)

    @property
    def counts(self) -> dict[str, int]:
        """Jobs by state."""
        return {
            "succeeded": self.jobs_succeeded,
            "failed": self.jobs_failed,
            "cancelled": self.jobs_cancelled,
            "running": self.jobs_running,
            "pending": self.jobs_pending,
            "unknown": self.jobs_unknown,
        }

    @property
    def shown(self) -> State:
        """The state as pages show it: cancelled if nothing else made it fail."""
        only_cancelled = self.jobs_cancelled > 0 and self.jobs_failed == 0
        return state_of(self.status, only_cancelled=only_cancelled)

    @property
    def is_followed(self) -> bool:
        """Whether there may still be news."""
        return self.status in ACTIVE_STATUSES and self.completed_at is None

    def took(self, now: datetime) -> timedelta | None:
        """From first start to last end, or until now; None if nothing started."""
        until = self.completed_at or (now if self.is_followed else None)
        if self.started_at is None or until is None:
            return None
        return max(until - self.started_at, timedelta())


@dataclass(frozen=True)
class Log:
    """Which requests a log holds: those of an organisation, a project or a workspace, or all.

    ``q`` and ``backends`` narrow it. ``q`` finds a part of an action or of a job's identifier, or the number
    of a request or a job. ``backends`` are slugs, of which any will do.
    """

    org_id: int | None = None
    project_id: int | None = None
    workspace_id: int | None = None
    q: str = ""
    backends: Sequence[str] = field(default_factory=tuple)

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter is in force."""
        return bool(self.q or self.backends)

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a request in the log fulfils."""
        found: list[ColumnElement[bool]] = []
        if self.org_id is not None:
            theirs = select(ProjectCollaboration.project_id).where(ProjectCollaboration.org_id == self.org_id)
            found.append(JobRequest.workspace_id.in_(_workspaces().where(Workspace.project_id.in_(theirs))))
        if self.project_id is not None:
            mine = _workspaces().where(Workspace.project_id == self.project_id)
            found.append(JobRequest.workspace_id.in_(mine))
        if self.workspace_id is not None:
            found.append(JobRequest.workspace_id == self.workspace_id)
        if self.q:
            found.append(_matches(self.q))
        if self.backends:
            slugs = [slug for slug in self.backends if "\0" not in slug]
            found.append(JobRequest.backend_id.in_(select(Backend.id).where(Backend.slug.in_(slugs))))
        return found


def _workspaces() -> Select[int]:
    return select(Workspace.id)


def _matches(q: str) -> ColumnElement[bool]:
    if "\0" in q:
        return false()
    in_job = or_(Job.action.icontains(q, autoescape=True), Job.identifier.icontains(q, autoescape=True))
    number = as_id(q)
    if number is not None:
        in_job |= Job.id == number
    found: ColumnElement[bool] = exists().where(Job.job_request_id == JobRequest.id, in_job)
    return found if number is None else found | (JobRequest.id == number)


def count(db: Session, log: Log) -> int:
    """How many requests the log holds."""
    return db.scalar(select(func.count()).select_from(JobRequest).where(*log.conditions())) or 0


def page(db: Session, log: Log, *, limit: int = PAGE, offset: int = 0) -> list[RequestRow]:
    """The requests of one page of the log."""
    return newest(db, *log.conditions(), limit=limit, offset=offset)


def newest(db: Session, *conditions: ColumnElement[bool], limit: int, offset: int = 0) -> list[RequestRow]:
    """The newest requests that fulfil the conditions: one statement, however many."""
    # The rows are chosen before anything is joined, so that the index on the ids does the sorting.
    chosen = select(JobRequest.id).where(*conditions).order_by(JobRequest.id.desc())
    statement = (
        _columns().where(JobRequest.id.in_(chosen.limit(limit).offset(offset))).order_by(JobRequest.id.desc())
    )
    return [RequestRow(*row) for row in db.execute(statement)]


def _columns() -> Select[Any]:
    own = (
        "id",
        "status",
        "requested_actions",
        "sha",
        "version",
        "jobs_pending",
        "jobs_running",
        "jobs_succeeded",
        "jobs_failed",
        "jobs_cancelled",
        "jobs_unknown",
        "created_at",
        "started_at",
        "completed_at",
    )
    return (
        select(
            *[getattr(JobRequest, name) for name in own],
            Workspace.name,
            Project.slug,
            Project.name,
            Org.slug,
            Org.name,
            Backend.name,
            User.fullname,
            User.username,
        )
        .select_from(JobRequest)
        .join(Workspace, Workspace.id == JobRequest.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(Backend, Backend.id == JobRequest.backend_id)
        .join(User, User.id == JobRequest.created_by_id)
    )


def on_active_backends() -> ColumnElement[bool]:
    """Requests on backends that are in use."""
    return JobRequest.backend_id.in_(select(Backend.id).where(Backend.is_active))


def still_going() -> ColumnElement[bool]:
    """Requests of which there may still be news."""
    return JobRequest.status.in_(ACTIVE_STATUSES) & JobRequest.completed_at.is_(None)


@dataclass(frozen=True)
class BackendChoice:
    """A backend that a log can be narrowed to."""

    slug: str
    name: str


def backends_used(db: Session, workspace_id: int) -> list[BackendChoice]:
    """Every backend on which the workspace ever ran something, by name."""
    used = exists().where(JobRequest.backend_id == Backend.id, JobRequest.workspace_id == workspace_id)
    statement = select(Backend.slug, Backend.name).where(used).order_by(func.lower(Backend.name), Backend.id)
    return [BackendChoice(*row) for row in db.execute(statement)]
