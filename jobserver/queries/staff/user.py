"""One person, as staff look at them (spec: staff 13.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    Application,
    Backend,
    BackendMembership,
    GithubIdentity,
    Job,
    JobRequest,
    Org,
    OrgMembership,
    PersonalToken,
    Project,
    ProjectMembership,
    User,
    Workspace,
)
from jobserver.queries.staff.projects import identifier_order
from jobserver.security import roles
from jobserver.security.sessions import goes_on
from jobserver.templating.states import State, state_of
from jobserver.templating.times import last_day

NEWEST_JOBS = 10
# The newest jobs are looked for in as many requests.
AMONG_REQUESTS = 30
MOST_TOKENS = 20


@dataclass(frozen=True)
class Facts:
    """How somebody signs in, how much they asked for, and who closed the account if somebody did."""

    github_login: str | None
    requests: int
    disabled_by: str | None

    @property
    def uses_github(self) -> bool:
        """Whether it is a person who signs in with GitHub."""
        return self.github_login is not None


def facts(db: Session, user: User) -> Facts:
    """The facts about the user, in one statement."""
    login = select(GithubIdentity.login).where(GithubIdentity.user_id == user.id).limit(1)
    requests = select(func.count()).where(JobRequest.created_by_id == user.id)
    closer = select(User.fullname).where(User.id == user.disabled_by_id)
    statement = select(login.scalar_subquery(), requests.scalar_subquery(), closer.scalar_subquery())
    return Facts(*db.execute(statement).one())


@dataclass(frozen=True)
class InProject:
    """Somebody's membership of a project. ``by`` let them in."""

    id: int
    org_slug: str
    slug: str
    name: str
    number: str | None
    roles: list[str]
    since: datetime
    by: str | None
    ends_at: datetime | None

    @property
    def role_names(self) -> list[str]:
        """The roles there, as people know them."""
        return [roles.ROLES[role].name for role in sorted(roles.known(self.roles))]


def in_projects(db: Session, user: User, *, with_roles: bool = False) -> list[InProject]:
    """The person's memberships of projects, in the order of projects; or those of them that have roles."""
    by = aliased(User)
    member = ProjectMembership
    statement = (
        select(
            member.id,
            Org.slug,
            Project.slug,
            Project.name,
            Project.number,
            member.roles,
            member.created_at,
            by.username,
            member.ends_at,
        )
        .join(Project, Project.id == member.project_id)
        .join(Org, Org.id == Project.org_id)
        .outerjoin(by, by.id == member.created_by_id)
        .where(member.user_id == user.id, goes_on(member))
        .order_by(*identifier_order(), Project.id)
    )
    if with_roles:
        statement = statement.where(func.cardinality(member.roles) > 0)
    return [InProject(*row) for row in db.execute(statement)]


@dataclass(frozen=True)
class Place:
    """An organisation or a backend, and somebody's membership of it: ``since`` is None if there is none."""

    id: int
    slug: str
    name: str
    since: datetime | None
    by: str | None
    ends_at: datetime | None

    @property
    def last_day(self) -> date | None:
        """The day with which the membership ends, if it does."""
        return last_day(self.ends_at) if self.ends_at else None


def backends(db: Session, user: User) -> list[Place]:
    """All backends by name, with the person's access to each."""
    return _places(db, user, Backend, BackendMembership, BackendMembership.backend_id)


def orgs(db: Session, user: User) -> list[Place]:
    """All organisations by name, with the person's membership of each."""
    return _places(db, user, Org, OrgMembership, OrgMembership.org_id)


def orgs_of(db: Session, user: User) -> list[Place]:
    """The organisations that the person belongs to, by name."""
    return _places(db, user, Org, OrgMembership, OrgMembership.org_id, only_theirs=True)


def _places(
    db: Session, user: User, place: Any, membership: Any, place_id: Any, *, only_theirs: bool = False
) -> list[Place]:
    by = aliased(User)
    theirs = and_(place_id == place.id, membership.user_id == user.id, goes_on(membership))
    statement = (
        select(place.id, place.slug, place.name, membership.created_at, by.username, membership.ends_at)
        .join(membership, theirs, isouter=not only_theirs)
        .outerjoin(by, by.id == membership.created_by_id)
        .order_by(func.lower(place.name), place.id)
    )
    return [Place(*row) for row in db.execute(statement)]


@dataclass(frozen=True)
class Copiloted:
    """A project that somebody is the co-pilot of."""

    slug: str
    title: str
    support_ends_at: datetime | None


def copiloted(db: Session, user: User) -> list[Copiloted]:
    """The projects that the person is the co-pilot of, in the order of projects."""
    statement = select(Project).where(Project.copilot_id == user.id).order_by(*identifier_order(), Project.id)
    return [Copiloted(each.slug, each.title, each.copilot_support_ends_at) for each in db.scalars(statement)]


@dataclass(frozen=True)
class JobLine:
    """A job that somebody asked for."""

    action: str
    path: tuple[str, str, str, int, str]
    workspace: str
    status: str
    status_code: str
    created_at: datetime

    @property
    def state(self) -> State:
        """How to show it."""
        return state_of(self.status, self.status_code)


def newest_jobs(db: Session, user: User) -> list[JobLine]:
    """The newest jobs of the person's newest requests."""
    newest = select(JobRequest.id).where(JobRequest.created_by_id == user.id)
    newest = newest.order_by(JobRequest.id.desc()).limit(AMONG_REQUESTS)
    statement = (
        select(
            Org.slug,
            Project.slug,
            Workspace.name,
            Job.job_request_id,
            Job.identifier,
            Job.action,
            Job.status,
            Job.status_code,
            Job.created_at,
        )
        .join(Workspace, Workspace.id == Job.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(Job.job_request_id.in_(newest))
        .order_by(Job.job_request_id.desc(), Job.id.desc())
        .limit(NEWEST_JOBS)
    )
    return [
        JobLine(action, (org, project, workspace, request, identifier), workspace, status, code, at)
        for org, project, workspace, request, identifier, action, status, code, at in db.execute(statement)
    ]


def applications(db: Session, user: User) -> Sequence[Application]:
    """The applications that the person began and nobody deleted, newest first."""
    mine = (Application.created_by_id == user.id, Application.deleted_at.is_(None))
    newest_first = (Application.created_at.desc(), Application.id.desc())
    return db.scalars(select(Application).where(*mine).order_by(*newest_first).limit(50)).all()


def tokens(db: Session, user: User) -> Sequence[PersonalToken]:
    """The person's newest tokens."""
    mine = select(PersonalToken).where(PersonalToken.user_id == user.id)
    return db.scalars(mine.order_by(PersonalToken.id.desc()).limit(MOST_TOKENS)).all()
