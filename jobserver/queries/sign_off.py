"""What researchers look at before they sign a repository off (spec: pages 20.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import Org, Project, Repo, User, Workspace
from jobserver.queries.visibility import projects_permitting
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace of the repository, its project, and what the reader may do there.

    ``signed_off_by``: the full name of who did.
    """

    name: str
    branch: str
    purpose: str
    is_archived: bool
    signed_off_at: datetime | None
    signed_off_by: str | None
    org_slug: str
    project_slug: str
    project: str
    status: str
    may_edit: bool
    may_manage: bool
    is_mine: bool

    @property
    def project_path(self) -> tuple[str, str]:
        """The names that lead to the project."""
        return (self.org_slug, self.project_slug)

    @property
    def path(self) -> tuple[str, str, str]:
        """The names that lead to the workspace."""
        return (*self.project_path, self.name)


def workspaces(db: Session, repo: Repo, reader: Identity) -> list[WorkspaceRow]:
    """The repository's workspaces by name. ``is_mine``: the reader is a member of its project."""
    rows: Iterable[Any] = db.execute(
        select(
            Workspace.name,
            Workspace.branch,
            Workspace.purpose,
            Workspace.is_archived,
            Workspace.signed_off_at,
            User.fullname,
            Org.slug,
            Project.slug,
            Project.name,
            Project.status,
            Project.id.in_(projects_permitting(reader, Permission.WORKSPACE_CREATE)),
            Project.id.in_(projects_permitting(reader, Permission.PROJECT_MANAGE)),
            Project.id.in_(projects_permitting(reader, Permission.MEMBER_TOOLS_VIEW)),
        )
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .outerjoin(User, User.id == Workspace.signed_off_by_id)
        .where(Workspace.repo_id == repo.id)
        .order_by(func.lower(Workspace.name))
    )
    return [WorkspaceRow(*row) for row in rows]


def researcher(db: Session, repo: Repo) -> str:
    """The full name of who signed the repository off for the researchers; empty if nobody has."""
    found = select(User.fullname).where(User.id == repo.researcher_signed_off_by_id)
    return db.scalar(found) or "" if repo.researcher_signed_off_by_id else ""


def project_numbers(db: Session, repo_id: int) -> Sequence[str]:
    """The numbers of the projects with a workspace of the repository, as far as they have one."""
    used = select(Workspace.project_id).where(Workspace.repo_id == repo_id)
    numbers = select(Project.number).where(Project.id.in_(used), Project.number.is_not(None))
    return [number for number in db.scalars(numbers.order_by(Project.id)) if number]


@dataclass(frozen=True)
class ProjectRow:
    """A project that uses a repository, by the names that lead to it, and its co-pilot."""

    path: tuple[str, str]
    copilot: User | None


def projects(db: Session, repo_id: int) -> list[ProjectRow]:
    """The projects with a workspace of the repository, the oldest first."""
    used = select(Workspace.project_id).where(Workspace.repo_id == repo_id)
    rows = db.execute(
        select(Org.slug, Project.slug, User)
        .select_from(Project)
        .join(Org, Org.id == Project.org_id)
        .outerjoin(User, User.id == Project.copilot_id)
        .where(Project.id.in_(used))
        .order_by(Project.id)
    )
    return [ProjectRow((org, project), copilot) for org, project, copilot in rows]
