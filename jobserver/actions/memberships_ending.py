"""Removing memberships whose end date was reached. They have counted no more since that moment."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import affiliations, memberships
from jobserver.actions.affiliations import ENDED
from jobserver.actions.audit import SERVICE
from jobserver.models import ProjectMembership, utcnow


def end_next(db: Session, *, now: datetime | None = None) -> bool:
    """Remove one membership whose end has come, with its audit events; returns False if there is none.

    One in a transaction: whoever changes several memberships never waits for us while we wait for them.
    """
    now = now or utcnow()
    for kind in (affiliations.ORGS, affiliations.BACKENDS):
        if affiliations.remove_ended(db, kind, now, by=SERVICE):
            return True
    due = (
        select(ProjectMembership).where(ProjectMembership.ends_at <= now).order_by(ProjectMembership.ends_at)
    )
    membership = db.scalar(due.limit(1).with_for_update(skip_locked=True))
    if membership is None:
        return False
    memberships.remove(db, membership, by=SERVICE, reason=ENDED)
    return True
