"""Wishes to make outputs public, and what was decided (spec: airlock 6.4, 12.39, domain 3.18)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, text
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.selectable import LateralFromClause

from jobserver.models import PublishRequest, ReleaseFile, Snapshot, SnapshotFile, User
from jobserver.models.publication import PENDING
from jobserver.queries.outputs import readable_size
from jobserver.queries.visibility import snapshots_permitting
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.security.roles import roles_granting


@dataclass(frozen=True)
class Wish:
    """One wish that a set of files be public, and what was decided. Reasons may be empty."""

    asked_at: datetime
    asked_by: str
    asked_by_id: int
    decision: str | None
    decided_at: datetime | None
    decided_by: str | None
    reason: str
    unpublished_at: datetime | None
    unpublished_by: str | None
    unpublished_reason: str
    is_self_decided: bool

    @property
    def state(self) -> str:
        """``pending``, ``approved``, ``rejected``, ``withdrawn`` or ``unpublished``."""
        return state_of(self.decision, self.unpublished_at)


def state_of(decision: str | None, unpublished_at: datetime | None) -> str:
    """Where a wish stands, as the queue's filter calls it."""
    return "unpublished" if unpublished_at else decision or "pending"


def counted_files() -> LateralFromClause:
    """Of the wish of the row beside: how many ``files`` its set has, and the ``size`` of readable ones."""
    return (
        select(func.count().label("files"), readable_size())
        .join(SnapshotFile, SnapshotFile.release_file_id == ReleaseFile.id)
        .where(SnapshotFile.snapshot_id == PublishRequest.snapshot_id)
        .lateral("counted")
    )


def wishes(db: Session, snapshot_id: int) -> list[Wish]:
    """Everything that was asked for and decided about a set of files, newest first."""
    asker, decider, other = aliased(User), aliased(User), aliased(User)
    statement = (
        select(
            PublishRequest.created_at,
            asker.fullname,
            asker.id,
            PublishRequest.decision,
            PublishRequest.decision_at,
            decider.fullname,
            PublishRequest.decision_reason,
            PublishRequest.unpublished_at,
            other.fullname,
            PublishRequest.unpublished_reason,
            func.coalesce(PublishRequest.decision_by_id == PublishRequest.created_by_id, False),
        )
        .join(asker, asker.id == PublishRequest.created_by_id)
        .outerjoin(decider, decider.id == PublishRequest.decision_by_id)
        .outerjoin(other, other.id == PublishRequest.unpublished_by_id)
        .where(PublishRequest.snapshot_id == snapshot_id)
        .order_by(PublishRequest.created_at.desc(), PublishRequest.id.desc())
    )
    return [Wish(*row) for row in db.execute(statement)]


def waiting(identity: Identity) -> Any:
    """A column: how many wait for the caller to decide; 0 for those who decide nothing."""
    if not set(identity.roles) & set(roles_granting(Permission.SNAPSHOT_PUBLISH)):
        return literal(0)
    return select(func.count()).select_from(PublishRequest).where(text(PENDING)).scalar_subquery()


def open_to(db: Session, identity: Identity | None, snapshot_ids: Collection[int]) -> set[int]:
    """Those of the sets of files that the caller may see."""
    permitted = snapshots_permitting(identity, Permission.SNAPSHOT_VIEW)
    return set(db.scalars(permitted.where(Snapshot.id.in_(snapshot_ids)))) if snapshot_ids else set()
