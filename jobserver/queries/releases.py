"""Releases, their files and snapshots, found by what an address names."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session, joinedload

from jobserver.models import (
    PublishDecision,
    PublishRequest,
    Release,
    ReleaseFile,
    ReleaseRequest,
    Snapshot,
    SnapshotFile,
)
from jobserver.models.publication import IN_FORCE, PENDING
from jobserver.templating.states import SNAPSHOT_STATES, State

LONGEST_ID = 26
LONGEST_REQUEST_ID = 100
# Loads with a file its release, and of that what pages say of it.
WITH_RELEASE = [
    joinedload(ReleaseFile.release).joinedload(related)
    for related in (Release.workspace, Release.backend, Release.created_by)
]


@dataclass(frozen=True)
class Publication:
    """Where a snapshot stands: public or not, and whether somebody's wish waits for a decision.

    ``is_rejected``: the last wish was refused, and nobody has asked again.
    """

    is_published: bool
    is_pending: bool
    is_rejected: bool

    @property
    def shown(self) -> State:
        """The same, as pages show it."""
        states = {"published": self.is_published, "pending": self.is_pending, "rejected": self.is_rejected}
        return SNAPSHOT_STATES[next((state for state, holds in states.items() if holds), "draft")]


def _fits(id_: str, longest: int) -> bool:
    return 0 < len(id_) <= longest and "\0" not in id_


def release_by_id(db: Session, id_: str) -> Release | None:
    """The release with its workspace, its backend and who released it."""
    if not _fits(id_, LONGEST_ID):
        return None
    return db.scalar(
        select(Release)
        .where(Release.id == id_)
        .options(joinedload(Release.workspace), joinedload(Release.backend), joinedload(Release.created_by))
    )


def file_by_id(db: Session, id_: str) -> ReleaseFile | None:
    """The file with its release, and what :func:`release_by_id` gives of that."""
    # Where the names of files are in addresses, too, most of what comes here is no id.
    if len(id_) != LONGEST_ID or not id_.isalnum():
        return None
    return db.scalar(select(ReleaseFile).where(ReleaseFile.id == id_).options(*WITH_RELEASE))


def file_of_snapshot(db: Session, snapshot_id: int, id_: str) -> ReleaseFile | None:
    """The file, as :func:`file_by_id` gives it, if the snapshot has it."""
    found = file_by_id(db, id_)
    return found if found and db.get(SnapshotFile, (snapshot_id, found.id)) else None


def file_named(db: Session, release_id: str, name: str) -> ReleaseFile | None:
    """The file of the release that has exactly this name."""
    if "\0" in name:
        return None
    return db.scalar(
        select(ReleaseFile).where(ReleaseFile.release_id == release_id, ReleaseFile.name == name)
    )


def file_ids(db: Session, release_id: str) -> dict[tuple[str, str], str]:
    """The ids of the release's files by name and hash."""
    columns = select(ReleaseFile.name, ReleaseFile.filehash, ReleaseFile.id)
    rows = db.execute(columns.where(ReleaseFile.release_id == release_id))
    return {(name, sha256): id_ for name, sha256, id_ in rows}


def snapshot(db: Session, id_: int) -> Snapshot | None:
    """The snapshot with who made it."""
    return db.scalar(select(Snapshot).where(Snapshot.id == id_).options(joinedload(Snapshot.created_by)))


def last_is_rejected() -> ColumnElement[bool]:
    """Of the wishes about a snapshot, which are made one after the other: whether the last was refused."""
    refused = func.max(PublishRequest.id).filter(PublishRequest.decision == PublishDecision.REJECTED)
    return func.coalesce(func.max(PublishRequest.id) == refused, False)


def publication(db: Session, snapshot_id: int) -> Publication:
    """Where the snapshot stands. The one rule for "published now" is :data:`IN_FORCE`."""
    row = db.execute(
        select(
            func.coalesce(func.bool_or(text(IN_FORCE)), False),
            func.coalesce(func.bool_or(text(PENDING)), False),
            last_is_rejected(),
        )
        .select_from(PublishRequest)
        .where(PublishRequest.snapshot_id == snapshot_id)
    ).one()
    return Publication(*row)


def release_request_by_id(db: Session, id_: str) -> ReleaseRequest | None:
    """The release request with its author, its workspace and its backend."""
    if not _fits(id_, LONGEST_REQUEST_ID):
        return None
    return db.scalar(
        select(ReleaseRequest)
        .where(ReleaseRequest.id == id_)
        .options(
            joinedload(ReleaseRequest.author),
            joinedload(ReleaseRequest.workspace),
            joinedload(ReleaseRequest.backend),
        )
    )
