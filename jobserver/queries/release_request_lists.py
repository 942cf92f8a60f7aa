"""Release requests in lists, newest first (spec: airlock 12.50).

Who sees which is the rule of :func:`jobserver.queries.visibility.release_requests_permitting`, which is that
of the pages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from jobserver.models import Backend, Org, Project, ReleaseRequest, User, Workspace
from jobserver.models.choices import ReleaseRequestState
from jobserver.queries.release_requests import Whose, whose_turn
from jobserver.queries.visibility import release_requests_permitting
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.templating.states import RELEASE_REQUEST_STATES, WHOSE_TURN, State

PAGE = 25


@dataclass(frozen=True)
class RequestRow:
    """A release request in a list."""

    id: str
    state: str
    turn: int
    created_at: datetime
    state_since: datetime
    author: str
    backend: str
    workspace: str
    project_slug: str
    org_slug: str

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.workspace, "release-requests", self.id)

    @property
    def shown(self) -> State:
        """Where it stands, as pages show it."""
        return RELEASE_REQUEST_STATES[self.state]

    @property
    def waits_for(self) -> str:
        """Whose turn it is, in words."""
        return WHOSE_TURN[whose_turn(self.state)]


def visible(identity: Identity | None) -> ColumnElement[bool]:
    """Of release requests: those that somebody may see."""
    permitted = release_requests_permitting(identity, Permission.UNRELEASED_OUTPUTS_VIEW)
    return ReleaseRequest.id.in_(permitted)


def in_workspace(workspace_id: int) -> ColumnElement[bool]:
    """Of release requests: those of the workspace."""
    return ReleaseRequest.workspace_id == workspace_id


def by(user_id: int) -> ColumnElement[bool]:
    """Of release requests: those of this author."""
    return ReleaseRequest.author_id == user_id


def narrowed(states: Iterable[str], turns: Iterable[str]) -> ColumnElement[bool]:
    """Of release requests: those in one of the states, and where it is the turn of one of these."""
    found: ColumnElement[bool] = true()
    if wanted := list(states):
        found &= ReleaseRequest.state.in_(wanted)
    if whose := list(turns):
        found &= ReleaseRequest.state.in_(states_where(whose))
    return found


def states_where(turns: Iterable[str]) -> Sequence[str]:
    """The states in which it is the turn of one of these."""
    wanted = set(turns)
    return [state.value for state in ReleaseRequestState if whose_turn(state) in wanted]


WAITING_FOR_CHECKERS = states_where([Whose.CHECKERS])


def number_of_requests(db: Session, chosen: ColumnElement[bool]) -> int:
    """How many there are."""
    return db.scalar(select(func.count()).select_from(ReleaseRequest).where(chosen)) or 0


def requests(
    db: Session, chosen: ColumnElement[bool], *, limit: int = PAGE, offset: int = 0
) -> list[RequestRow]:
    """The newest of them, newest first, in one statement."""
    newest = (ReleaseRequest.created_at.desc(), ReleaseRequest.id.desc())
    ids = select(ReleaseRequest.id).where(chosen).order_by(*newest).limit(limit).offset(offset)
    statement = (
        select(
            ReleaseRequest.id,
            ReleaseRequest.state,
            ReleaseRequest.turn,
            ReleaseRequest.created_at,
            ReleaseRequest.state_since,
            User.fullname,
            Backend.name,
            Workspace.name,
            Project.slug,
            Org.slug,
        )
        .join(User, User.id == ReleaseRequest.author_id)
        .join(Backend, Backend.id == ReleaseRequest.backend_id)
        .join(Workspace, Workspace.id == ReleaseRequest.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(ReleaseRequest.id.in_(ids))
        .order_by(*newest)
    )
    rows: Sequence[Any] = db.execute(statement).all()
    return [RequestRow(*row) for row in rows]
