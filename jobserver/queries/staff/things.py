"""The thing that an address of the staff area names; None if there is none of this name."""

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from jobserver.models import (
    Application,
    Backend,
    JobRequest,
    Org,
    Project,
    ProjectMembership,
    Redirect,
    Repo,
    SiteAlert,
    User,
    Workspace,
)
from jobserver.queries.path import MAX_ID, as_id

_HASH = re.compile(r"[0-9a-f]{4,8}")


def user(db: Session, username: str) -> User | None:
    """By username, in whatever case."""
    return db.scalar(select(User).where(func.lower(User.username) == username.lower()))


def org(db: Session, slug: str) -> Org | None:
    """By slug."""
    return db.scalar(select(Org).where(Org.slug == slug))


def project(db: Session, slug: str) -> Project | None:
    """By slug, with its lead organisation."""
    return db.scalar(select(Project).where(Project.slug == slug).options(joinedload(Project.org)))


def membership(db: Session, project_id: int, id_: str) -> ProjectMembership | None:
    """By id, if it is one of this project; with its member."""
    mine = (ProjectMembership.id == as_id(id_), ProjectMembership.project_id == project_id)
    return db.scalar(select(ProjectMembership).where(*mine).options(joinedload(ProjectMembership.user)))


def workspace(db: Session, name: str) -> Workspace | None:
    """By name, with its project, that one's lead organisation, and its repository."""
    return db.scalar(
        select(Workspace)
        .where(Workspace.name == name)
        .options(joinedload(Workspace.project).joinedload(Project.org), joinedload(Workspace.repo))
    )


def job_request(db: Session, id_: str) -> JobRequest | None:
    """By number, with what lies along its path, its backend and whoever asked for it."""
    number = as_id(id_)
    place = joinedload(JobRequest.workspace)
    along = (
        joinedload(JobRequest.backend),
        joinedload(JobRequest.created_by),
        place.joinedload(Workspace.repo),
        place.joinedload(Workspace.project).joinedload(Project.org),
    )
    return db.get(JobRequest, number, options=along) if number else None


def backend(db: Session, id_: str) -> Backend | None:
    """By number."""
    number = as_id(id_)
    return db.get(Backend, number) if number else None


def repo(db: Session, owner: str, name: str) -> Repo | None:
    """By owner and name, as GitHub writes them, in whatever case."""
    url = f"https://github.com/{owner}/{name}"
    return db.scalar(select(Repo).where(func.lower(Repo.url) == url.lower()))


def redirect(db: Session, id_: str) -> Redirect | None:
    """By number, unless it was deleted."""
    return db.scalar(select(Redirect).where(Redirect.id == as_id(id_), Redirect.deleted_at.is_(None)))


def site_alert(db: Session, id_: str) -> SiteAlert | None:
    """By number."""
    number = as_id(id_)
    return db.get(SiteAlert, number) if number else None


def application(db: Session, hash_: str) -> Application | None:
    """By its public id (spec: domain 2, 13.30)."""
    number = number_of_hash(hash_)
    return db.get(Application, number) if number else None


def number_of_hash(hash_: str) -> int | None:
    """The id of the application whose public id this is, if it can be one."""
    number = int(hash_, 16) if _HASH.fullmatch(hash_) else 0
    return number if 0 < number <= MAX_ID and f"{number:04x}" == hash_ else None
