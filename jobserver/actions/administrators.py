"""Who runs the service: there is always one, and they learn who else is given power (spec: staff 17.21)."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, any_, exists, literal, or_, select, text
from sqlalchemy.orm import Session

from jobserver import locks, queue
from jobserver.actions.audit import Actor
from jobserver.actions.naming import Refused
from jobserver.models import GithubIdentity, Role, User, utcnow
from jobserver.security.roles import SENSITIVE


class LastAdministrator(Refused):
    """Nobody would be left who can give roles."""

    def __init__(self, username: str) -> None:
        super().__init__(
            "roles",
            f"{username} is the last active Staff Area Administrator."
            " Give the role to somebody else who can sign in first.",
        )


def is_administrator() -> ColumnElement[bool]:
    """Of users: those who can run the staff area now."""
    held = literal(Role.STAFF_AREA_ADMINISTRATOR.value) == any_(User.roles)
    return and_(held, User.disabled_at.is_(None))


def keep_one(db: Session, user: User) -> None:
    """Make sure that somebody else runs the staff area; raises :class:`LastAdministrator`.

    Accounts without GitHub's, of programs and those made by command, cannot be the one who is left.
    Asked before the user, whose row is locked, ceases to. Held until the end of the transaction.
    """
    if Role.STAFF_AREA_ADMINISTRATOR not in user.roles or user.disabled_at is not None:
        return
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": locks.ADMINISTRATORS})
    others = select(User.id).where(is_administrator(), User.id != user.id)
    if db.scalar(select(GithubIdentity.id).where(GithubIdentity.user_id == user.id)):
        others = others.where(exists().where(GithubIdentity.user_id == User.id))
    if db.scalar(others.limit(1)) is None:
        raise LastAdministrator(user.username)


def tell_of_roles(db: Session, user: User, given: Iterable[Role], *, by: Actor, reason: str) -> None:
    """Have the person and all administrators told of the roles given, if these reach beyond one project."""
    told = sorted(set(given) & SENSITIVE)
    if not told:
        return
    everybody = select(User.id).where(or_(is_administrator(), User.id == user.id), User.email.is_not(None))
    at = utcnow().isoformat()
    for recipient_id in db.scalars(everybody.order_by(User.id)):
        queue.defer(
            db,
            queue.Task.MAIL_ROLES_GIVEN,
            key=f"{user.id}:{at}:{recipient_id}",
            recipient_id=recipient_id,
            user_id=user.id,
            roles=told,
            by=by.username,
            reason=reason,
            at=at,
        )
