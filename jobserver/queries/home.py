"""What the front page shows to somebody who is signed in (spec: pages 5.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, extract, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from jobserver.models import JobRequest, Org, Project, ProjectMembership, Role, User, Workspace
from jobserver.queries import event_logs
from jobserver.queries.event_logs import RequestRow
from jobserver.queries.lists import last_request_id
from jobserver.queries.visibility import workspaces_permitting
from jobserver.security import roles
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.security.sessions import goes_on
from jobserver.templating.states import State, state_of

LATEST_OF_ALL = 10
LATEST_OF_MINE = 5
SHOWN = 10
RECENT = 12
_LAST = aliased(JobRequest)


@dataclass(frozen=True)
class MyWorkspace:
    """A workspace of my projects, with its last request if it has one.

    ``recent`` has the status and the seconds taken of its last requests, oldest first.
    """

    name: str
    project_slug: str
    project: str
    org_slug: str
    may_run: bool
    active_at: datetime
    total: int
    status: str | None
    requested_at: datetime | None
    only_cancelled: bool | None
    last_id: int | None
    last_by: str | None
    recent: Sequence[tuple[str, float | None]] | None

    @property
    def path(self) -> tuple[str, str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.name)

    @property
    def shown(self) -> State | None:
        """The state of its last request."""
        return state_of(self.status, only_cancelled=bool(self.only_cancelled)) if self.status else None

    @property
    def has_failed(self) -> bool:
        """Whether its last request failed for another reason than being cancelled."""
        return self.status == "failed" and not self.only_cancelled


@dataclass(frozen=True)
class MyProject:
    """A project that I am a member of."""

    slug: str
    name: str
    number: str | None
    org_slug: str
    roles: list[Role]
    total: int

    @property
    def path(self) -> tuple[str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.slug)

    @property
    def role_names(self) -> list[str]:
        """My roles in it, as people know them."""
        return [roles.ROLES[role].name for role in self.roles]


def latest_of_all(db: Session) -> list[RequestRow]:
    """The newest requests of everybody on backends that are in use."""
    return event_logs.newest(db, event_logs.on_active_backends(), limit=LATEST_OF_ALL)


def latest_of_mine(db: Session, identity: Identity) -> list[RequestRow]:
    """My newest requests on backends that are in use."""
    return event_logs.newest(db, _mine(identity), event_logs.on_active_backends(), limit=LATEST_OF_MINE)


def running(db: Session, identity: Identity) -> list[RequestRow]:
    """My requests of which there may still be news, newest first."""
    return event_logs.newest(db, _mine(identity), event_logs.still_going(), limit=LATEST_OF_ALL)


def _mine(identity: Identity) -> ColumnElement[bool]:
    return JobRequest.created_by_id == identity.user_id


def my_workspaces(db: Session, identity: Identity) -> list[MyWorkspace]:
    """The workspaces in use of my projects, those with the latest activity first.

    Activity is a job request or a change of the workspace itself.
    """
    last = _LAST
    active_at = func.greatest(last.created_at, Workspace.updated_at).label("active_at")
    chosen = (
        select(
            Workspace.name.label("name"),
            Project.slug,
            Project.name.label("project"),
            Org.slug.label("org_slug"),
            Workspace.id.in_(workspaces_permitting(identity, Permission.JOB_RUN)).label("may_run"),
            active_at,
            func.count().over().label("total"),
            last.status,
            last.created_at.label("requested_at"),
            last.only_cancelled.label("only_cancelled"),
            last.id.label("last_id"),
            User.fullname,
            Workspace.id.label("workspace_id"),
        )
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .outerjoin(last, last.id == last_request_id())
        .outerjoin(User, User.id == last.created_by_id)
        .where(Workspace.project_id.in_(list(identity.project_roles)), ~Workspace.is_archived)
        .order_by(active_at.desc(), Workspace.id.desc())
        .limit(SHOWN)
        .subquery("chosen")
    )
    *shown, workspace_id = chosen.c
    statement: Select[*tuple[Any, ...]] = select(*shown, _recent_runs(chosen))
    statement = statement.order_by(chosen.c.active_at.desc(), workspace_id.desc())
    return [MyWorkspace(*row) for row in db.execute(statement)]


def _recent_runs(chosen: Subquery) -> Any:
    """Status and seconds taken of the last requests of each workspace, oldest first, as JSON."""
    request = (
        select(
            JobRequest.id,
            JobRequest.status,
            extract("epoch", JobRequest.completed_at - JobRequest.started_at).label("seconds"),
        )
        .where(JobRequest.workspace_id == chosen.c.workspace_id)
        .order_by(JobRequest.id.desc())
        .limit(RECENT)
        .correlate(chosen)
        .subquery("request")
    )
    run = func.jsonb_build_array(request.c.status, request.c.seconds)
    return select(func.jsonb_agg(aggregate_order_by(run, request.c.id))).correlate(chosen).scalar_subquery()


def my_projects(db: Session, identity: Identity) -> list[MyProject]:
    """The projects that I am a member of, by name."""
    statement = (
        select(
            Project.slug,
            Project.name,
            Project.number,
            Org.slug,
            ProjectMembership.roles,
            func.count().over(),
        )
        .join(Project, Project.id == ProjectMembership.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(ProjectMembership.user_id == identity.user_id, goes_on(ProjectMembership))
        .order_by(func.lower(Project.name), Project.id)
        .limit(SHOWN)
    )
    return [
        MyProject(slug, name, number, org_slug, sorted(roles.known(names)), total)
        for slug, name, number, org_slug, names, total in db.execute(statement)
    ]
