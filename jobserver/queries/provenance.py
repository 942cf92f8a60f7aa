"""Which runs stand behind released files (spec: pages 30.12 no. 76)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from jobserver.models import Backend, JobRequest, Release, ReleaseFile, User
from jobserver.queries.release_pages import of_snapshot

MOST = 20


@dataclass(frozen=True)
class Run:
    """The newest job request with a job that succeeded, before a release from its workspace and backend."""

    id: int
    sha: str
    completed_at: datetime
    backend: str
    by: str


def runs_behind(db: Session, snapshot_id: int) -> list[Run]:
    """Of each release that the set has files of: the run before it, each once, the newest first.

    Which run made a file is not on record: an older one may have.
    """
    released = select(ReleaseFile.release_id).where(of_snapshot(snapshot_id))
    before = (
        select(JobRequest.id)
        .where(
            JobRequest.workspace_id == Release.workspace_id,
            JobRequest.backend_id == Release.backend_id,
            JobRequest.completed_at <= Release.created_at,
            JobRequest.jobs_succeeded > 0,
        )
        .order_by(JobRequest.id.desc())
        .limit(1)
        .lateral("before")
    )
    found = select(before.c.id).select_from(Release).join(before, true()).where(Release.id.in_(released))
    statement = (
        select(JobRequest.id, JobRequest.sha, JobRequest.completed_at, Backend.name, User.fullname)
        .join(Backend, Backend.id == JobRequest.backend_id)
        .join(User, User.id == JobRequest.created_by_id)
        .where(JobRequest.id.in_(found))
        .order_by(JobRequest.id.desc())
        .limit(MOST)
    )
    rows: Sequence[Any] = db.execute(statement).all()
    return [Run(*row) for row in rows]
