"""What lists of snapshots can be narrowed by, as SQL, and the newest that is public of each workspace.

Spec: pages 14.1, 17 and 30.2 no. 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from jobserver.models import PublishRequest, Snapshot, Workspace
from jobserver.models.publication import IN_FORCE
from jobserver.queries.output_pages import (
    SnapshotRow,
    is_pending,
    is_published,
    is_rejected,
    moment,
    snapshots,
)
from jobserver.queries.path import as_id
from jobserver.queries.release_lists import Offer, offer
from jobserver.templating.states import SNAPSHOT_STATES
from jobserver.templating.times import end_of_day, start_of_day

# The first that holds is the state of a snapshot; without any it is a draft.
_CONDITIONS = {"published": is_published, "pending": is_pending, "rejected": is_rejected}
STATES = (*_CONDITIONS, "draft")


@dataclass(frozen=True)
class Facets:
    """How the snapshots of a place stand, where they came from, and how many there are."""

    states: Offer
    workspaces: Offer
    total: int


def facets(db: Session, place: ColumnElement[bool]) -> Facets:
    """What the snapshots of a place have, in one statement."""
    these = select(Snapshot.workspace_id, _state().label("state")).where(place).subquery()
    kinds = (these.c.workspace_id, these.c.state)
    counted = (
        select(*kinds, func.count().label("number"))
        .group_by(func.grouping_sets(*[tuple_(kind) for kind in kinds]))
        .subquery("counted")
    )
    rows: Sequence[Any] = db.execute(
        select(counted.c.number, counted.c.state, Workspace.name)
        .select_from(counted)
        .outerjoin(Workspace, Workspace.id == counted.c.workspace_id)
        .order_by(counted.c.number.desc())
    ).all()
    states = {state: number for number, state, _ in rows if state}
    return Facets(
        states=Offer({each: SNAPSHOT_STATES[each].word for each in STATES}, states),
        workspaces=offer((name, name, number) for number, _, name in rows if name),
        total=sum(states.values()),
    )


@dataclass(frozen=True)
class Wanted:
    """All of these hold for a snapshot that is shown; what is empty does not matter.

    ``states`` are of :data:`STATES`, ``workspaces`` names: of each, any will do. ``since`` and ``until`` are
    London days, both included, on which it was published or else made. ``q``: a part of its title or summary,
    or its number.
    """

    states: Sequence[str] = ()
    workspaces: Sequence[str] = ()
    since: date | None = None
    until: date | None = None
    q: str = ""


def narrowed(place: ColumnElement[bool], wanted: Wanted) -> ColumnElement[bool]:
    """Of snapshots: those of the place for which all of it holds."""
    found = [place]
    if wanted.states:
        found.append(_state().in_(wanted.states))
    if wanted.workspaces:
        found.append(
            Snapshot.workspace_id.in_(select(Workspace.id).where(Workspace.name.in_(wanted.workspaces)))
        )
    if wanted.since:
        found.append(moment() >= start_of_day(wanted.since))
    if wanted.until:
        found.append(moment() < end_of_day(wanted.until))
    if wanted.q:
        columns = (Snapshot.title, Snapshot.summary)
        words = or_(*[column.icontains(wanted.q, autoescape=True) for column in columns])
        number = as_id(wanted.q)
        found.append(words if number is None else or_(words, Snapshot.id == number))
    return and_(*found)


def _state() -> ColumnElement[str]:
    return case(*[(holds(), state) for state, holds in _CONDITIONS.items()], else_="draft")


def newest_published(db: Session, project_id: int, *, limit: int) -> list[SnapshotRow]:
    """Of each workspace of a project the snapshot that was last made public, the newest decision first."""
    newest = (
        select(Snapshot.id)
        .join(Workspace, Workspace.id == Snapshot.workspace_id)
        .join(PublishRequest, PublishRequest.snapshot_id == Snapshot.id)
        .where(Workspace.project_id == project_id, text(IN_FORCE))
        .ext(distinct_on(Snapshot.workspace_id))
        .order_by(Snapshot.workspace_id, PublishRequest.decision_at.desc(), Snapshot.id.desc())
    )
    return snapshots(db, Snapshot.id.in_(newest), limit=limit)
