"""Whether what the site needs is there: database, schema, worker, status service (spec: operations 12.67)."""

from datetime import datetime, timedelta

from sqlalchemy import column, func, select, table, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.orm import Session

from jobserver.db import SCHEMA
from jobserver.models import ControllerContact
from jobserver.queue import WORKERS

# Milliseconds that the database gets for its answer.
PATIENCE = 2_000
# A worker is heard from every few seconds; a round may be 5 minutes after the one before, after failures.
WORKER_SILENCE = timedelta(minutes=1)
ROUND_SILENCE = timedelta(minutes=10)

_VERSION = table("alembic_version", column("version_num"))
_HEARD = select(func.max(WORKERS.c.last_heartbeat))


def faults(db: Session, now: datetime) -> list[str]:
    """What is not as it should be, a line each without details; the session is of no more use after one."""
    rounds = func.greatest(ControllerContact.reached_at, ControllerContact.failed_at)
    parts = (select(_VERSION.c.version_num), _HEARD, select(func.max(rounds)))
    try:
        db.execute(text(f"SET LOCAL statement_timeout = {PATIENCE}"))
        version, heartbeat, asked = db.execute(select(*(each.scalar_subquery() for each in parts))).one()
    except ProgrammingError:
        return ["schema: jobserver migrate has not been run"]
    except SQLAlchemyError:
        return ["database: no answer"]
    # A newer schema is one that this release can work with, too.
    checks = {
        "schema: older than this release": (version or "") < SCHEMA,
        "worker: not heard from": is_silent(heartbeat, now),
        "status service: no round for some time": is_silent(asked, now, ROUND_SILENCE),
    }
    return [fault for fault, is_so in checks.items() if is_so]


def worker_heard(db: Session) -> datetime | None:
    """When the worker was last heard from, any of several; None if none is known."""
    heard: datetime | None = db.scalar(_HEARD)
    return heard


def is_silent(heard: datetime | None, now: datetime, limit: timedelta = WORKER_SILENCE) -> bool:
    """Whether a program last heard from then, by default the worker, is to be taken for dead."""
    return heard is None or now - heard > limit
