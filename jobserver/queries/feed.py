"""What the feed of a workspace tells (spec: pages 30.6 no. 62): a few statements, however much there is."""

from sqlalchemy.orm import Session

from jobserver.models import ACTIVE_STATUSES, JobRequest
from jobserver.queries import event_logs, output_pages, release_pages
from jobserver.queries.event_logs import RequestRow
from jobserver.queries.output_pages import SnapshotRow
from jobserver.queries.release_pages import ReleaseRow

TOLD = 50
# One that ends after so many newer ones have ended is not told any more.
LOOKED_AT = 100


def released(db: Session, workspace_id: int) -> list[ReleaseRow]:
    """The newest releases. Nothing of their files is read: the feed is for everybody."""
    here = release_pages.in_workspace(workspace_id)
    return release_pages.releases(db, here, with_files=False, limit=TOLD)


def published(db: Session, workspace_id: int) -> list[SnapshotRow]:
    """What was last made public and still is."""
    return output_pages.snapshots(db, output_pages.published(workspace_id), limit=TOLD)


def finished(db: Session, workspace_id: int) -> list[RequestRow]:
    """The job requests of which nothing more is expected, of the newest :data:`LOOKED_AT`."""
    ended = JobRequest.status.not_in(ACTIVE_STATUSES)
    return event_logs.newest(db, JobRequest.workspace_id == workspace_id, ended, limit=LOOKED_AT)
