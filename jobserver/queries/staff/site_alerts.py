"""Banners, as staff look after them (spec: staff 12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import AlertLevel, SiteAlert, User
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains


@dataclass(frozen=True)
class AlertRow:
    """A banner in the list. Those of today's data may have no author."""

    id: int
    title: str
    message: str
    level: str
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None

    @property
    def heading(self) -> str:
        """The title, else the beginning of the message."""
        return self.title or (self.message if len(self.message) <= 80 else f"{self.message[:79]}…")

    def state(self, now: datetime) -> str:
        """``shown``, ``coming`` or ``over``."""
        if self.ends_at is not None and self.ends_at <= now:
            return "over"
        return "coming" if self.starts_at is not None and self.starts_at > now else "shown"


_OVER = and_(SiteAlert.ends_at.is_not(None), SiteAlert.ends_at <= func.now())
_COMING = and_(~_OVER, SiteAlert.starts_at.is_not(None), SiteAlert.starts_at > func.now())
STATES: dict[str, tuple[str, ColumnElement[bool]]] = {
    "shown": ("Shown now", and_(~_OVER, ~_COMING)),
    "coming": ("To come", _COMING),
    "over": ("Over", _OVER),
}


def _by_state(values: Sequence[str]) -> ColumnElement[bool]:
    return or_(*[STATES[value][1] for value in values if value in STATES])


def _states(db: Session) -> list[Option]:
    columns = [func.count().filter(rule) for _, rule in STATES.values()]
    counts = db.execute(select(*columns).select_from(SiteAlert)).one()
    return [Option(value, STATES[value][0], n) for value, n in zip(STATES, counts, strict=True)]


def _levels(db: Session) -> list[Option]:
    counted = db.execute(select(SiteAlert.level, func.count()).group_by(SiteAlert.level))
    found: dict[str, int] = {row[0]: row[1] for row in counted}
    return [Option(level, level.capitalize(), found.get(level, 0)) for level in AlertLevel]


_creator, _updater = aliased(User), aliased(User)

SITE_ALERTS: StaffList[AlertRow] = StaffList(
    noun=("alert",),
    id_column=SiteAlert.id,
    columns=select(
        SiteAlert.id,
        SiteAlert.title,
        SiteAlert.message,
        SiteAlert.level,
        SiteAlert.starts_at,
        SiteAlert.ends_at,
        SiteAlert.created_at,
        _creator.fullname,
        SiteAlert.updated_at,
        _updater.fullname,
    )
    .outerjoin(_creator, _creator.id == SiteAlert.created_by_id)
    .outerjoin(_updater, _updater.id == SiteAlert.updated_by_id),
    make=AlertRow,
    sorts=(Sort("newest", "Newest first", (SiteAlert.created_at,), descending=True),),
    header=("level", "title", "message", "starts", "ends", "made", "by", "changed", "by"),
    cells=lambda row: (
        row.level,
        row.title,
        row.message,
        row.starts_at,
        row.ends_at,
        row.created_at,
        row.created_by or "",
        row.updated_at,
        row.updated_by or "",
    ),
    search=lambda q: contains(q, SiteAlert.title, SiteAlert.message),
    search_label="Title or message",
    filters=(
        Filter("state", "State", _by_state, _states),
        Filter("level", "Level", lambda values: SiteAlert.level.in_(values), _levels),
    ),
)


def alert_row(db: Session, alert_id: int) -> AlertRow:
    """One of them."""
    return SITE_ALERTS.rows(db, [alert_id])[0]
