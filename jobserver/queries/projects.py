"""What the page of a project shows (spec: pages 14.1)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
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
from jobserver.security import roles


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace of the project."""

    name: str
    branch: str
    is_archived: bool
    created_at: datetime
    repo: Repo


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
class FirstRun:
    """The project's first request of which a job is known; ``at`` is when its first job started."""

    job_request_id: int
    workspace: str
    at: datetime


def workspaces_of(db: Session, project_id: int) -> list[WorkspaceRow]:
    """The workspaces: those in use first, then by name."""
    statement = (
        select(Workspace.name, Workspace.branch, Workspace.is_archived, Workspace.created_at, Repo)
        .join(Repo, Repo.id == Workspace.repo_id)
        .where(Workspace.project_id == project_id)
        .order_by(Workspace.is_archived, func.lower(Workspace.name))
    )
    return [WorkspaceRow(*row) for row in db.execute(statement)]


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


def members_of(db: Session, project_id: int) -> list[MemberRow]:
    """The members by name, with their roles in the project."""
    statement = (
        select(User.username, User.fullname, ProjectMembership.roles)
        .join(ProjectMembership, ProjectMembership.user_id == User.id)
        .where(ProjectMembership.project_id == project_id)
        .order_by(func.lower(User.fullname), func.lower(User.username))
    )
    return [
        MemberRow(username, fullname, sorted(roles.known(names)))
        for username, fullname, names in db.execute(statement)
    ]


def first_run(db: Session, project_id: int) -> FirstRun | None:
    """When the project's code first ran; None if it never has.

    A request knows when the first of its jobs started; an old one of which that is not known counts from
    when it was made.
    """
    at = func.coalesce(JobRequest.started_at, JobRequest.created_at)
    jobs = (
        JobRequest.jobs_pending
        + JobRequest.jobs_running
        + JobRequest.jobs_succeeded
        + JobRequest.jobs_failed
        + JobRequest.jobs_cancelled
        + JobRequest.jobs_unknown
    )
    statement = (
        select(JobRequest.id, Workspace.name, at)
        .join(Workspace, Workspace.id == JobRequest.workspace_id)
        .where(Workspace.project_id == project_id, jobs > 0)
        .order_by(at, JobRequest.id)
        .limit(1)
    )
    row = db.execute(statement).one_or_none()
    return FirstRun(*row) if row else None
