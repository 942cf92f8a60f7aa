"""Signed-in browsers: rows in the database, found by the digest of the cookie's value.

A session ends at its time, at sign-out, or at once when its user is disabled.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    BackendMembership,
    GithubIdentity,
    OrgMembership,
    ProjectMembership,
    Role,
    User,
    UserSession,
    utcnow,
)
from jobserver.security import roles, tokens
from jobserver.security.identity import BackendAccess, Identity

LIFETIME = timedelta(days=14)
STAFF_LIFETIME = timedelta(hours=12)


def lifetime(user: User) -> timedelta:
    """How long the user stays signed in: shorter for those who run the staff area."""
    runs_or_reads_it = {Role.STAFF_AREA_ADMINISTRATOR, Role.AUDITOR}
    return STAFF_LIFETIME if runs_or_reads_it & set(user.roles) else LIFETIME


def start(db: Session, user: User, *, user_agent: str, address: str, now: datetime | None = None) -> str:
    """Sign the user in and return the cookie's value, which is kept nowhere."""
    now = now or utcnow()
    token = tokens.new_session_token()
    user.last_login = now
    db.add(
        UserSession(
            user_id=user.id,
            digest=tokens.digest(token),
            created_at=now,
            expires_at=now + lifetime(user),
            user_agent=user_agent[:300],
            address=address[:64],
        )
    )
    return token


def shorten(db: Session, user: User) -> None:
    """Let the user stay signed in nowhere for longer than if they signed in now."""
    limit = utcnow() + lifetime(user)
    longer = (UserSession.user_id == user.id, UserSession.expires_at > limit)
    db.execute(update(UserSession).where(*longer).values(expires_at=limit))


def end(db: Session, token: str) -> None:
    """Sign this browser out."""
    db.execute(delete(UserSession).where(UserSession.digest == tokens.digest(token)))


def end_all(db: Session, user_id: int) -> None:
    """Sign the user out everywhere."""
    db.execute(delete(UserSession).where(UserSession.user_id == user_id))


def clear_expired(db: Session) -> int:
    """Delete sessions whose time is over; returns how many there were."""
    result = db.execute(delete(UserSession).where(UserSession.expires_at <= func.now()))
    return int(getattr(result, "rowcount", 0))


def identify(db: Session, token: str) -> Identity | None:
    """Who presents this cookie; None if the session is unknown or over, or the user disabled."""
    row = db.execute(_OF_SESSION, {"session_digest": tokens.digest(token)}).mappings().one_or_none()
    return _read(row) if row else None


def identity_of(db: Session, user_id: int) -> Identity:
    """The identity of a user, for commands and tasks that act in their name."""
    return _read(db.execute(_OF_USER, {"wanted_id": user_id}).mappings().one())


def has_name(name: Any) -> ColumnElement[bool]:
    """That a user has exactly this name; found by the index, which knows no case."""
    return and_(func.lower(User.username) == func.lower(name), User.username == name)


def person_named(db: Session, username: str) -> Identity | None:
    """The person of exactly this username, in whose name a backend acts; None if unknown or disabled."""
    if not username or "\0" in username or len(username) > 255:
        return None
    row = db.execute(_OF_NAME, {"wanted_name": username}).mappings().one_or_none()
    return _read(row) if row else None


def goes_on(membership: Any) -> ColumnElement[bool]:
    """That a membership has not reached its end: the worker removes it soon after, but it counts no more."""
    return or_(membership.ends_at.is_(None), membership.ends_at > func.now())


def _identity() -> Select[Any]:
    memberships = (
        select(func.jsonb_object_agg(ProjectMembership.project_id, ProjectMembership.roles))
        .where(ProjectMembership.user_id == User.id, goes_on(ProjectMembership))
        .scalar_subquery()
    )
    orgs = (
        select(func.array_agg(OrgMembership.org_id))
        .where(OrgMembership.user_id == User.id, goes_on(OrgMembership))
        .scalar_subquery()
    )
    backend = func.jsonb_build_array(Backend.id, Backend.slug)
    backends = (
        select(func.jsonb_agg(aggregate_order_by(backend, Backend.slug)))
        .join(BackendMembership, BackendMembership.backend_id == Backend.id)
        .where(BackendMembership.user_id == User.id, goes_on(BackendMembership))
        .scalar_subquery()
    )
    return select(
        User.id,
        User.username,
        User.fullname,
        User.email,
        User.roles,
        memberships.label("memberships"),
        orgs.label("orgs"),
        backends.label("backends"),
        select(GithubIdentity.id).where(GithubIdentity.user_id == User.id).exists().label("uses_github"),
    )


# Made once: every request of somebody who is signed in begins with it.
_OF_USER = _identity().where(User.id == bindparam("wanted_id"))
_OF_NAME = _identity().where(has_name(bindparam("wanted_name", type_=String)), User.disabled_at.is_(None))
_OF_SESSION = (
    _identity()
    .add_columns(UserSession.id.label("session_id"))
    .join(UserSession, UserSession.user_id == User.id)
    .where(
        UserSession.digest == bindparam("session_digest"),
        UserSession.expires_at > func.now(),
        User.disabled_at.is_(None),
    )
)


def _read(row: Any) -> Identity:
    return Identity(
        user_id=row["id"],
        username=row["username"],
        fullname=row["fullname"],
        email=row["email"],
        roles=tuple(roles.known(row["roles"])),
        project_roles={
            int(project_id): tuple(roles.known(names))
            for project_id, names in (row["memberships"] or {}).items()
        },
        org_ids=frozenset(row["orgs"] or ()),
        backends=tuple(BackendAccess(*pair) for pair in row["backends"] or ()),
        uses_github=row["uses_github"],
        session_id=row.get("session_id"),
    )
