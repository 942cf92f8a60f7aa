"""What the settings pages show of one's own account (spec: pages 7 and 30.7)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    BackendMembership,
    EmailChange,
    Org,
    OrgMembership,
    PersonalToken,
    Project,
    ProjectMembership,
    Role,
    User,
    UserSession,
)
from jobserver.security import roles, tokens
from jobserver.security.identity import Identity
from jobserver.security.sessions import goes_on

PAGE = 25
# Tokens that are listed: those that work, and the newest of the others.
TOKENS_LISTED = 50


def email_change(db: Session, user_id: int) -> EmailChange | None:
    """The person's wish to have another address, even if its link has expired; None if it was withdrawn.

    A withdrawn wish is kept for as long as it says when the last link was mailed: it ends when it began.
    """
    return db.scalar(
        select(EmailChange).where(
            EmailChange.user_id == user_id, EmailChange.expires_at > EmailChange.created_at
        )
    )


class LinkState(StrEnum):
    """What following the link of an email change can do."""

    USABLE = "usable"
    UNKNOWN = "unknown"
    NOT_YOURS = "not_yours"
    EXPIRED = "expired"
    TAKEN = "taken"


@dataclass(frozen=True)
class Link:
    """A link of an email change: what it can do, and to which address it would lead."""

    state: LinkState
    email: str = ""


def link_of(db: Session, user_id: int, token: str, now: datetime) -> Link:
    """What the link with this token can do for the person who follows it.

    Nothing is said of the wishes of others, and of one's own only what is in the link's own mail.
    """
    change = db.scalar(
        select(EmailChange).where(
            EmailChange.digest == tokens.digest(token), EmailChange.expires_at > EmailChange.created_at
        )
    )
    if change is None:
        return Link(LinkState.UNKNOWN)
    if change.user_id != user_id:
        return Link(LinkState.NOT_YOURS)
    if change.expires_at <= now:
        return Link(LinkState.EXPIRED, change.email)
    if has_email(db, change.email, but=user_id):
        return Link(LinkState.TAKEN, change.email)
    return Link(LinkState.USABLE, change.email)


def has_email(db: Session, email: str, *, but: int) -> bool:
    """Whether somebody other than the user ``but`` has this address."""
    return bool(db.scalar(select(User.id).where(func.lower(User.email) == email.lower(), User.id != but)))


@dataclass(frozen=True)
class SessionRow:
    """A browser in which the person is signed in."""

    id: int
    user_agent: str
    address: str
    created_at: datetime
    expires_at: datetime


def _running(user_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (UserSession.user_id == user_id, UserSession.expires_at > now)


def number_of_sessions(db: Session, user_id: int, now: datetime) -> int:
    """In how many browsers the person is signed in."""
    statement = select(func.count()).select_from(UserSession).where(*_running(user_id, now))
    return db.scalar(statement) or 0


def sessions(
    db: Session, identity: Identity, now: datetime, *, limit: int = PAGE, offset: int = 0
) -> list[SessionRow]:
    """The browsers in which the person is signed in: the one in use, then the newest first."""
    columns = [getattr(UserSession, name) for name in SessionRow.__dataclass_fields__]
    statement = (
        select(*columns)
        .where(*_running(identity.user_id, now))
        .order_by((UserSession.id == identity.session_id).desc(), UserSession.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [SessionRow(*row) for row in db.execute(statement)]


@dataclass(frozen=True)
class MyProject:
    """A project that the person is a member of, with their roles in it."""

    slug: str
    name: str
    number: str | None
    org_slug: str
    since: datetime
    roles: list[Role]

    @property
    def path(self) -> tuple[str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.slug)


def projects(db: Session, user_id: int, *, limit: int = PAGE, offset: int = 0) -> list[MyProject]:
    """The projects that the person is a member of, by name."""
    statement = (
        select(
            Project.slug,
            Project.name,
            Project.number,
            Org.slug,
            ProjectMembership.created_at,
            ProjectMembership.roles,
        )
        .join(Project, Project.id == ProjectMembership.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(ProjectMembership.user_id == user_id, goes_on(ProjectMembership))
        .order_by(func.lower(Project.name), Project.id)
        .limit(limit)
        .offset(offset)
    )
    return [
        MyProject(slug, name, number, org_slug, since, sorted(roles.known(held)))
        for slug, name, number, org_slug, since, held in db.execute(statement)
    ]


@dataclass(frozen=True)
class MyBackend:
    """A backend that the person may use."""

    name: str
    is_active: bool
    since: datetime


def backends(db: Session, user_id: int) -> list[MyBackend]:
    """The backends that the person may use, by name."""
    statement = (
        select(Backend.name, Backend.is_active, BackendMembership.created_at)
        .join(Backend, Backend.id == BackendMembership.backend_id)
        .where(BackendMembership.user_id == user_id, goes_on(BackendMembership))
        .order_by(func.lower(Backend.name), Backend.id)
    )
    return [MyBackend(*row) for row in db.execute(statement)]


@dataclass(frozen=True)
class MyOrg:
    """An organisation that the person belongs to."""

    slug: str
    name: str
    since: datetime


def orgs(db: Session, user_id: int) -> list[MyOrg]:
    """The organisations that the person belongs to, by name."""
    statement = (
        select(Org.slug, Org.name, OrgMembership.created_at)
        .join(Org, Org.id == OrgMembership.org_id)
        .where(OrgMembership.user_id == user_id, goes_on(OrgMembership))
        .order_by(func.lower(Org.name), Org.id)
    )
    return [MyOrg(*row) for row in db.execute(statement)]


def personal_tokens(db: Session, user_id: int, now: datetime) -> list[PersonalToken]:
    """Somebody's tokens for programs: those that work, then those that ended, newest first."""
    token = PersonalToken
    has_ended = token.revoked_at.is_not(None) | (token.expires_at <= now)
    statement = select(token).where(token.user_id == user_id).order_by(has_ended, token.id.desc())
    return list(db.scalars(statement.limit(TOKENS_LISTED)))


def personal_token(db: Session, user_id: int, token_id: int) -> PersonalToken | None:
    """The token of this id, if it is theirs."""
    return db.scalar(
        select(PersonalToken).where(PersonalToken.id == token_id, PersonalToken.user_id == user_id)
    )


def account(db: Session, user_id: int) -> User:
    """The person's own row."""
    return db.get_one(User, user_id)
