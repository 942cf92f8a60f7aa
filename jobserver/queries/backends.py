"""Backends and what they are doing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import Backend, BackendMembership, ControllerContact, Job
from jobserver.security.sessions import goes_on
from jobserver.templating.states import STATES, State

NOT_SEEN = State("unknown", "question-mark-circle", "Not heard from yet")


@dataclass(frozen=True)
class BackendRow:
    """A backend with the length of its queue."""

    backend: Backend
    running: int
    pending: int

    def is_missing(self, now: datetime) -> bool:
        """Whether it has been silent for too long."""
        return self.backend.is_missing(now)

    @property
    def takes_no_requests(self) -> bool:
        """Whether operators let nobody ask for jobs there for now; the backend's reason says why."""
        return self.backend.creation_paused_at is not None

    def shown(self, now: datetime) -> State:
        """The one state that matters most to somebody who wants to run something there."""
        if self.backend.last_seen_at is None:
            return NOT_SEEN
        if self.is_missing(now):
            return STATES["no_contact"]
        if self.backend.is_paused:
            return STATES["paused"]
        return STATES["maintenance" if self.backend.is_in_maintenance_mode else "working"]


def backend_by_slug(db: Session, slug: str) -> Backend | None:
    """The backend of this slug."""
    return db.scalars(select(Backend).where(Backend.slug == slug)).one_or_none()


def active_backends(db: Session, *, for_user_id: int | None = None) -> list[BackendRow]:
    """The active backends by name, or those of them that the user may use, with their queues."""
    count = (
        select(func.count())
        .where(Job.backend_id == Backend.id, Job.state.in_(("pending", "running")))
        .correlate(Backend)
    )
    statement = (
        select(
            Backend,
            count.where(Job.state == "running").scalar_subquery(),
            count.where(Job.state == "pending").scalar_subquery(),
        )
        .where(Backend.is_active)
        .order_by(func.lower(Backend.name), Backend.id)
    )
    if for_user_id is not None:
        statement = statement.join(BackendMembership, BackendMembership.backend_id == Backend.id).where(
            BackendMembership.user_id == for_user_id, goes_on(BackendMembership)
        )
    return [BackendRow(backend, running, pending) for backend, running, pending in db.execute(statement)]


def in_maintenance(db: Session) -> list[str]:
    """Names of the active backends whose database is under maintenance."""
    return list(
        db.scalars(
            select(Backend.name)
            .where(Backend.is_active, Backend.is_in_maintenance_mode)
            .order_by(func.lower(Backend.name), Backend.id)
        )
    )


def controller_contact(db: Session) -> ControllerContact | None:
    """When the RAP controller was last reached, if it ever was."""
    return db.get(ControllerContact, 1)
