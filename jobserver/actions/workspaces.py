"""Workspaces and the repositories they are tied to."""

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import naming
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Malformed
from jobserver.models import AuditType, Project, Repo, User, Workspace, utcnow
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

    Raises :class:`~jobserver.actions.naming.Malformed` or :class:`~jobserver.actions.naming.Taken`.
    """
    name = name.strip().lower()
    if not _NAME.fullmatch(name) or len(name) > naming.LONGEST:
        raise Malformed("name", naming.FORM)
    branch = branch.strip()
    if not branch:
        raise Malformed("branch", "is missing")
    url = normal_repo_url(repo_url)
    naming.claim_workspace(db, name)
    author = Actor.of(by).user_id
    now = utcnow()
    workspace = Workspace(
        name=name,
        project_id=project.id,
        repo_id=get_or_create_repo(db, url).id,
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
    return workspace


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
