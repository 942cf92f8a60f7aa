"""What the page of a project shows (spec: pages 14.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from jobserver.models import (
    JobRequest,
    Org,
    Project,
    ProjectCollaboration,
    ProjectMembership,
    Repo,
    Role,
    User,
    Workspace,
)
from jobserver.queries.output_pages import CameOut, came_out_of_project
from jobserver.security import roles
from jobserver.security.sessions import goes_on
from jobserver.templating.states import State, state_of

PAGE = 25
FEW_MEMBERS, MOST_MEMBERS = 25, 1000
MOST_REPOS = 100
INTERNAL = "opensafely-internal"


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace of the project: its requests in number, and the newest of them if there is one."""

    name: str
    branch: str
    is_archived: bool
    created_at: datetime
    repo: Repo
    requests: int
    last_id: int | None
    last_at: datetime | None
    last_status: str | None
    last_only_cancelled: bool | None

    @property
    def last_shown(self) -> State:
        """The state of the newest request as pages show it."""
        return state_of(self.last_status or "", only_cancelled=bool(self.last_only_cancelled))


@dataclass(frozen=True)
class OrgRow:
    """An organisation that takes part."""

    slug: str
    name: str
    is_lead: bool


@dataclass(frozen=True)
class MemberRow:
    """Somebody who belongs to the project."""

    username: str
    fullname: str
    roles: list[Role]

    @property
    def role_names(self) -> list[str]:
        """The roles as people know them."""
        return [roles.ROLES[role].name for role in self.roles]


@dataclass(frozen=True)
class Facts:
    """How many workspaces and people a project has, and what came out of it."""

    workspaces: int
    members: int
    out: CameOut


def facts(db: Session, project_id: int) -> Facts:
    """The numbers of a project, in one statement."""
    workspaces = select(func.count()).where(Workspace.project_id == project_id)
    belongs = (ProjectMembership.project_id == project_id, goes_on(ProjectMembership))
    members = select(func.count()).where(*belongs)
    columns = [workspaces.scalar_subquery(), members.scalar_subquery(), *came_out_of_project(project_id)]
    workspaces_, members_, *out = db.execute(select(*columns)).one()
    return Facts(workspaces_, members_, CameOut(*out))


def workspaces_of(db: Session, project_id: int, *, limit: int = PAGE, offset: int = 0) -> list[WorkspaceRow]:
    """One page of the workspaces: those in use first, then by name."""
    chosen = (
        select(Workspace)
        .where(Workspace.project_id == project_id)
        .order_by(Workspace.is_archived, func.lower(Workspace.name), Workspace.id)
        .limit(limit)
        .offset(offset)
        .subquery("chosen")
    )
    here = JobRequest.workspace_id == chosen.c.id
    requests = select(func.count().label("number")).select_from(JobRequest).where(here).lateral("requests")
    newest = (
        select(
            JobRequest.id,
            JobRequest.created_at,
            JobRequest.status,
            JobRequest.only_cancelled.label("cancelled"),
        )
        .where(here)
        .order_by(JobRequest.id.desc())
        .limit(1)
        .lateral("newest")
    )
    statement = (
        select(
            chosen.c.name,
            chosen.c.branch,
            chosen.c.is_archived,
            chosen.c.created_at,
            Repo,
            requests.c.number,
            *newest.c,
        )
        .join(Repo, Repo.id == chosen.c.repo_id)
        .join(requests, true())
        .outerjoin(newest, true())
        .order_by(chosen.c.is_archived, func.lower(chosen.c.name), chosen.c.id)
    )
    return [WorkspaceRow(*row) for row in db.execute(statement)]


def repos_of(db: Session, project_id: int) -> Sequence[Repo]:
    """The repositories of the project's workspaces, by name."""
    used = select(Workspace.repo_id).where(Workspace.project_id == project_id)
    name = func.lower(func.split_part(Repo.url, "/", 5))
    return db.scalars(select(Repo).where(Repo.id.in_(used)).order_by(name, Repo.id).limit(MOST_REPOS)).all()


def orgs_of(db: Session, project_id: int) -> list[OrgRow]:
    """The organisations: the lead first, then by name."""
    is_lead = Org.id == Project.org_id
    statement = (
        select(Org.slug, Org.name, is_lead)
        .select_from(ProjectCollaboration)
        .join(Org, Org.id == ProjectCollaboration.org_id)
        .join(Project, Project.id == ProjectCollaboration.project_id)
        .where(Project.id == project_id)
        .order_by(is_lead.desc(), func.lower(Org.name))
    )
    return [OrgRow(*row) for row in db.execute(statement)]


def members_of(db: Session, project_id: int, *, limit: int = FEW_MEMBERS) -> list[MemberRow]:
    """The first members by name, with their roles in the project."""
    statement = (
        select(User.username, User.fullname, ProjectMembership.roles)
        .join(ProjectMembership, ProjectMembership.user_id == User.id)
        .where(ProjectMembership.project_id == project_id, goes_on(ProjectMembership))
        .order_by(func.lower(User.fullname), func.lower(User.username))
        .limit(limit)
    )
    return [
        MemberRow(username, fullname, sorted(roles.known(names)))
        for username, fullname, names in db.execute(statement)
    ]
