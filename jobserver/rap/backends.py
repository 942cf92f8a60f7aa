"""What the controller says of the backends, and when we last reached it at all (spec: rap 6.1)."""

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jobserver.clients.rap import BackendReport, RapError
from jobserver.models import Backend, ControllerContact, Stats, utcnow
from jobserver.rap.context import Context

log = structlog.get_logger(__name__)


@dataclass
class BackendsReport:
    """What one round did. ``failure`` is set when the controller could not be asked."""

    updated: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether every backend that the controller named was updated."""
        return not (self.failure or self.unknown or self.faults)


def refresh(context: Context) -> BackendsReport:
    """Ask for the state of the backends and store it, each backend by itself (spec: rap 6.1 and 11)."""
    done = BackendsReport()
    try:
        reports = context.clients.rap.backend_status()
    except RapError as error:
        done.failure = str(error)
        log.warning("rap_backends_unavailable", reason=done.failure)
        note_failure(context, done.failure)
        return done
    for fault in reports.faults:
        done.faults.append(f"{fault.subject}: {fault.reason}")
    note_contact(context)
    url = context.settings.rap_api_base_url
    for report in reports:
        try:
            with context.transaction() as db:
                known = _store(db, report, url)
        except Exception as error:
            log.exception("rap_backend_not_stored", backend=report.slug)
            done.faults.append(f"{report.slug}: {type(error).__name__}")
        else:
            (done.updated if known else done.unknown).append(report.slug)
    if done.unknown or done.faults:
        log.error("rap_backends_incomplete", unknown=done.unknown, faults=done.faults)
    return done


def _store(db: Session, report: BackendReport, url: str) -> bool:
    """Whether we know the backend; what is reported of it is stored."""
    backend_id = db.scalar(
        update(Backend)
        .where(Backend.slug == report.slug)
        .values(
            last_seen_at=report.last_seen,
            last_seen_maintenance_mode=report.db_maintenance_since,
            is_in_maintenance_mode=report.db_maintenance,
            is_paused=report.paused,
            rap_api_state=_entry(report),
        )
        .returning(Backend.id)
    )
    if backend_id is None:
        return False
    if report.last_seen is not None:
        row = insert(Stats).values(backend_id=backend_id, url=url, api_last_seen=report.last_seen)
        seen = {"api_last_seen": row.excluded.api_last_seen}
        db.execute(row.on_conflict_do_update(index_elements=["backend_id", "url"], set_=seen))
    return True


def _entry(report: BackendReport) -> dict[str, object]:
    """The controller's entry, in its own form."""

    def flag(on: bool, since: datetime | None) -> dict[str, object]:
        return {"status": "on" if on else "off", "since": _iso(since)}

    maintenance = flag(report.db_maintenance, report.db_maintenance_since)
    return {
        "slug": report.slug,
        "last_seen": _iso(report.last_seen),
        "paused": flag(report.paused, report.paused_since),
        "db_maintenance": {**maintenance, "type": report.db_maintenance_type},
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def note_contact(context: Context) -> None:
    """Record that the controller answers."""
    _note(context, {"reached_at": utcnow()})


def note_failure(context: Context, reason: str) -> None:
    """Record that the controller could not be asked, and why."""
    _note(context, {"failed_at": utcnow(), "failure": reason[:500]})


def _note(context: Context, values: dict[str, object]) -> None:
    row = insert(ControllerContact).values(id=1, **values)
    with context.transaction() as db:
        db.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
