"""Snapshots as pages show them, and how much came out of a workspace (spec: pages 17)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, exists, func, select, text, true
from sqlalchemy.orm import Session, aliased

from jobserver.models import PublishRequest, Release, Snapshot, SnapshotFile, User
from jobserver.models.publication import IN_FORCE, PENDING
from jobserver.queries.visibility import snapshots_permitting
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.templating.states import SNAPSHOT_STATES, State

PAGE = 25


@dataclass(frozen=True)
class SnapshotRow:
    """A set of files, with who made it, and who decided that it be public if it is."""

    id: int
    created_at: datetime
    created_by: str
    files: int
    is_pending: bool
    published_at: datetime | None
    published_by: str | None

    @property
    def is_published(self) -> bool:
        """Whether everybody may see it now."""
        return self.published_at is not None

    @property
    def shown(self) -> State:
        """Where it stands, as pages show it."""
        return SNAPSHOT_STATES[
            "published" if self.is_published else "pending" if self.is_pending else "draft"
        ]


def visible(identity: Identity | None, workspace_id: int) -> ColumnElement[bool]:
    """Of snapshots: those of the workspace that somebody may see."""
    permitted = snapshots_permitting(identity, Permission.SNAPSHOT_VIEW)
    return (Snapshot.workspace_id == workspace_id) & Snapshot.id.in_(permitted)


def published(workspace_id: int) -> ColumnElement[bool]:
    """Of snapshots: those of the workspace that are public now."""
    in_force = select(PublishRequest.snapshot_id).where(text(IN_FORCE))
    return (Snapshot.workspace_id == workspace_id) & Snapshot.id.in_(in_force)


def number_of_snapshots(db: Session, chosen: ColumnElement[bool]) -> int:
    """How many there are."""
    return db.scalar(select(func.count()).select_from(Snapshot).where(chosen)) or 0


def snapshots(
    db: Session, chosen: ColumnElement[bool], *, limit: int = PAGE, offset: int = 0
) -> list[SnapshotRow]:
    """The newest of them, newest first, in one statement."""
    newest = (Snapshot.created_at.desc(), Snapshot.id.desc())
    ids = select(Snapshot.id).where(chosen).order_by(*newest).limit(limit).offset(offset)
    files = select(func.count()).select_from(SnapshotFile).where(SnapshotFile.snapshot_id == Snapshot.id)
    decision = (
        select(PublishRequest.decision_at, PublishRequest.decision_by_id)
        .where(PublishRequest.snapshot_id == Snapshot.id, text(IN_FORCE))
        .lateral("decision")
    )
    maker, decider = aliased(User), aliased(User)
    statement: Select[Any] = (
        select(
            Snapshot.id,
            Snapshot.created_at,
            maker.fullname,
            files.scalar_subquery(),
            exists().where(PublishRequest.snapshot_id == Snapshot.id, text(PENDING)),
            decision.c.decision_at,
            decider.fullname,
        )
        .join(maker, maker.id == Snapshot.created_by_id)
        .outerjoin(decision, true())
        .outerjoin(decider, decider.id == decision.c.decision_by_id)
        .where(Snapshot.id.in_(ids))
        .order_by(*newest)
    )
    return [SnapshotRow(*row) for row in db.execute(statement)]


def snapshot(db: Session, snapshot_id: int) -> SnapshotRow:
    """The snapshot of this id, which must be there."""
    return snapshots(db, Snapshot.id == snapshot_id, limit=1)[0]


@dataclass(frozen=True)
class CameOut:
    """How many releases a workspace has, and how many published sets of files."""

    releases: int
    published: int


def came_out(db: Session, workspace_id: int) -> CameOut:
    """What everybody may know of a workspace's outputs, in one statement."""
    return CameOut(*db.execute(select(*came_out_columns(workspace_id))).one())


def came_out_columns(workspace_id: int) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """The columns of :class:`CameOut`, for a statement that asks for other things too."""
    releases = select(func.count()).select_from(Release).where(Release.workspace_id == workspace_id)
    public = select(func.count()).select_from(Snapshot).where(published(workspace_id))
    return releases.scalar_subquery(), public.scalar_subquery()
