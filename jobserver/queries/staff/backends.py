"""Backends, as staff look after them (spec: staff 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, Backend, BackendMembership, Job, JobRequest, User
from jobserver.queries.backends import BackendRow
from jobserver.queries.event_logs import still_going
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.security.sessions import goes_on

_MEMBERS = (
    select(func.count())
    .where(BackendMembership.backend_id == Backend.id, goes_on(BackendMembership))
    .correlate(Backend)
    .scalar_subquery()
)
_GOING_ON = (
    select(func.count())
    .where(JobRequest.backend_id == Backend.id, still_going())
    .correlate(Backend)
    .scalar_subquery()
)


def _jobs(state: str) -> Any:
    here = select(func.count()).where(Job.backend_id == Backend.id, Job.state == state)
    return here.correlate(Backend).scalar_subquery()


@dataclass(frozen=True)
class StaffBackendRow:
    """A backend in the list."""

    id: int
    backend: Backend
    members: int
    requests: int
    running: int
    pending: int

    @property
    def row(self) -> BackendRow:
        """As the status page knows it."""
        return BackendRow(self.backend, self.running, self.pending)


_STATES: dict[str, tuple[str, Any]] = {
    "in-use": ("In use", Backend.is_active),
    "out-of-use": ("Out of use", ~Backend.is_active),
    "paused": ("Takes no new requests", Backend.creation_paused_at.is_not(None)),
    "maintenance": ("Database maintenance", Backend.is_in_maintenance_mode),
}


def _by_state(values: Sequence[str]) -> ColumnElement[bool]:
    return or_(*[_STATES[value][1] for value in values if value in _STATES])


def _states(_db: Session) -> list[Option]:
    return [Option(value, label) for value, (label, _) in _STATES.items()]


BACKENDS: StaffList[StaffBackendRow] = StaffList(
    noun=("backend",),
    id_column=Backend.id,
    columns=select(Backend.id, Backend, _MEMBERS, _GOING_ON, _jobs("running"), _jobs("pending")),
    make=StaffBackendRow,
    sorts=(
        Sort("name", "Name", (func.lower(Backend.name),)),
        Sort("newest", "Newest first", (Backend.created_at,), descending=True),
    ),
    header=("slug", "name", "in use", "takes requests", "last seen", "members", "active requests"),
    cells=lambda row: (
        row.backend.slug,
        row.backend.name,
        "yes" if row.backend.is_active else "no",
        "no" if row.backend.creation_paused_at else "yes",
        row.backend.last_seen_at,
        row.members,
        row.requests,
    ),
    search=lambda q: contains(q, Backend.name, Backend.slug),
    search_label="Name or slug",
    filters=(Filter("state", "State", _by_state, _states),),
)


@dataclass(frozen=True)
class Facts:
    """What there is to know about a backend beside its own row."""

    members: int
    requests: int
    running: int
    pending: int
    paused_by: str | None
    rotated_at: datetime | None
    rotated_by: str | None


def facts(db: Session, backend: Backend) -> Facts:
    """Counts, who paused it, and when its token was last replaced: one statement."""
    event = AuditableEvent
    rotated = (
        select(event.created_at, event.created_by)
        .where(
            event.target_model == "jobserver.Backend",
            event.target_id == str(backend.id),
            event.type == AuditType.BACKEND_TOKEN_ROTATED,
        )
        .order_by(event.id.desc())
        .limit(1)
        .subquery()
    )
    statement = (
        select(
            _MEMBERS,
            _GOING_ON,
            _jobs("running"),
            _jobs("pending"),
            User.fullname,
            rotated.c.created_at,
            rotated.c.created_by,
        )
        .select_from(Backend)
        .outerjoin(User, User.id == Backend.creation_paused_by_id)
        .outerjoin(rotated, rotated.c.created_at.is_not(None))
        .where(Backend.id == backend.id)
    )
    return Facts(*db.execute(statement).one())
