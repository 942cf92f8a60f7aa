"""Signing a repository off for publication (spec: domain 3.10, 13.58; staff 10.3)."""

from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions.audit import id_of, record
from jobserver.models import AuditType, Repo, User, utcnow
from jobserver.security.identity import Identity


class SignOffRefused(Exception):
    """The repository cannot be signed off by this person as things are; the text says why."""


def why_not(repo: Repo, *, may_with_outputs: bool) -> str:
    """Why staff cannot sign it off now; empty if they can. A researcher comes first, and each signs once."""
    if repo.internal_signed_off_at is not None:
        return "It is signed off already."
    if repo.researcher_signed_off_at is None:
        return "No researcher has signed it off yet."
    if repo.has_github_outputs and not may_with_outputs:
        return "It has outputs on GitHub, which only people with a role of their own may sign off."
    return ""


def sign_off(db: Session, repo: Repo, *, by: User | Identity, may_with_outputs: bool) -> None:
    """Sign it off, and have the people asked who can make it public. Raises :class:`SignOffRefused`.

    ``may_with_outputs``: whether the person holds ``repo_sign_off_with_outputs``.
    """
    db.refresh(repo, with_for_update=True)
    if reason := why_not(repo, may_with_outputs=may_with_outputs):
        raise SignOffRefused(reason)
    now = utcnow()
    repo.internal_signed_off_at, repo.internal_signed_off_by_id = now, id_of(by)
    db.flush()
    changes = {"internal_signed_off_at": (None, now.isoformat(timespec="minutes"))}
    record(
        db,
        AuditType.REPO_SIGNED_OFF,
        by=by,
        target=repo,
        changes=changes,
        at=now,
        label=repo.url,
    )
    queue.defer(db, queue.Task.REPO_SIGN_OFF_ISSUE, key=str(repo.id), repo_id=repo.id)
