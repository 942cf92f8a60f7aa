"""What concerns the whole site."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import SiteAlert


@dataclass(frozen=True)
class AlertRow:
    """A banner for people who are signed in; its message is Markdown."""

    title: str
    message: str
    level: str


_ALERTS = (
    select(SiteAlert.title, SiteAlert.message, SiteAlert.level)
    .where(
        or_(SiteAlert.starts_at.is_(None), SiteAlert.starts_at <= func.now()),
        or_(SiteAlert.ends_at.is_(None), SiteAlert.ends_at > func.now()),
    )
    .order_by(SiteAlert.created_at.desc(), SiteAlert.id.desc())
)


def site_alerts(db: Session) -> list[AlertRow]:
    """The banners of this moment, newest first."""
    return [AlertRow(*row) for row in db.execute(_ALERTS)]
