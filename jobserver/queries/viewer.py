"""The files of a release, of a snapshot, and the latest of a workspace, as the viewer lists them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, false, null, select
from sqlalchemy.orm import Session, aliased, joinedload

from jobserver.models import Backend, Release, ReleaseFile, User
from jobserver.queries.outputs import latest_versions
from jobserver.queries.release_pages import Counts, of_release, of_snapshot
from jobserver.queries.releases import WITH_RELEASE


class SetFile(NamedTuple):
    """One file of a set, with no more than a line of the tree shows: a set may have 10,000.

    ``newer_release`` is where a newer version is that cannot be read; ``newer_is_redacted`` says why.
    """

    id: str
    release_id: str
    name: str
    size: int
    backend: str
    backend_name: str
    released_at: datetime
    is_uploaded: bool
    deleted_at: datetime | None
    deleted_by: str | None
    newer_release: str | None
    newer_is_redacted: bool

    @property
    def is_readable(self) -> bool:
        """Whether its bytes are here."""
        return self.is_uploaded and self.deleted_at is None


def of_this_release(db: Session, release_id: str) -> list[SetFile]:
    """The files of the release."""
    return _found(db, _lines(null(), false()).where(of_release(release_id)))


def of_this_snapshot(db: Session, snapshot_id: int) -> list[SetFile]:
    """The files of the snapshot."""
    return _found(db, _lines(null(), false()).where(of_snapshot(snapshot_id)))


def latest_files(db: Session, workspace_id: int) -> list[SetFile]:
    """The latest outputs of the workspace."""
    version, newer = latest_versions(workspace_id), aliased(ReleaseFile)
    is_newer = (newer.id == version.c.newest_id) & (newer.id != ReleaseFile.id)
    statement = (
        _lines(newer.release_id, newer.deleted_at.is_not(None))
        .join(version, version.c.id == ReleaseFile.id)
        .outerjoin(newer, is_newer)
    )
    return _found(db, statement)


def _lines(newer_release: Any, newer_is_redacted: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ReleaseFile.id,
            ReleaseFile.release_id,
            ReleaseFile.name,
            ReleaseFile.size,
            Backend.slug,
            Backend.name,
            Release.created_at,
            ReleaseFile.uploaded_at.is_not(None),
            ReleaseFile.deleted_at,
            User.fullname,
            newer_release,
            newer_is_redacted,
        )
        .join(Release, Release.id == ReleaseFile.release_id)
        .join(Backend, Backend.id == Release.backend_id)
        .outerjoin(User, User.id == ReleaseFile.deleted_by_id)
    )


def _found(db: Session, statement: Select[*tuple[Any, ...]]) -> list[SetFile]:
    return [SetFile._make(row) for row in db.execute(statement)]


def counts(files: Iterable[SetFile]) -> Counts:
    """How many files there are, how many are here, and what those hold."""
    every = list(files)
    return Counts(
        files=len(every),
        uploaded=sum(file.is_uploaded for file in every),
        redacted=sum(file.deleted_at is not None for file in every),
        size=sum(file.size for file in every if file.is_readable),
    )


def whole_file(db: Session, id_: str) -> ReleaseFile:
    """The file of this id, which must be there, with its release and who uploaded it."""
    statement = select(ReleaseFile).where(ReleaseFile.id == id_)
    return db.scalars(statement.options(*WITH_RELEASE, joinedload(ReleaseFile.uploaded_by))).one()
