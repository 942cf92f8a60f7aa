"""What the page of a workspace shows (spec: pages 15.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from jobserver.models import Backend, Job, JobRequest, User, Workspace
from jobserver.queries import event_logs
from jobserver.queries.backends import BackendRow
from jobserver.templating.states import State, state_of

LATEST = 6
RESULTS = 100


@dataclass(frozen=True)
class LastResult:
    """The last job of one action on one backend."""

    action: str
    identifier: str
    job_request_id: int
    backend: str
    status: str
    status_code: str
    state: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @property
    def shown(self) -> State:
        """The state as pages show it."""
        return state_of(self.status, self.status_code)

    @property
    def is_active(self) -> bool:
        """Whether the job may still move."""
        return self.state in {"pending", "running"}

    @property
    def at(self) -> datetime:
        """When it ended; when it started if it goes on; when it was made if it never started."""
        ended = None if self.is_active else self.completed_at
        return ended or self.started_at or self.created_at

    def took(self, now: datetime) -> timedelta | None:
        """How long it has run; None if it never started."""
        until = now if self.is_active else self.completed_at
        if self.started_at is None or until is None:
            return None
        return max(until - self.started_at, timedelta())


@dataclass(frozen=True)
class Summary:
    """The part of the page that changes."""

    going_on: Sequence[event_logs.RequestRow]
    latest: Sequence[event_logs.RequestRow]
    results: Sequence[LastResult]
    total: int

    @property
    def version(self) -> tuple[object, ...]:
        """What tells one state of the summary from another, besides the time."""
        return (
            self.total,
            tuple((row.id, row.version) for row in (*self.going_on, *self.latest)),
            tuple((row.identifier, row.status, row.status_code, row.at) for row in self.results),
        )

    @property
    def youngest(self) -> datetime | None:
        """When the newest request that goes on was made; None if nothing goes on."""
        return max((row.created_at for row in self.going_on), default=None)


def summary(db: Session, workspace_id: int) -> Summary:
    """What goes on, the newest requests and the last result of each action."""
    here = JobRequest.workspace_id == workspace_id
    return Summary(
        going_on=event_logs.newest(db, here, event_logs.still_going(), limit=LATEST),
        latest=event_logs.newest(db, here, limit=LATEST),
        results=last_results(db, workspace_id),
        total=event_logs.count(db, event_logs.Log(workspace_id=workspace_id)),
    )


# In the order of LastResult's fields.
_RESULT: tuple[Any, ...] = (
    Job.action,
    Job.identifier,
    Job.job_request_id,
    Backend.name,
    Job.status,
    Job.status_code,
    Job.state,
    Job.created_at,
    Job.started_at,
    Job.completed_at,
)


def last_results(db: Session, workspace_id: int, limit: int = RESULTS) -> list[LastResult]:
    """The last job of each action on each backend, by action; the most recent ones if there are many."""
    last = (
        select(Job.id)
        .ext(distinct_on(Job.workspace_id, Job.backend_id, Job.action))
        .where(Job.workspace_id == workspace_id)
        .order_by(Job.workspace_id, Job.backend_id, Job.action, Job.created_at.desc(), Job.id.desc())
    )
    statement = (
        select(*_RESULT)
        .join(Backend, Backend.id == Job.backend_id)
        .where(Job.id.in_(last))
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(limit)
    )
    found = [LastResult(*row) for row in db.execute(statement)]
    return sorted(found, key=lambda row: (row.action, row.backend.lower()))


def creator(db: Session, workspace: Workspace) -> str:
    """The name of whoever made the workspace."""
    return db.scalars(select(User.fullname).where(User.id == workspace.created_by_id)).one()


def why_not_run(
    workspace: Workspace, *, may_run: bool, offered: Sequence[BackendRow], usable: Sequence[BackendRow]
) -> str | None:
    """Why nothing can be run in the workspace by somebody, or None if it can be.

    ``offered`` are the person's backends that are in use, ``usable`` those of them for which new requests can
    be made just now. The first reason that applies is given (spec: access 3).
    """
    if workspace.is_archived:
        return "The workspace is archived. Nothing new can be run in it."
    if not may_run:
        return "You are a member, but not a Project Developer, of this project."
    if not offered:
        return "You have no backend to run jobs on yet."
    if not usable:
        names = " and ".join(row.backend.name for row in offered)
        return f"New job requests on {names} are switched off just now."
    return None
