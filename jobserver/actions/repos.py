"""Signing a repository off for publication (spec: domain 3.10, 5.6, 13.58; pages 20.2; staff 10.3).

It goes one way only: each workspace is signed off, then a researcher signs the repository off, then staff do.
Whoever signs holds the row that they sign, so that each step is taken once.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions.audit import id_of, record
from jobserver.models import AuditType, Project, Repo, User, Workspace, utcnow
from jobserver.queue import Task
from jobserver.security.identity import Identity


class SignOffRefused(Exception):
    """It cannot be signed off by this person as things are; the text says why."""


class SignedOffBefore(SignOffRefused):
    """Somebody has signed it off already."""


def sign_off_workspace(db: Session, repo: Repo, name: str, *, by: User | Identity) -> Workspace:
    """Sign off the workspace of this name, for the researchers; returns it.

    Raises :class:`SignedOffBefore`, or :class:`SignOffRefused` if the repository has no such workspace.
    """
    workspaces = db.scalars(select(Workspace).where(Workspace.repo_id == repo.id))
    workspace = next((each for each in workspaces if each.name == name), None)
    if workspace is None:
        raise SignOffRefused("The repository has no workspace of that name. Choose one of those listed.")
    db.refresh(workspace, with_for_update=True)
    if workspace.signed_off_at is not None:
        raise SignedOffBefore(f"{workspace.name} is signed off already. Nothing was changed.")
    workspace.touch(id_of(by))
    workspace.signed_off_at, workspace.signed_off_by_id = workspace.updated_at, id_of(by)
    db.flush()
    record(
        db,
        AuditType.WORKSPACE_SIGNED_OFF,
        by=by,
        target=workspace,
        parent=db.get_one(Project, workspace.project_id),
        changes={"signed_off_at": (None, workspace.signed_off_at.isoformat(timespec="minutes"))},
        at=workspace.signed_off_at,
    )
    return workspace


def sign_off_as_researcher(db: Session, repo: Repo, *, by: User | Identity) -> None:
    """Sign the repository off for the researchers, once all its workspaces are.

    Tells those who made its workspaces; and the co-pilots, or the publications team if it has outputs on
    GitHub. Raises :class:`SignedOffBefore`, or :class:`SignOffRefused` while workspaces are missing.
    """
    # While the row is held nobody can make another workspace of it either.
    db.refresh(repo, with_for_update=True)
    if repo.researcher_signed_off_at is not None:
        raise SignedOffBefore(f"{repo.name} is signed off already. Nothing was changed.")
    if reason := why_not_as_researcher(*_counted(db, repo)):
        raise SignOffRefused(reason)
    _sign(db, repo, "researcher_signed_off", AuditType.REPO_RESEARCHER_SIGNED_OFF, by)
    makers = select(Workspace.created_by_id).where(Workspace.repo_id == repo.id).distinct()
    for user_id in db.scalars(makers.order_by(Workspace.created_by_id)):
        queue.defer(
            db, Task.MAIL_REPO_SIGNED_OFF, key=f"{repo.id}:{user_id}", repo_id=repo.id, user_id=user_id
        )
    told = Task.MAIL_REPO_WITH_OUTPUTS if repo.has_github_outputs else Task.ANNOUNCE_REPO_SIGNED_OFF
    queue.defer(db, told, key=str(repo.id), repo_id=repo.id)


def why_not_as_researcher(workspaces: int, signed_off: int) -> str:
    """Why nobody can sign the repository off for the researchers yet; empty if somebody can."""
    missing = workspaces - signed_off
    if not workspaces:
        return "No workspace is made of it."
    if not missing:
        return ""
    if workspaces == 1:
        return "Its workspace is not signed off yet."
    return f"{missing} of its {workspaces} workspaces {'is' if missing == 1 else 'are'} not signed off yet."


def _counted(db: Session, repo: Repo) -> tuple[int, int]:
    """How many workspaces it has, and how many of them are signed off."""
    counts = select(func.count(), func.count(Workspace.signed_off_at)).where(Workspace.repo_id == repo.id)
    workspaces, signed_off = db.execute(counts).one()
    return workspaces, signed_off


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
    """Sign it off for the staff, and have the people asked who can make it public.

    ``may_with_outputs``: whether the person holds ``repo_sign_off_with_outputs``. Raises
    :class:`SignOffRefused`.
    """
    db.refresh(repo, with_for_update=True)
    if reason := why_not(repo, may_with_outputs=may_with_outputs):
        raise SignOffRefused(reason)
    _sign(db, repo, "internal_signed_off", AuditType.REPO_SIGNED_OFF, by)
    queue.defer(db, Task.REPO_SIGN_OFF_ISSUE, key=str(repo.id), repo_id=repo.id)


def _sign(db: Session, repo: Repo, stem: str, type_: AuditType, by: User | Identity) -> None:
    """Set this pair of who and when, and record it."""
    now = utcnow()
    setattr(repo, f"{stem}_at", now)
    setattr(repo, f"{stem}_by_id", id_of(by))
    db.flush()
    changes = {f"{stem}_at": (None, now.isoformat(timespec="minutes"))}
    record(db, type_, by=by, target=repo, changes=changes, at=now, label=repo.url)
