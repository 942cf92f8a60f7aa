"""What concerns the whole site."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import SiteAlert


@dataclass(frozen=True)
class AlertRow:
    """A banner for people who are signed in."""

    title: str
    message: str
    level: str


_ALERTS = select(SiteAlert.title, SiteAlert.message, SiteAlert.level).order_by(
    SiteAlert.created_at.desc(), SiteAlert.id.desc()
)


def site_alerts(db: Session) -> list[AlertRow]:
    """All banners, newest first."""
    return [AlertRow(*row) for row in db.execute(_ALERTS)]
