"""Job requests in lists, newest first (spec: pages 9): whole logs, and the newest few."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, cast, exists, func, select
from sqlalchemy.orm import Session

from jobserver.models import (
    ACTIVE_STATUSES,
    Backend,
    JobRequest,
    Org,
    Project,
    ProjectCollaboration,
    User,
    Workspace,
)
from jobserver.queries import log_filters
from jobserver.queries.log_filters import Filters, Meant
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
    """Which requests a log holds: those of an organisation, a project, a workspace or a person, or all.

    ``filters`` narrow it; ``meant`` is what :func:`jobserver.queries.log_filters.look_up` says of them.
    """

    org_id: int | None = None
    project_id: int | None = None
    workspace_id: int | None = None
    user_id: int | None = None
    filters: Filters = field(default_factory=Filters)
    meant: Meant = field(default_factory=Meant)

    def place(self) -> list[ColumnElement[bool]]:
        """What makes a request part of the log, whatever the filters say."""
        found: list[ColumnElement[bool]] = []
        if self.org_id is not None:
            theirs = select(ProjectCollaboration.project_id).where(ProjectCollaboration.org_id == self.org_id)
            found.append(JobRequest.workspace_id.in_(_workspaces().where(Workspace.project_id.in_(theirs))))
        if self.project_id is not None:
            mine = _workspaces().where(Workspace.project_id == self.project_id)
            found.append(JobRequest.workspace_id.in_(mine))
        if self.workspace_id is not None:
            found.append(JobRequest.workspace_id == self.workspace_id)
        if self.user_id is not None:
            found.append(JobRequest.created_by_id == self.user_id)
        return found

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a request in the log fulfils that the filters let through."""
        narrowed = log_filters.conditions(self.filters, self.meant, workspace_id=self.workspace_id)
        return [*self.place(), *narrowed]


def _workspaces() -> Select[int]:
    return select(Workspace.id)


def count(db: Session, log: Log) -> int:
    """How many requests the log holds."""
    return db.scalar(_count(log.conditions())) or 0


def _count(conditions: Sequence[ColumnElement[bool]]) -> Select[int]:
    return select(func.count()).select_from(JobRequest).where(*conditions)


@dataclass(frozen=True)
class Page:
    """One page of a log. ``total``: requests that the filters let through; ``of``: in the whole log."""

    ids: Sequence[int]
    total: int
    of: int


def find(db: Session, log: Log, page: int | None) -> Page:
    """The ids on a page, newest first, and the counts, in one statement; None is the last page.

    One walk along one index does it: it counts what it passes and keeps the ids, of which the page is a part.
    So every page of the log costs the same. A page that does not exist is empty.
    """
    passed = select(JobRequest.id).where(*log.conditions()).order_by(JobRequest.id.desc()).subquery("passed")
    total = func.count()
    first: Any = cast((func.greatest(total, 1) - 1) // PAGE * PAGE + 1, Integer)
    if page is not None:
        first = (page - 1) * PAGE + 1
    ids = func.array_agg(passed.c.id, type_=ARRAY(Integer))[first : first + PAGE - 1]
    place = log.place()
    of = _count(place).scalar_subquery() if len(place) < len(log.conditions()) else total
    row = db.execute(select(ids, total, of).select_from(passed)).one()
    return Page(row[0] or [], row[1], row[2])


def rows_of(db: Session, ids: Sequence[int]) -> list[RequestRow]:
    """The requests of a page, newest first."""
    return newest(db, JobRequest.id.in_(ids), limit=PAGE) if ids else []


@dataclass(frozen=True)
class Since:
    """The first page that a reader has: what of it is still shown, with versions, and how many are newer."""

    versions: Sequence[tuple[int, int]]
    newer: int


def since(db: Session, log: Log, newest_id: int) -> Since:
    """What has become of the first page of which this was the newest request."""
    newer = _count([*log.conditions(), JobRequest.id > newest_id]).scalar_subquery()
    shown = (
        select(JobRequest.id, JobRequest.version, newer)
        .where(*log.conditions(), JobRequest.id <= newest_id)
        .order_by(JobRequest.id.desc())
        .limit(PAGE)
    )
    rows = db.execute(shown).all()
    return Since([(row[0], row[1]) for row in rows], rows[0][2] if rows else 0)


def newest(db: Session, *conditions: ColumnElement[bool], limit: int, offset: int = 0) -> list[RequestRow]:
    """The newest requests that fulfil the conditions: one statement, however many."""
    # The rows are chosen before anything is joined, so that the index on the ids does the sorting.
    chosen = select(JobRequest.id).where(*conditions).order_by(JobRequest.id.desc())
    statement = (
        columns().where(JobRequest.id.in_(chosen.limit(limit).offset(offset))).order_by(JobRequest.id.desc())
    )
    return [RequestRow(*row) for row in db.execute(statement)]


def columns() -> Select[Any]:
    """What a :class:`RequestRow` is made of, the id first."""
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


def backends(db: Session, log: Log) -> dict[str, str]:
    """The names of the backends worth offering, in order, by slug.

    In a workspace these are those that it ever ran something on, else all.
    """
    statement = select(Backend.slug, Backend.name).order_by(func.lower(Backend.name), Backend.id)
    if log.workspace_id is not None:
        statement = statement.where(exists().where(JobRequest.backend_id == Backend.id, *log.place()))
    return dict(db.execute(statement).all())
