"""What staff change about an account: the name, and the email address of whoever has no GitHub account.

People who sign in with GitHub change their address themselves, by way of a link: :mod:`.settings`.
"""

from sqlalchemy.orm import Session

from jobserver.actions import changes, naming
from jobserver.actions.naming import Malformed
from jobserver.actions.settings import deliverable, is_blank
from jobserver.actions.users import EmailTaken, Person, normal_fullname
from jobserver.models import AuditType, User
from jobserver.queries.settings import has_email


def fields(*, uses_github: bool) -> tuple[str, ...]:
    """What staff may change of an account."""
    return ("fullname",) if uses_github else ("fullname", "email")


def needs_email(user: User) -> bool:
    """Whether the address can be changed but not removed: only bots have none."""
    return user.email is not None


def edit(
    db: Session,
    user: User,
    *,
    fullname: str,
    email: str = "",
    uses_github: bool,
    by: Person,
    seen: str | None = None,
    reason: str = "",
) -> bool:
    """Give the user this name, and this address if staff may change it; returns whether anything changed.

    Raises :class:`Malformed`, :class:`EmailTaken`, or
    :class:`~jobserver.actions.versions.ChangedMeanwhile`; nothing is changed then.
    """
    name = normal_fullname(fullname)
    if is_blank(name):
        raise Malformed("name", "needs at least one visible character")
    wanted: dict[str, str | None] = {"fullname": name}
    if not uses_github:
        wanted["email"] = _address(db, user, email)
    return changes.edit(
        db, user, wanted, AuditType.USER_UPDATED, by=by, seen=seen, reason=reason, target_user=user
    )


def _address(db: Session, user: User, email: str) -> str | None:
    # One at a time, so that two people cannot both be given one address.
    naming.lock(db)
    if not email.strip():
        if needs_email(user):
            raise Malformed("email", "is needed: only bots have none")
        return None
    address = deliverable(email)
    if has_email(db, address, but=user.id):
        raise EmailTaken(address)
    return address
