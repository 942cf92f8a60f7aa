"""What staff should look at now: few numbers, each that of a list that shows the things themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import ApplicationStatus, Backend, ProjectStatus, utcnow
from jobserver.queries.staff.applications import APPLICATIONS
from jobserver.queries.staff.listing import Asked
from jobserver.queries.staff.projects import NOBODY, PROJECTS
from jobserver.queries.staff.tasks import TASKS
from jobserver.queries.staff.users import USERS
from jobserver.queries.staff.workspaces import WORKSPACES

_ONGOING = [ProjectStatus.ONGOING.value, ProjectStatus.ONGOING_AND_LINKED.value]
_WANTED = {
    "people": (USERS, "users", {"missing": ["backend", "org", "project"], "state": ["open"]}),
    "deliveries": (TASKS, "tasks", {"state": ["failed"]}),
    "applications": (APPLICATIONS, "applications", {"status": [ApplicationStatus.SUBMITTED.value]}),
    "projects": (PROJECTS, "projects", {"copilot": [NOBODY], "status": _ONGOING}),
    "support": (PROJECTS, "projects", {"support": ["soon"]}),
    "releases": (WORKSPACES, "workspaces", {"files": ["late"]}),
}


@dataclass(frozen=True)
class Matter:
    """How many things of a kind ask for attention, None if very many, and the list of them."""

    kind: str
    number: int | None
    part: str
    query: Sequence[tuple[str, str]]


def matters(db: Session) -> list[Matter]:
    """Those of which there are any."""
    found = []
    for kind, (listing, part, values) in _WANTED.items():
        number = listing.count(db, Asked(values=values))  # type: ignore[attr-defined]
        if number != 0:
            query = [(name, each) for name, several in values.items() for each in several]
            found.append(Matter(kind, number, part, query))
    return found


def backends(db: Session) -> list[Backend]:
    """The backends in use that are silent, or take no new requests for now."""
    in_use = select(Backend).where(Backend.is_active).order_by(func.lower(Backend.name))
    now = utcnow()
    return [
        each for each in db.scalars(in_use) if each.is_missing(now) or each.creation_paused_at is not None
    ]
