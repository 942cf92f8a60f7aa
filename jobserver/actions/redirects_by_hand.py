"""Old addresses that staff look after by hand: added, kept for longer, ended (spec: staff 17.15)."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import changes, naming, redirects
from jobserver.actions.audit import id_of, label_of, record
from jobserver.actions.naming import Refused
from jobserver.actions.redirects import Place
from jobserver.models import AuditType, Redirect, User, utcnow
from jobserver.queries import addresses
from jobserver.security.identity import Identity

YEAR = timedelta(days=365)
LONGEST = 500


def add(db: Session, names: Sequence[str], target: Place, *, by: User | Identity) -> Redirect:
    """Let the path of these names lead to the target, for a year.

    Raises :class:`~jobserver.actions.naming.Refused` if it is no path that can be had, is in use, or leads
    somewhere already.
    """
    naming.lock(db)
    old_url = _checked(names)
    if addresses.is_in_use(db, names):
        raise Refused("old_url", "There is a page at this address.")
    _check_free(db, old_url)
    key = {f"{type(target).__name__.lower()}_id": target.id}
    redirect = Redirect(old_url=old_url, created_by_id=id_of(by), expires_at=utcnow() + YEAR, **key)
    db.add(redirect)
    db.flush()
    record(db, AuditType.REDIRECT_CREATED, by=by, target=redirect, parent=target, new=old_url)
    return redirect


def extend(db: Session, redirect: Redirect, *, seen: str, by: User | Identity) -> None:
    """Keep it for a year more, from its end or, if that is past, from now.

    ``seen`` is the version of ``expires_at`` that the person saw. Raises
    :class:`~jobserver.actions.versions.ChangedMeanwhile`: to press twice is not to ask for two years; and
    :class:`~jobserver.actions.naming.Refused` if by now another one leads from there.
    """
    naming.lock(db)
    _check_free(db, redirect.old_url, but_by=redirect.id)
    wanted = {"expires_at": max(redirect.expires_at, utcnow()) + YEAR}
    target = redirects.target_of(db, redirect)
    changes.edit(db, redirect, wanted, AuditType.REDIRECT_UPDATED, by=by, seen=seen, parent=target)


def delete(db: Session, redirect: Redirect, *, by: User | Identity) -> bool:
    """End it; returns False if somebody else has just done so."""
    db.refresh(redirect, ["deleted_at"], with_for_update=True)
    if redirect.deleted_at is not None:
        return False
    redirects.end(db, redirect, by=by)
    return True


def _check_free(db: Session, old_url: str, *, but_by: int = 0) -> None:
    other = db.scalar(
        select(Redirect).where(
            Redirect.old_url == old_url,
            Redirect.id != but_by,
            Redirect.deleted_at.is_(None),
            Redirect.expires_at > utcnow(),
        )
    )
    if other is not None:
        label = label_of(redirects.target_of(db, other))
        raise Refused("old_url", f"This address leads to “{label}” already. Delete that redirect first.")


def _checked(names: Sequence[str]) -> str:
    path = "/" + "/".join(names) + "/"
    is_path = 0 < len(names) <= addresses.MOST_SEGMENTS and not set(names) & {"", ".", ".."}
    if not is_path or not path.isprintable() or len(path) > LONGEST:
        raise Refused("old_url", "Enter the path of one page, such as /old-name/ or /org/old-name/.")
    if names[0].lower() in naming.RESERVED_AT_ROOT:
        raise Refused("old_url", f"Addresses that begin with /{names[0]}/ belong to the site itself.")
    return path
