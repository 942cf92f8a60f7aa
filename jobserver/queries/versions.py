"""The versions of a released file: what came out of its workspace and backend under its name, ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from jobserver.models import Release, ReleaseFile


@dataclass(frozen=True)
class Version:
    """One version of a file, in the release of ``released_at``; ``size`` is in bytes."""

    id: str
    release_id: str
    name: str
    released_at: datetime
    size: int
    sha256: str
    uploaded_at: datetime | None
    deleted_at: datetime | None

    @property
    def is_readable(self) -> bool:
        """Whether its bytes are here."""
        return self.uploaded_at is not None and self.deleted_at is None


def versions_of(db: Session, file: ReleaseFile) -> Sequence[Version]:
    """Every version of the file, itself included, newest release first, in one statement."""
    # Of the same release the backend is the same: no need to have it loaded.
    this = aliased(Release)
    backend = select(this.backend_id).where(this.id == file.release_id).scalar_subquery()
    rows = db.execute(
        select(
            ReleaseFile.id,
            ReleaseFile.release_id,
            ReleaseFile.name,
            Release.created_at,
            ReleaseFile.size,
            ReleaseFile.filehash,
            ReleaseFile.uploaded_at,
            ReleaseFile.deleted_at,
        )
        .join(Release, Release.id == ReleaseFile.release_id)
        .where(
            ReleaseFile.workspace_id == file.workspace_id,
            ReleaseFile.name == file.name,
            Release.backend_id == backend,
        )
        .order_by(Release.created_at.desc(), Release.id.desc())
    )
    return [Version(*row) for row in rows]
