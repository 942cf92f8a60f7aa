"""Released files as an index lists them: of a release, of a workspace, of a snapshot (spec: airlock 5).

"Latest outputs" have one definition, :func:`of_latest`, for the index, the pages, the zip and whatever is
published from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from jobserver.models import Backend, Release, ReleaseFile, SnapshotFile, User


@dataclass(frozen=True)
class OutputFile:
    """One released file. ``created_at`` is when it was announced, ``mtime`` the file's own time.

    ``user`` is the username of whoever made the release; ``path`` is empty until the bytes are here.
    """

    id: str
    release_id: str
    name: str
    path: str
    sha256: str
    size: int
    metadata: dict[str, Any] | None
    mtime: datetime
    created_at: datetime
    uploaded_at: datetime | None
    deleted_at: datetime | None
    user: str
    backend_slug: str
    backend_name: str

    @property
    def is_readable(self) -> bool:
        """Whether its bytes are here."""
        return self.uploaded_at is not None and self.deleted_at is None


def latest_files(db: Session, workspace_id: int) -> Sequence[OutputFile]:
    """The latest outputs of the workspace, by name, of the same name the newest release first."""
    return _files(db, of_latest(workspace_id))


def files_of_release(db: Session, release_id: str) -> Sequence[OutputFile]:
    """The files of the release, by name."""
    return _files(db, ReleaseFile.release_id == release_id)


def files_of_snapshot(db: Session, snapshot_id: int) -> Sequence[OutputFile]:
    """The files of the snapshot, by name."""
    members = select(SnapshotFile.release_file_id).where(SnapshotFile.snapshot_id == snapshot_id)
    return _files(db, ReleaseFile.id.in_(members))


def is_readable() -> ColumnElement[bool]:
    """Of files: those whose bytes are here."""
    return ReleaseFile.uploaded_at.is_not(None) & ReleaseFile.deleted_at.is_(None)


def readable_size() -> ColumnElement[int]:
    """Of some files: what those that can be read hold together, in bytes: as much as a zip of them all."""
    # A sum of whole numbers comes as a decimal.
    return cast(func.coalesce(func.sum(ReleaseFile.size).filter(is_readable()), 0), BigInteger).label("size")


def of_latest(workspace_id: int) -> ColumnElement[bool]:
    """Of files: the latest outputs of the workspace, one for each backend and name (spec: airlock 12.30).

    That is the newest version that can be read. Of a name of which none can be read, be it that none has
    come or that all were redacted, it is the newest there is: so that the reader sees that there is
    something, and what became of it.
    """
    return ReleaseFile.id.in_(select(latest_versions(workspace_id).c.id))


def newer_versions(db: Session, workspace_id: int) -> dict[str, str]:
    """Of latest outputs that are not the newest version: the newest version's id, by the file's id."""
    latest = latest_versions(workspace_id)
    rows = db.execute(select(latest.c.id, latest.c.newest_id).where(latest.c.id != latest.c.newest_id))
    return {row.id: row.newest_id for row in rows}


def latest_versions(workspace_id: int) -> Subquery:
    """What :func:`of_latest` chooses: ``id``, and as ``newest_id`` the newest version, readable or not."""
    version = (Release.backend_id, ReleaseFile.name)
    newest_first = (Release.created_at.desc(), Release.id.desc())
    newest_id = func.first_value(ReleaseFile.id).over(partition_by=version, order_by=newest_first)
    return (
        select(ReleaseFile.id, newest_id.label("newest_id"))
        .join(Release, Release.id == ReleaseFile.release_id)
        .where(ReleaseFile.workspace_id == workspace_id)
        .ext(distinct_on(*version))
        .order_by(*version, is_readable().desc(), *newest_first)
        .subquery()
    )


def _files(db: Session, chosen: ColumnElement[bool]) -> Sequence[OutputFile]:
    statement: Select[*tuple[Any, ...]] = (
        select(
            ReleaseFile.id,
            ReleaseFile.release_id,
            ReleaseFile.name,
            ReleaseFile.path,
            ReleaseFile.filehash,
            ReleaseFile.size,
            ReleaseFile.metadata_,
            ReleaseFile.mtime,
            ReleaseFile.created_at,
            ReleaseFile.uploaded_at,
            ReleaseFile.deleted_at,
            User.username,
            Backend.slug,
            Backend.name,
        )
        .join(Release, Release.id == ReleaseFile.release_id)
        .join(Backend, Backend.id == Release.backend_id)
        .join(User, User.id == Release.created_by_id)
        .where(chosen)
        .order_by(ReleaseFile.name, Release.created_at.desc(), ReleaseFile.id.desc())
    )
    return [OutputFile(*row) for row in db.execute(statement)]
