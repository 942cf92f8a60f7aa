"""People: how an account comes to be, and its global roles."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import administrators, naming
from jobserver.actions.audit import Actor, listed, record
from jobserver.actions.naming import Malformed, Refused, Taken
from jobserver.actions.versions import check_version
from jobserver.models import AuditType, GithubIdentity, Role, User, utcnow
from jobserver.models.choices import GLOBAL_ROLES
from jobserver.security import sessions
from jobserver.security.identity import Identity

Person = User | Identity | Actor

_USERNAME = re.compile(r"[A-Za-z0-9_.+-]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LONGEST_EMAIL = 254
# Others may meanwhile write that this user did something.
UNLIKE_A_KEY: Any = {"key_share": True}


class UsernameTaken(Taken):
    """A first sign-in would need a username that an existing account has; it is never given that account."""

    def __init__(self, username: str) -> None:
        super().__init__("username", username, "an account that another person may own")


class EmailTaken(Taken):
    """Another account has this email address."""

    def __init__(self, email: str) -> None:
        super().__init__("email", email, "another account")


class EmailUnverified(Refused):
    """GitHub vouches for no email address of the person."""

    def __init__(self) -> None:
        super().__init__("email", "The GitHub account has no verified primary email address.")


class AccountDisabled(Refused):
    """The account is closed: its owner cannot sign in."""

    def __init__(self, username: str) -> None:
        super().__init__("username", f"The account “{username}” is disabled.")


def normal_username(username: str) -> str:
    """The one spelling of a username; :class:`Malformed` if it cannot be one.

    ``@`` is refused so that a username can never be somebody's email address.
    """
    wanted = unicodedata.normalize("NFKC", username).strip()
    if not _USERNAME.fullmatch(wanted) or len(wanted) > naming.LONGEST:
        raise Malformed("username", "may have letters from A to Z, digits and . + - _ only")
    return wanted


def normal_email(email: str | None) -> str | None:
    """The one spelling of an address, in lower case; None if there is none."""
    wanted = (email or "").strip().lower()
    if not wanted:
        return None
    if not _EMAIL.fullmatch(wanted) or not wanted.isprintable() or len(wanted) > _LONGEST_EMAIL:
        raise Malformed("email", f"must be an address such as name@example.org, not “{wanted[:80]}”")
    return wanted


def normal_fullname(fullname: str) -> str:
    """The name without outer and repeated white space; :class:`Malformed` if there is none."""
    return naming.trimmed("name", fullname)


def create(db: Session, *, username: str, email: str | None, fullname: str, by: Person | None) -> User:
    """Open an account without roles; ``by`` is None if people open their own.

    Raises :class:`Malformed`, :class:`Taken` or :class:`EmailTaken`.
    """
    user = User(
        username=normal_username(username), email=normal_email(email), fullname=normal_fullname(fullname)
    )
    naming.lock(db)
    if db.scalar(select(User.id).where(func.lower(User.username) == user.username.lower())):
        raise Taken("username", user.username)
    if user.email and db.scalar(select(User.id).where(func.lower(User.email) == user.email)):
        raise EmailTaken(user.email)
    db.add(user)
    db.flush()
    record(db, AuditType.USER_CREATED, by=by or user, target=user, target_user=user)
    return user


def set_global_roles(
    db: Session,
    user: User,
    wanted: Iterable[Role],
    *,
    by: Person,
    seen: str | None = None,
    reason: str = "",
) -> bool:
    """Give the user exactly these global roles; returns whether anything changed.

    ``seen`` is the version of the sorted roles that the person saw. Raises :class:`Malformed`,
    :class:`~jobserver.actions.administrators.LastAdministrator`, or
    :class:`~jobserver.actions.versions.ChangedMeanwhile` if the roles are others now.
    """
    roles = set(wanted)
    for role in sorted(roles - set(GLOBAL_ROLES)):
        raise Malformed("roles", f"include {role}, which is given on a project only")
    db.flush()
    db.refresh(user, ["roles", "disabled_at"], with_for_update=UNLIKE_A_KEY)
    held = set(user.roles)
    if roles == held:
        return False
    if seen is not None:
        check_version(seen, *sorted(held))
    if Role.STAFF_AREA_ADMINISTRATOR not in roles:
        administrators.keep_one(db, user)
    old, new = listed(held), listed(roles)
    user.roles = sorted(roles)
    sessions.shorten(db, user)
    record(
        db,
        AuditType.USER_UPDATED_ROLES,
        by=by,
        target=user,
        target_field="roles",
        target_user=user,
        old=old,
        new=new,
        reason=reason,
    )
    db.flush()
    administrators.tell_of_roles(db, user, roles - held, by=Actor.of(by), reason=reason)
    return True


def add_global_roles(db: Session, user: User, roles: Iterable[Role], *, by: Person) -> list[Role]:
    """Give the user these global roles beside those held; returns the new ones."""
    added = sorted(set(roles) - set(user.roles))
    set_global_roles(db, user, [*map(Role, user.roles), *added], by=by)
    return added


def register_github(db: Session, *, uid: str, login: str, name: str, verified_email: str | None) -> User:
    """The account of whoever GitHub says this is, opened at the first sign-in (spec: access 8.1).

    People are known by GitHub's id of them. ``verified_email`` is their primary address if GitHub has
    verified it. Raises :class:`AccountDisabled`, :class:`EmailUnverified`, :class:`EmailTaken`,
    :class:`UsernameTaken`, or :class:`Malformed` for the field ``name`` if there is none yet.
    """
    naming.lock(db)
    identity = db.scalar(
        select(GithubIdentity).where(GithubIdentity.provider == "github", GithubIdentity.uid == uid)
    )
    if identity is not None:
        return _known(db, identity, login)
    email = normal_email(verified_email)
    if email is None:
        raise EmailUnverified
    username = re.sub(r"[^A-Za-z0-9_.+-]", "", login)
    try:
        user = create(db, username=username, email=email, fullname=name, by=None)
    except EmailTaken:
        raise
    except Taken:
        raise UsernameTaken(username) from None
    link_github(db, user, uid=uid, login=login)
    queue.defer(db, queue.Task.ANNOUNCE_NEW_USER, key=str(user.id), user_id=user.id)
    return user


def link_github(db: Session, user: User, *, uid: str, login: str, by: Person | None = None) -> None:
    """Let the person of this GitHub id sign in as the user; ``by`` is None if the account is new."""
    db.add(GithubIdentity(user_id=user.id, uid=uid, login=login, extra_data=_extra_data(uid, login)))
    db.flush()
    if by is not None:
        linked = {"github_account": (None, uid)}
        record(db, AuditType.USER_UPDATED, by=by, target=user, target_user=user, changes=linked)


def _known(db: Session, identity: GithubIdentity, login: str) -> User:
    user = db.get_one(User, identity.user_id)
    if user.disabled_at is not None:
        raise AccountDisabled(user.username)
    identity.login = login
    identity.extra_data = _extra_data(identity.uid, login)
    identity.modified_at = utcnow()
    return user


def _extra_data(uid: str, login: str) -> dict[str, Any]:
    return {"id": uid, "login": login, "auth_time": int(utcnow().timestamp())}
