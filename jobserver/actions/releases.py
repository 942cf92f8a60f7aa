"""Releases: announced, uploaded file by file, reviewed (spec: airlock 4, 7; domain 5.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.orm import Session

from jobserver.actions import audit
from jobserver.clients.storage import Received, ReleaseStorage
from jobserver.models import (
    AuditType,
    Release,
    ReleaseFile,
    ReleaseFileReview,
    ReleaseStatus,
    User,
    Workspace,
    utcnow,
)
from jobserver.security import tokens
from jobserver.security.identity import Identity


class ReleaseConflict(Exception):
    """A release of this id is there, and is another one. The message is for the program that asked."""


class AlreadyUploaded(Exception):
    """The file's bytes have come before."""


@dataclass(frozen=True)
class Announced:
    """A file that will be uploaded; ``date`` is its own time, ``review`` the one it was announced with."""

    name: str
    url: str
    size: int
    sha256: str
    date: datetime
    metadata: dict[str, Any]
    review: dict[str, Any] | None = None

    def as_requested(self) -> dict[str, Any]:
        """As the release keeps it: the time in UTC, to the millisecond."""
        moment = self.date.astimezone(UTC).isoformat(timespec="milliseconds")
        return {
            "name": self.name,
            "url": self.url,
            "size": self.size,
            "sha256": self.sha256,
            "date": moment.removesuffix("+00:00") + "Z",
            "metadata": self.metadata,
            "review": self.review,
        }


@dataclass(frozen=True)
class Review:
    """What a reviewer thought of a file."""

    file_id: str
    status: str
    comments: dict[str, Any]


def create(
    db: Session,
    *,
    workspace: Workspace,
    backend_id: int,
    files: Sequence[Announced],
    by: User | Identity,
    id_: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> str:
    """Announce a release; its id.

    Asked again for the same id, workspace, backend and files (names, hashes and sizes) it changes nothing;
    raises :class:`ReleaseConflict` for other ones. Safe when asked twice at the same time.
    """
    wanted = id_ or tokens.new_ulid()
    made = db.scalar(
        insert_or_leave(Release)
        .values(
            id=wanted,
            workspace_id=workspace.id,
            backend_id=backend_id,
            status=ReleaseStatus.REQUESTED,
            requested_files=[each.as_requested() for each in files],
            metadata_=metadata,
            created_by_id=audit.id_of(by),
        )
        .on_conflict_do_nothing(index_elements=[Release.id])
        .returning(Release.id)
    )
    if made is None:
        _repeat(db, wanted, workspace.id, backend_id, files, by)
        return wanted
    _announce(db, wanted, workspace.id, files, by)
    release = db.get_one(Release, wanted)
    audit.record(
        db, AuditType.RELEASE_CREATED, by=by, target=release, parent=workspace, new=_number(len(files))
    )
    return wanted


def _announce(
    db: Session, release_id: str, workspace_id: int, files: Sequence[Announced], by: User | Identity
) -> None:
    same = {
        "release_id": release_id,
        "workspace_id": workspace_id,
        "created_at": utcnow(),
        "created_by_id": audit.id_of(by),
    }
    rows = [
        {
            "id": tokens.new_ulid(),
            "name": each.name,
            "filehash": each.sha256,
            "size": each.size,
            "mtime": each.date,
            "metadata_": each.metadata,
            **same,
        }
        for each in files
    ]
    if rows:
        db.execute(insert(ReleaseFile), rows)


def _repeat(
    db: Session,
    release_id: str,
    workspace_id: int,
    backend_id: int,
    files: Sequence[Announced],
    by: User | Identity,
) -> None:
    release = db.get_one(Release, release_id)
    if (release.workspace_id, release.backend_id) != (workspace_id, backend_id):
        raise ReleaseConflict(f"The release {release_id} belongs to another workspace or backend.")
    columns = select(ReleaseFile.name, ReleaseFile.filehash, ReleaseFile.size)
    rows = db.execute(columns.where(ReleaseFile.release_id == release_id))
    there = {(name, sha256, size) for name, sha256, size in rows}
    wanted = {(each.name, each.sha256, each.size) for each in files}
    if there != wanted:
        names = sorted(name for name, _, _ in there ^ wanted)
        raise ReleaseConflict(
            f"The release {release_id} was made with other files; the first that differs is {names[0]}."
        )
    if release.created_by_id != audit.id_of(by):
        audit.record(
            db, AuditType.RELEASE_REPEATED, by=by, target=release, parent=db.get(Workspace, workspace_id)
        )


def keep(
    db: Session, storage: ReleaseStorage, received: Received, file_id: str, by: User | Identity
) -> ReleaseFile:
    """Give the bytes of a file their place and say so in its row.

    Until the transaction ends the row says nothing of it; should it never end well, a repeat puts it right.
    Raises :class:`AlreadyUploaded`, or :class:`jobserver.clients.storage.StorageError`.
    """
    file, workspace = _lock(db, file_id)
    path = place_of(workspace.name, file.release_id, file.name)
    storage.keep(received, path)
    file.path = path
    file.uploaded_at = utcnow()
    file.uploaded_by_id = audit.id_of(by)
    db.flush()
    missing = exists().where(ReleaseFile.release_id == file.release_id, ReleaseFile.uploaded_at.is_(None))
    if not db.scalar(select(missing)):
        release = db.get_one(Release, file.release_id)
        audit.record(db, AuditType.RELEASE_UPLOADED, by=by, target=release, parent=workspace)
    return file


def _lock(db: Session, file_id: str) -> tuple[ReleaseFile, Workspace]:
    """The file, which nobody else can upload until the transaction's end, and its workspace.

    One file of a release at a time: of the last two, if they came at once, each would miss the other.
    """
    found: tuple[ReleaseFile, Workspace] = db.execute(
        select(ReleaseFile, Workspace)
        .join(Release, Release.id == ReleaseFile.release_id)
        .join(Workspace, Workspace.id == Release.workspace_id)
        .where(ReleaseFile.id == file_id)
        .with_for_update(of=(ReleaseFile, Release), key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    if found[0].uploaded_at is not None:
        raise AlreadyUploaded
    return found


def place_of(workspace: str, release_id: str, name: str) -> str:
    """The path below the storage folder at which a file of a release is kept (spec: airlock 4.3)."""
    return f"{workspace}/releases/{release_id}/{name}"


def review(
    db: Session,
    release: Release,
    workspace: Workspace,
    reviews: Sequence[Review],
    of_release: dict[str, Any] | None,
    by: Identity,
) -> None:
    """Keep what somebody thought of the release and its files; further reviews come beside earlier ones."""
    release.review = of_release
    now, by_id = utcnow(), by.user_id
    rows = [
        {
            "release_file_id": each.file_id,
            "status": each.status,
            "comments": each.comments,
            "created_at": now,
            "created_by_id": by_id,
        }
        for each in reviews
    ]
    if rows:
        db.execute(insert(ReleaseFileReview), rows)
    audit.record(
        db, AuditType.RELEASE_REVIEWED, by=by, target=release, parent=workspace, new=_number(len(reviews))
    )


def _number(files: int) -> str:
    return f"{files} file" if files == 1 else f"{files} files"
