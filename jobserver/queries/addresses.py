"""Where old and short addresses lead now: the names along the path of an object."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import Job, JobRequest, Org, Project, Redirect, Workspace
from jobserver.queries import path

Names = tuple[str, ...]


def project_by_slug(db: Session, slug: str) -> Names | None:
    """Organisation and project of a project's slug."""
    return _names(
        db.execute(select(Org.slug, Project.slug).join_from(Project, Project.org).where(Project.slug == slug))
    )


def job_request_by_id(db: Session, job_request_id: int) -> Names | None:
    """The path of a job request."""
    return _names(db.execute(_to_job_requests().where(JobRequest.id == job_request_id)))


def job_by_identifier(db: Session, identifier: str) -> Names | None:
    """The path of a job."""
    statement = _to_job_requests().add_columns(Job.identifier)
    statement = statement.join(Job, Job.job_request_id == JobRequest.id).where(Job.identifier == identifier)
    return _names(db.execute(statement))


def _to_job_requests() -> Any:
    return (
        select(Org.slug, Project.slug, Workspace.name, JobRequest.id)
        .join_from(JobRequest, JobRequest.workspace)
        .join(Workspace.project)
        .join(Project.org)
    )


# No address of ours that ever moved had more.
MOST_SEGMENTS = 10


def _longest_redirect() -> Any:
    """The redirect of the longest of some old addresses, with the names along the path that it leads to."""
    workspace_project, lead = aliased(Project), aliased(Org)
    return (
        select(
            Redirect.old_url,
            func.coalesce(Org.slug, lead.slug),
            func.coalesce(Project.slug, workspace_project.slug),
            Workspace.name,
        )
        .outerjoin(Org, Org.id == Redirect.org_id)
        .outerjoin(Project, Project.id == Redirect.project_id)
        .outerjoin(Workspace, Workspace.id == Redirect.workspace_id)
        .outerjoin(workspace_project, workspace_project.id == Workspace.project_id)
        .outerjoin(lead, lead.id == func.coalesce(Project.org_id, workspace_project.org_id))
        .where(
            Redirect.old_url.in_(bindparam("prefixes", expanding=True)),
            Redirect.expires_at > func.now(),
            Redirect.deleted_at.is_(None),
        )
        .order_by(func.length(Redirect.old_url).desc(), Redirect.id.desc())
        .limit(1)
    )


# Made once: every 404 asks.
_LONGEST_REDIRECT = _longest_redirect()


def stored_redirect(
    db: Session, segments: Sequence[str], *, longer_than: int = 0
) -> tuple[Names, int] | None:
    """The target of the longest stored old address that begins the path, and how many segments it took.

    Expired and withdrawn redirects do not count, nor those of at most ``longer_than`` segments: these name
    something that exists (spec: domain 3.19, 13.27-28).
    """
    lengths = range(longer_than + 1, min(len(segments), MOST_SEGMENTS) + 1)
    prefixes = ["/" + "/".join(segments[:length]) + "/" for length in lengths]
    row = db.execute(_LONGEST_REDIRECT, {"prefixes": prefixes}).one_or_none()
    if row is None:
        return None
    old_url, *names = row
    return tuple(name for name in names if name), old_url.count("/") - 1


def place_at(db: Session, names: Sequence[str]) -> Org | Project | Workspace | None:
    """What is found at this path of up to three names, below any of its organisations."""
    if not 1 <= len(names) <= 3 or "\0" in "".join(names):
        return None
    found = path.load(db, names)
    if len(names) > 1 and not found.collaborates:
        return None
    return (found.org, found.project, found.workspace)[len(names) - 1]


def is_in_use(db: Session, names: Sequence[str]) -> bool:
    """Whether a request for this path never gets to the stored redirects."""
    return place_at(db, names) is not None or project_by_slug(db, names[0]) is not None


def _names(result: Any) -> Names | None:
    row = result.one_or_none()
    return tuple(str(name) for name in row) if row else None
