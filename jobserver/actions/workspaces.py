"""Workspaces and the repositories they are tied to."""

import re
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import changes, naming, redirects
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Malformed
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.models import AuditType, Project, Repo, User, Workspace, utcnow
from jobserver.queue import Task
from jobserver.security.identity import Identity

_NAME = re.compile(r"[-a-z0-9_]+")
_REPO = re.compile(
    r"(?:(?:https?://|ssh://git@|git@)?(?:www\.)?github\.com[/:])?"
    r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]*)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?",
    re.IGNORECASE,
)


def create(
    db: Session,
    *,
    by: User | Identity,
    project: Project,
    name: str,
    repo_url: str,
    branch: str,
    purpose: str = "",
    should_notify: bool = False,
) -> Workspace:
    """Make a workspace on a branch of a repository, which is recorded if it is new (spec: domain 5.6).

    GitHub is asked about the repository afterwards.
    Raises :class:`~jobserver.actions.naming.Malformed` or :class:`~jobserver.actions.naming.Taken`.
    """
    name = checked_name(name)
    branch = branch.strip()
    if not branch:
        raise Malformed("branch", "is missing")
    url = normal_repo_url(repo_url)
    naming.claim_workspace(db, name)
    repo = get_or_create_repo(db, url)
    author = Actor.of(by).user_id
    now = utcnow()
    workspace = Workspace(
        name=name,
        project_id=project.id,
        repo_id=repo.id,
        branch=branch,
        purpose=purpose.strip(),
        should_notify=should_notify,
        created_at=now,
        created_by_id=author,
        updated_at=now,
        updated_by_id=author,
    )
    db.add(workspace)
    db.flush()
    record(db, AuditType.WORKSPACE_CREATED, by=by, target=workspace, parent=project, at=now)
    queue.defer(db, Task.CHECK_REPOSITORY, repo_id=repo.id)
    return workspace


def edit_purpose(db: Session, workspace: Workspace, purpose: str, *, seen: str, by: User | Identity) -> bool:
    """Say anew what the workspace is for; returns whether that changed anything.

    ``seen`` is the version of the purpose that the person saw. Raises
    :class:`~jobserver.actions.versions.ChangedMeanwhile` if it is another now, with the workspace as it is.
    """
    return _edit(db, workspace, {"purpose": purpose}, AuditType.WORKSPACE_UPDATED, by=by, seen=seen)


# What staff can edit: its name is in backends, its repository and branch belong to its results.
EDITABLE_BY_STAFF = ("project_id", "is_archived", "purpose")


def edit_by_staff(
    db: Session,
    workspace: Workspace,
    *,
    project: Project,
    is_archived: bool,
    purpose: str,
    seen: str,
    reason: str,
    by: User | Identity,
) -> bool:
    """Move the workspace to this project and say what it is for; returns whether anything changed.

    Its former address leads to the new one (spec: staff 14). Raises
    :class:`~jobserver.actions.versions.ChangedMeanwhile`.
    """
    db.refresh(workspace, [*EDITABLE_BY_STAFF], with_for_update=True)
    if (project.id, is_archived, purpose) == tuple(getattr(workspace, each) for each in EDITABLE_BY_STAFF):
        return False
    if seen != changes.version(workspace, *EDITABLE_BY_STAFF):
        raise ChangedMeanwhile
    former, old_path = db.get_one(Project, workspace.project_id), redirects.path_of(db, workspace)
    how: dict[str, Any] = {"by": by, "reason": reason, "parent": project}
    words = {"project_id": (former.title, project.title)}
    changes.edit(db, workspace, {"project_id": project.id}, AuditType.WORKSPACE_MOVED, words=words, **how)
    plain = {"is_archived": is_archived, "purpose": purpose}
    changes.edit(db, workspace, plain, AuditType.WORKSPACE_UPDATED, **how)
    db.expire(workspace, ["project"])
    redirects.leave_behind(db, workspace, old_path, by)
    return True


def set_archived(db: Session, workspace: Workspace, archived: bool, *, by: User | Identity) -> bool:
    """Archive the workspace, so that nothing new can be run in it, or unarchive it; whether it changed."""
    type_ = AuditType.WORKSPACE_ARCHIVED if archived else AuditType.WORKSPACE_UNARCHIVED
    return _edit(db, workspace, {"is_archived": archived}, type_, by=by)


def set_notifications(db: Session, workspace: Workspace, wanted: bool, *, by: User | Identity) -> bool:
    """Choose what new requests suggest about emails when they end; whether it changed."""
    type_ = AuditType.WORKSPACE_NOTIFICATIONS_ON if wanted else AuditType.WORKSPACE_NOTIFICATIONS_OFF
    return _edit(db, workspace, {"should_notify": wanted}, type_, by=by)


def _edit(
    db: Session,
    workspace: Workspace,
    wanted: dict[str, Any],
    type_: AuditType,
    *,
    by: User | Identity,
    seen: str | None = None,
) -> bool:
    project = db.get_one(Project, workspace.project_id)
    return changes.edit(db, workspace, wanted, type_, by=by, seen=seen, parent=project)


def checked_name(name: str) -> str:
    """The name in lower case, if a workspace can have it; :class:`Malformed` otherwise."""
    wanted = name.strip().lower()
    if not _NAME.fullmatch(wanted) or len(wanted) > naming.LONGEST:
        raise Malformed("name", naming.FORM)
    return wanted


def get_or_create_repo(db: Session, url: str) -> Repo:
    """The repository at this normal address, recorded if it is new."""
    naming.lock(db)
    repo = db.scalar(select(Repo).where(func.lower(Repo.url) == url.lower()))
    if repo is None:
        repo = Repo(url=url)
        db.add(repo)
        db.flush()
    return repo


def normal_repo_url(url: str) -> str:
    """``https://github.com/<owner>/<name>`` for any usual way to write it; :class:`Malformed` otherwise."""
    match = _REPO.fullmatch(url.strip())
    if match is None or match["name"].strip(".") == "":
        raise Malformed("repository", "must be an address such as https://github.com/opensafely/my-study")
    return f"https://github.com/{match['owner']}/{match['name']}"
