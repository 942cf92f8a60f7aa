"""Banners for everybody who is signed in (spec: staff 12, 17.19)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import changes, naming
from jobserver.actions.audit import id_of, record
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.models import AuditType, SiteAlert, User
from jobserver.security.identity import Identity

LONGEST_TITLE, LONGEST_MESSAGE = naming.LONGEST, 5_000
EDITABLE = ("title", "message", "level", "starts_at", "ends_at")


def create(db: Session, values: Mapping[str, Any], *, by: User | Identity) -> SiteAlert:
    """Show an alert, from its start to its end if it has them. ``values`` of the :data:`EDITABLE` columns."""
    author = id_of(by)
    alert = SiteAlert(**values, created_by_id=author, updated_by_id=author)
    alert.updated_at = alert.created_at
    db.add(alert)
    db.flush()
    shown = {name: (None, text) for name, text in _texts(alert).items() if text}
    record(db, AuditType.SITE_ALERT_CREATED, by=by, target=alert, changes=shown)
    return alert


def edit(db: Session, alert: SiteAlert, values: Mapping[str, Any], *, seen: str, by: User | Identity) -> bool:
    """Change the alert; returns whether anything differed.

    Raises :class:`~jobserver.actions.versions.ChangedMeanwhile`, also if it is gone by now.
    """
    if not _lock(db, alert):
        raise ChangedMeanwhile
    return changes.edit(db, alert, values, AuditType.SITE_ALERT_UPDATED, by=by, seen=seen)


def delete(db: Session, alert: SiteAlert, *, by: User | Identity) -> bool:
    """Remove the alert for good; returns False if somebody else has just done so."""
    if not _lock(db, alert):
        return False
    gone = {name: (text, None) for name, text in _texts(alert).items() if text}
    record(db, AuditType.SITE_ALERT_DELETED, by=by, target=alert, changes=gone)
    db.delete(alert)
    db.flush()
    return True


def _lock(db: Session, alert: SiteAlert) -> bool:
    return db.scalar(select(SiteAlert.id).where(SiteAlert.id == alert.id).with_for_update()) is not None


def _texts(alert: SiteAlert) -> dict[str, str]:
    values = {name: getattr(alert, name) for name in EDITABLE}
    return {name: changes.plain(value) or "" for name, value in values.items()}
