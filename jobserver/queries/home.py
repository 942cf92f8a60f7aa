"""What the front page shows to somebody who is signed in (spec: pages 5.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import JobRequest, Org, Project, ProjectMembership, Role, Workspace
from jobserver.queries import event_logs
from jobserver.queries.event_logs import RequestRow
from jobserver.queries.visibility import workspaces_permitting
from jobserver.security import roles
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.templating.states import State, state_of

LATEST_OF_ALL = 10
LATEST_OF_MINE = 5
SHOWN = 20


@dataclass(frozen=True)
class MyWorkspace:
    """A workspace of my projects, with its last request if it has one."""

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

    @property
    def path(self) -> tuple[str, str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.name)

    @property
    def shown(self) -> State | None:
        """The state of its last request."""
        return state_of(self.status, only_cancelled=bool(self.only_cancelled)) if self.status else None


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


def has_requested(db: Session, identity: Identity) -> bool:
    """Whether I ever asked for jobs, on whichever backend."""
    return bool(db.scalar(select(select(JobRequest.id).where(_mine(identity)).exists())))


def _mine(identity: Identity) -> ColumnElement[bool]:
    return JobRequest.created_by_id == identity.user_id


def my_workspaces(db: Session, identity: Identity) -> list[MyWorkspace]:
    """The workspaces in use of my projects, those with the latest activity first.

    Activity is a job request or a change of the workspace itself.
    """
    newest = (
        select(JobRequest.id)
        .where(JobRequest.workspace_id == Workspace.id)
        .order_by(JobRequest.id.desc())
        .limit(1)
        .correlate(Workspace)
        .scalar_subquery()
    )
    last = aliased(JobRequest)
    active_at = func.greatest(last.created_at, Workspace.updated_at)
    statement = (
        select(
            Workspace.name,
            Project.slug,
            Project.name,
            Org.slug,
            Workspace.id.in_(workspaces_permitting(identity, Permission.JOB_RUN)),
            active_at,
            func.count().over(),
            last.status,
            last.created_at,
            (last.jobs_cancelled > 0) & (last.jobs_failed == 0),
        )
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .outerjoin(last, last.id == newest)
        .where(Workspace.project_id.in_(list(identity.project_roles)), ~Workspace.is_archived)
        .order_by(active_at.desc(), Workspace.id.desc())
        .limit(SHOWN)
    )
    return [MyWorkspace(*row) for row in db.execute(statement)]


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
        .where(ProjectMembership.user_id == identity.user_id)
        .order_by(func.lower(Project.name), Project.id)
        .limit(SHOWN)
    )
    return [
        MyProject(slug, name, number, org_slug, sorted(roles.known(names)), total)
        for slug, name, number, org_slug, names, total in db.execute(statement)
    ]


@dataclass(frozen=True)
class Step:
    """One thing on the way from signing in to the first run."""

    name: str
    is_done: bool
    explanation: str


def steps(identity: Identity, workspaces: Sequence[MyWorkspace], *, has_backend: bool) -> list[Step]:
    """The way to somebody's first run: what they have, and what is missing."""
    may_run = any(
        Permission.JOB_RUN in roles.session_permissions(role)
        for held in identity.project_roles.values()
        for role in held
    )
    no_role = "You are a member of a project, but no role of yours there lets you run jobs."
    no_project = "A project groups the work on one approved topic. You are not a member of any."
    return [
        Step("Sign in", True, f"You are signed in as {identity.username}."),
        Step(
            "Belong to an organisation",
            bool(identity.org_ids),
            "Projects belong to organisations; making a workspace takes belonging to one.",
        ),
        Step(
            "Be a Project Developer of a project", may_run, no_role if identity.project_roles else no_project
        ),
        Step(
            "Have a backend",
            has_backend,
            "A backend is a secure environment that holds patient data. You may not use any yet.",
        ),
        Step(
            "Have a workspace",
            bool(workspaces),
            "A workspace ties a branch of a repository to a project. Your projects have none in use.",
        ),
        Step("Run jobs", False, "Open a workspace, choose actions and a backend."),
    ]
