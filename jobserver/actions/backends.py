"""Backends: making one, replacing its token, and who may run jobs there."""

from datetime import datetime, timedelta

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.orm import Session

from jobserver.actions import affiliations, naming
from jobserver.actions.audit import record
from jobserver.actions.changes import edit as edit_columns
from jobserver.actions.changes import version
from jobserver.actions.naming import Malformed, Taken
from jobserver.actions.users import Person
from jobserver.actions.versions import check_version, version_of
from jobserver.models import AuditType, Backend, User, utcnow
from jobserver.security import tokens

TOKEN_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
LONGEST_TIMEOUT = timedelta(days=7)
EDITABLE = ("name", "is_active", "alert_timeout")


def create(
    db: Session, *, by: Person, slug: str, name: str | None = None, is_active: bool = False, reason: str = ""
) -> tuple[Backend, str]:
    """Make a backend; returns it with its token, which is shown this once (spec: domain 3.3).

    Raises :class:`~jobserver.actions.naming.Malformed` or :class:`~jobserver.actions.naming.Taken`.
    """
    slug = naming.checked_slug(slug)
    naming.lock(db)
    if db.scalar(select(Backend.id).where(func.lower(Backend.slug) == slug.lower())):
        raise Taken("slug", slug, "another backend")
    token = tokens.new_backend_token()
    backend = Backend(
        slug=slug,
        name=naming.trimmed("name", name or slug),
        is_active=is_active,
        token_digest=tokens.digest(token),
    )
    db.add(backend)
    db.flush()
    record(db, AuditType.BACKEND_CREATED, by=by, target=backend, parent=backend, reason=reason)
    return backend, token


def edit(
    db: Session,
    backend: Backend,
    *,
    by: Person,
    seen: str,
    name: str,
    is_active: bool,
    alert_timeout: timedelta,
    reason: str = "",
) -> bool:
    """Change what staff decide about a backend; returns whether anything is different now (spec: staff 4).

    ``seen`` is the :func:`edit_version` that the person saw. Raises
    :class:`~jobserver.actions.naming.Malformed` or :class:`~jobserver.actions.versions.ChangedMeanwhile`.
    """
    if not timedelta() < alert_timeout <= LONGEST_TIMEOUT:
        raise Malformed("alert timeout", f"must be more than nothing and at most {LONGEST_TIMEOUT.days} days")
    wanted = {"name": naming.trimmed("name", name), "is_active": is_active, "alert_timeout": alert_timeout}
    return edit_columns(
        db, backend, wanted, AuditType.BACKEND_UPDATED, by=by, seen=seen, parent=backend, reason=reason
    )


def edit_version(backend: Backend) -> str:
    """What tells what :func:`edit` changes, as it is, from other values."""
    return version(backend, *EDITABLE)


def rotate_token(
    db: Session,
    backend: Backend,
    *,
    by: Person,
    overlap: timedelta = TOKEN_OVERLAP,
    seen: str | None = None,
    reason: str = "",
    now: datetime | None = None,
) -> str:
    """Replace the token and return the new one; the one before it stays valid for ``overlap``.

    ``seen`` is the :func:`token_version` that the person saw: a form that is sent twice must not end the
    token that is in use. Raises :class:`~jobserver.actions.naming.Malformed` or
    :class:`~jobserver.actions.versions.ChangedMeanwhile`.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Malformed("overlap", f"must be at most {LONGEST_OVERLAP.days} days")
    now = now or utcnow()
    db.flush()
    db.refresh(backend, with_for_update=True)
    if seen is not None:
        check_version(seen, *_token_columns(backend))
    token = tokens.new_backend_token()
    ends = now + overlap if backend.token_digest and overlap else None
    backend.previous_token_digest = backend.token_digest if ends else None
    backend.previous_token_expires_at = ends
    backend.previous_token_used_at = backend.token_used_at if ends else None
    backend.token_digest, backend.token_used_at = tokens.digest(token), None
    backend.updated_at = now
    changes = {"previous_token_expires_at": (None, ends.isoformat(timespec="minutes") if ends else None)}
    record(
        db,
        AuditType.BACKEND_TOKEN_ROTATED,
        by=by,
        target=backend,
        parent=backend,
        changes=changes,
        reason=reason,
        at=now,
    )
    return token


def mark_used(db: Session, digest: str) -> None:
    """Keep that the token with this digest was used just now: the one in use, or the one before."""
    is_newest = Backend.token_digest == digest
    db.execute(
        update(Backend)
        .where(or_(is_newest, Backend.previous_token_digest == digest))
        .values(
            token_used_at=case((is_newest, func.now()), else_=Backend.token_used_at),
            previous_token_used_at=case((is_newest, Backend.previous_token_used_at), else_=func.now()),
        )
    )


def token_version(backend: Backend) -> str:
    """What tells the tokens, as they are, from later ones; says nothing of them."""
    return version_of(*_token_columns(backend))


def _token_columns(backend: Backend) -> tuple[str, str]:
    return backend.token_digest or "", backend.previous_token_digest or ""


def rename(db: Session, backend: Backend, name: str, *, by: Person) -> bool:
    """Change the name that people see; returns whether it was another one."""
    wanted = {"name": naming.trimmed("name", name)}
    return edit_columns(db, backend, wanted, AuditType.BACKEND_UPDATED, by=by, parent=backend)


def add_member(
    db: Session,
    backend: Backend,
    user: User,
    *,
    by: Person,
    ends_at: datetime | None = None,
    reason: str = "",
) -> bool:
    """Let the user run jobs on the backend, until then; returns False if they could already."""
    return affiliations.add(db, affiliations.BACKENDS, backend, user, by=by, ends_at=ends_at, reason=reason)
