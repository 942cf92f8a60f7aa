"""Backends: making one, replacing its token, and who may run jobs there."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import naming
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Taken
from jobserver.actions.users import Person
from jobserver.models import AuditType, Backend, BackendMembership, User, utcnow
from jobserver.security import tokens

TOKEN_OVERLAP = timedelta(hours=24)


def create(
    db: Session, *, by: Person, slug: str, name: str | None = None, is_active: bool = False
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
    record(db, AuditType.BACKEND_CREATED, by=by, target=backend, parent=backend)
    return backend, token


def rotate_token(db: Session, backend: Backend, *, by: Person, now: datetime | None = None) -> str:
    """Replace the token and return the new one; the one before it stays valid for a day."""
    now = now or utcnow()
    db.flush()
    db.refresh(backend, with_for_update=True)
    token = tokens.new_backend_token()
    if backend.token_digest:
        backend.previous_token_digest = backend.token_digest
        backend.previous_token_expires_at = now + TOKEN_OVERLAP
    backend.token_digest = tokens.digest(token)
    backend.updated_at = now
    record(db, AuditType.BACKEND_TOKEN_ROTATED, by=by, target=backend, parent=backend, at=now)
    return token


def rename(db: Session, backend: Backend, name: str) -> bool:
    """Change the name that people see; returns whether it was another one."""
    wanted = naming.trimmed("name", name)
    if wanted == backend.name:
        return False
    backend.name = wanted
    backend.updated_at = utcnow()
    db.flush()
    return True


def add_member(db: Session, backend: Backend, user: User, *, by: Person) -> bool:
    """Let the user run jobs on the backend; returns False if they could already."""
    mine = (BackendMembership.backend_id == backend.id, BackendMembership.user_id == user.id)
    if db.scalar(select(BackendMembership.id).where(*mine)):
        return False
    membership = BackendMembership(backend_id=backend.id, user_id=user.id, created_by_id=Actor.of(by).user_id)
    db.add(membership)
    db.flush()
    record(db, AuditType.BACKEND_MEMBER_ADDED, by=by, target=membership, target_user=user, parent=backend)
    return True
