"""What the page of an organisation shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import Org, Project, ProjectCollaboration, ProjectMembership, Workspace
from jobserver.queries.activity import latest_in
from jobserver.queries.event_logs import RequestRow
from jobserver.security.sessions import goes_on

PAGE = 25


@dataclass(frozen=True)
class ProjectRow:
    """A project of an organisation, whether or not the organisation leads it."""

    slug: str
    name: str
    number: str | None
    created_at: datetime
    lead_slug: str
    lead: str
    members: int
    workspaces: int

    @property
    def path(self) -> tuple[str, str]:
        """The names that lead to its page."""
        return (self.lead_slug, self.slug)


def number_of_projects(db: Session, org_id: int) -> int:
    """In how many projects the organisation takes part."""
    return db.scalar(select(func.count()).where(ProjectCollaboration.org_id == org_id)) or 0


def projects_of(db: Session, org_id: int, *, limit: int = PAGE, offset: int = 0) -> list[ProjectRow]:
    """One page of the projects in which the organisation takes part, by name."""
    belongs = (ProjectMembership.project_id == Project.id, goes_on(ProjectMembership))
    members = select(func.count()).where(*belongs).scalar_subquery()
    workspaces = select(func.count()).where(Workspace.project_id == Project.id).scalar_subquery()
    statement = (
        select(
            Project.slug,
            Project.name,
            Project.number,
            Project.created_at,
            Org.slug,
            Org.name,
            members,
            workspaces,
        )
        .join(Org, Org.id == Project.org_id)
        .join(ProjectCollaboration, ProjectCollaboration.project_id == Project.id)
        .where(ProjectCollaboration.org_id == org_id)
        .order_by(func.lower(Project.name), Project.id)
        .limit(limit)
        .offset(offset)
    )
    return [ProjectRow(*row) for row in db.execute(statement)]


def shows_logo(db: Session, file: str) -> bool:
    """Whether an organisation shows this file as its logo."""
    return db.scalar(select(Org.id).where(Org.logo_file == file).limit(1)) is not None


def latest_of(db: Session, org_id: int) -> list[RequestRow]:
    """The newest requests in the projects in which the organisation takes part."""
    theirs = select(ProjectCollaboration.project_id).where(ProjectCollaboration.org_id == org_id)
    return latest_in(db, Workspace.project_id.in_(theirs))
