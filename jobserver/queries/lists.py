"""Lists of organisations, projects, workspaces and people, by name and in pages (spec: pages 3.3 and 21)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    JobRequest,
    Org,
    OrgMembership,
    Project,
    ProjectCollaboration,
    ProjectMembership,
    Repo,
    User,
    Workspace,
)
from jobserver.queries.people import everybody_who_took_part
from jobserver.queries.words import has_words, words_in
from jobserver.security import roles
from jobserver.security.identity import Identity
from jobserver.security.sessions import goes_on
from jobserver.templating.states import State, state_of

Row = TypeVar("Row")
PEOPLE_PAGE = 25
PAGE = 20
_LAST = aliased(JobRequest)


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """A list of which one page at a time is read.

    ``ids`` are the ids of all its rows, ``order`` how they are sorted; ``columns`` gives ``make`` its values.
    """

    ids: Select[int]
    order: tuple[Any, ...]
    columns: Select[*tuple[Any, ...]]
    id_column: Any
    make: Callable[..., Row]
    size: int = PAGE

    def count(self, db: Session) -> int:
        """How many rows there are."""
        return db.scalar(select(func.count()).select_from(self.ids.subquery())) or 0

    def page(self, db: Session, offset: int) -> list[Row]:
        """The rows of the page that begins after ``offset`` rows."""
        # The rows are chosen before anything is counted for them: only those of this page cost something.
        chosen = self.ids.order_by(*self.order).limit(self.size).offset(offset)
        statement = self.columns.where(self.id_column.in_(chosen)).order_by(*self.order)
        return [self.make(*row) for row in db.execute(statement)]


def _contains(q: str, *columns: Any) -> ColumnElement[bool]:
    if "\0" in q:
        return false()
    return or_(*[column.icontains(q, autoescape=True) for column in columns]) if q else true()


@dataclass(frozen=True)
class OrgRow:
    """An organisation, with the number of projects in which it takes part."""

    slug: str
    name: str
    projects: int


def organisations(q: str = "", *, of: Identity | None = None) -> Listing[OrgRow]:
    """All organisations, or those that somebody belongs to."""
    ids = select(Org.id).where(_contains(q, Org.name, Org.slug))
    if of is not None:
        mine = (OrgMembership.user_id == of.user_id, goes_on(OrgMembership))
        ids = ids.where(Org.id.in_(select(OrgMembership.org_id).where(*mine)))
    projects = (
        select(func.count()).where(ProjectCollaboration.org_id == Org.id).correlate(Org).scalar_subquery()
    )
    order = (func.lower(Org.name), Org.id)
    return Listing(ids, order, select(Org.slug, Org.name, projects), Org.id, OrgRow)


@dataclass(frozen=True)
class ProjectRow:
    """A project that somebody belongs to, with their roles in it."""

    slug: str
    name: str
    number: str | None
    status: str
    org_slug: str
    org: str
    roles: list[str]

    @property
    def path(self) -> tuple[str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.slug)

    @property
    def role_names(self) -> list[str]:
        """The roles as people know them."""
        return [roles.ROLES[role].name for role in sorted(roles.known(self.roles))]


def projects_of(user_id: int, q: str = "") -> Listing[ProjectRow]:
    """The projects that somebody belongs to."""
    theirs = select(ProjectMembership.project_id).where(
        ProjectMembership.user_id == user_id, goes_on(ProjectMembership)
    )
    ids = select(Project.id).where(
        Project.id.in_(theirs), _contains(q, Project.name, Project.slug, func.coalesce(Project.number, ""))
    )
    columns = (
        select(
            Project.slug,
            Project.name,
            Project.number,
            Project.status,
            Org.slug,
            Org.name,
            ProjectMembership.roles,
        )
        .join(Org, Org.id == Project.org_id)
        .join(
            ProjectMembership,
            (ProjectMembership.project_id == Project.id) & (ProjectMembership.user_id == user_id),
        )
    )
    return Listing(ids, (func.lower(Project.name), Project.id), columns, Project.id, ProjectRow)


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace of one's projects, with its last request if it has one."""

    name: str
    is_archived: bool
    branch: str
    repo: str
    project_slug: str
    project: str
    org_slug: str
    org: str
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

    @property
    def repo_name(self) -> str:
        """The repository without its host."""
        return self.repo.removeprefix("https://github.com/")


def workspaces_of(identity: Identity, q: str = "", *, archived: bool | None = None) -> Listing[WorkspaceRow]:
    """The workspaces of somebody's projects; only archived ones, or only those in use, if wanted."""
    ids = (
        select(Workspace.id)
        .join(Project, Project.id == Workspace.project_id)
        .where(
            Workspace.project_id.in_(list(identity.project_roles)), _contains(q, Workspace.name, Project.name)
        )
    )
    if archived is not None:
        ids = ids.where(Workspace.is_archived if archived else ~Workspace.is_archived)
    last = _LAST
    columns = (
        select(
            Workspace.name,
            Workspace.is_archived,
            Workspace.branch,
            Repo.url,
            Project.slug,
            Project.name,
            Org.slug,
            Org.name,
            last.status,
            last.created_at,
            last.only_cancelled,
        )
        .join(Repo, Repo.id == Workspace.repo_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .outerjoin(last, last.id == last_request_id())
    )
    return Listing(ids, (func.lower(Workspace.name),), columns, Workspace.id, WorkspaceRow)


def last_request_id() -> Any:
    """The id of the newest request of the workspace at hand."""
    return (
        select(JobRequest.id)
        .where(JobRequest.workspace_id == Workspace.id)
        .order_by(JobRequest.id.desc())
        .limit(1)
        .correlate(Workspace)
        .scalar_subquery()
    )


@dataclass(frozen=True)
class PersonRow:
    """Somebody who has taken part, with the number of their projects."""

    username: str
    fullname: str
    projects: int


def people(q: str = "") -> Listing[PersonRow]:
    """Everybody who ever asked for jobs or belongs to a project (spec: pages 30.1 no. 6)."""
    ids = select(User.id).where(everybody_who_took_part())
    if q:
        # Found by the words first: sorted by name first, nearly everybody would be looked at.
        found = (
            select(User.id)
            .where(has_words(words_in(q), "username", "fullname"))
            .cte("found")
            .prefix_with("MATERIALIZED")
        )
        ids = ids.where(User.id.in_(select(found.c.id)))
    projects = (
        select(func.count())
        .where(ProjectMembership.user_id == User.id, goes_on(ProjectMembership))
        .correlate(User)
        .scalar_subquery()
    )
    order = (func.lower(User.fullname), func.lower(User.username))
    columns = select(User.username, User.fullname, projects)
    return Listing(ids, order, columns, User.id, PersonRow, PEOPLE_PAGE)
