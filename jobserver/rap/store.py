"""Storing what the controller reports of jobs: all jobs of a request and its status at once, or nothing.

Used by the status service and by the older endpoint through which backends reported jobs.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from jobserver.actions import happenings, job_status
from jobserver.clients.rap import JobReport
from jobserver.models import HappeningKind, Job

# The columns that come from the controller, and what stands for null in those that cannot be null.
COLUMNS = (
    "identifier",
    "action",
    "run_command",
    "status",
    "status_code",
    "status_message",
    "created_at",
    "updated_at",
    "started_at",
    "completed_at",
    "trace_context",
    "metrics",
)
_EMPTY = {"run_command": "", "status_code": "", "status_message": ""}
_KEPT_IF_NULL = ("action", "status", "created_at")
_OBJECTS = ("trace_context", "metrics")


class Unstorable(Exception):
    """The reports of one request cannot be stored; the text says why, for operators."""


@dataclass(frozen=True)
class Reported:
    """Everything that the controller says of one request.

    ``unreadable`` are identifiers of jobs that it did name, but in a form that cannot be used.
    """

    id: int
    identifier: str
    jobs: tuple[JobReport, ...]
    unreadable: frozenset[str] = frozenset()


@dataclass
class Stored:
    """What was stored."""

    created: list[tuple[int, str]] = field(default_factory=list)
    updated: list[tuple[int, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, other: "Stored") -> None:
        """Count the other's jobs as well."""
        self.created += other.created
        self.updated += other.updated
        self.missing += other.missing


@dataclass
class _Difference:
    """``rows`` to write; ``moves``: what is seen of jobs for the first time, and of which it was before."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


_Known = dict[int, dict[str, Row[Any]]]


def known_jobs(db: Session, job_request_ids: Iterable[int]) -> _Known:
    """The jobs that are stored, by request and identifier: one statement however many."""
    known: _Known = defaultdict(dict)
    columns = [getattr(Job, name) for name in COLUMNS]
    wanted = select(Job.id, Job.job_request_id, Job.state, Job.missing_since, *columns).where(
        Job.job_request_id.in_(list(job_request_ids))
    )
    for row in db.execute(wanted):
        known[row.job_request_id][row.identifier] = row
    return known


def is_news(reported: Reported, known: _Known, now: datetime) -> bool:
    """Whether storing would change anything. What cannot be stored counts as news: storing tells why."""
    try:
        difference = _difference(reported, known.get(reported.id, {}), now)
    except Unstorable:
        return True
    return bool(difference.rows)


def missing_jobs(reported: Reported, known: _Known) -> list[str]:
    """Identifiers of jobs that we know and the controller does not name."""
    named = {job.identifier for job in reported.jobs} | reported.unreadable
    return sorted(set(known.get(reported.id, {})) - named)


def store(db: Session, group: Sequence[Reported], now: datetime) -> Stored:
    """Store the jobs of a group of requests and what follows for their status, in the caller's transaction.

    Seven statements however many jobs, and one for each mail. :class:`Unstorable` if the reports of any
    request of the group cannot be stored; the transaction must be rolled back then.
    """
    locked = job_status.lock(db, [reported.id for reported in group])
    known = known_jobs(db, locked)
    stored = Stored()
    rows: list[dict[str, Any]] = []
    moves: list[dict[str, Any]] = []
    changed: dict[int, job_status.Before] = {}
    for reported in group:
        before = locked.get(reported.id)
        if before is None:
            continue
        difference = _difference(reported, known.get(reported.id, {}), now)
        stored.missing += difference.missing
        if difference.rows:
            changed[reported.id] = before
            copies = {
                "job_request_id": before.id,
                "workspace_id": before.workspace_id,
                "backend_id": before.backend_id,
            }
            rows += [{**row, **copies} for row in difference.rows]
            moves += [{**move, "job_request_id": before.id} for move in difference.moves]
    ids = _write(db, rows, stored, {identifier for jobs in known.values() for identifier in jobs})
    _remember(db, changed, [{**move, "job_id": ids[move["identifier"]]} for move in moves], now)
    job_status.refresh(db, changed, now)
    return stored


def _remember(
    db: Session, changed: Mapping[int, job_status.Before], moves: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Write the history of what has just been learnt. A request with jobs must have been accepted."""
    accepted = [id_ for id_, before in changed.items() if before.settled_at is None]
    happenings.note_all(db, accepted, HappeningKind.ACCEPTED, now)
    happenings.note_moves(db, moves, now)
    happenings.note_actions(db, [move["action"] for move in moves if move["first"]])


def _difference(reported: Reported, known: dict[str, Row[Any]], now: datetime) -> _Difference:
    """The rows to write for one request: new jobs, changed ones, and those that are missing."""
    difference = _Difference(missing=sorted(set(known) - reported.unreadable))
    seen: set[str] = set()
    for job in reported.jobs:
        if job.identifier in seen:
            raise Unstorable(f"job {job.identifier} is listed twice")
        seen.add(job.identifier)
        old = known.get(job.identifier)
        row = _changed(job, old, now)
        if row is not None:
            difference.rows.append(row)
            difference.moves += _move(row, old)
    difference.missing = [identifier for identifier in difference.missing if identifier not in seen]
    for identifier in difference.missing:
        if known[identifier].missing_since is None:
            row = {name: getattr(known[identifier], name) for name in COLUMNS}
            difference.rows.append({**row, "missing_since": now})
    return difference


def _move(row: dict[str, Any], old: Row[Any] | None) -> list[dict[str, Any]]:
    """The change of status or status code that the new row of a job is; none if both are as they were."""
    if old is not None and (row["status"], row["status_code"]) == (old.status, old.status_code):
        return []
    seen = {name: row[name] for name in ("identifier", "action", "status", "status_code")}
    return [{**seen, "first": old is None, "before": old.status if old is not None else ""}]


def _changed(job: JobReport, old: Row[Any] | None, now: datetime) -> dict[str, Any] | None:
    """The job's row as it should be; None if it is so already. A final state is never left."""
    row = {name: _value(job, name, old, now) for name in COLUMNS}
    if old is None:
        return {**row, "missing_since": None}
    if (
        old.state in job_status.FINAL_STATES
        and job_status.state_of(row["status"], row["status_code"]) != old.state
    ):
        # A stale answer (spec: rap 11). All it still tells is that the controller knows the job.
        row = {name: getattr(old, name) for name in COLUMNS}
    same = old.missing_since is None and all(row[name] == getattr(old, name) for name in COLUMNS)
    return None if same else {**row, "missing_since": None}


def _value(job: JobReport, name: str, old: Row[Any] | None, now: datetime) -> Any:
    value = getattr(job, name)
    if name not in job.given and old is not None:
        return getattr(old, name)
    if name in _OBJECTS:
        return value if isinstance(value, dict) else None
    if value is not None:
        return value
    if name in _KEPT_IF_NULL and old is not None:
        return getattr(old, name)
    if name == "created_at":
        return now
    if name in _KEPT_IF_NULL:
        raise Unstorable(f"job {job.identifier} has no {name}")
    return _EMPTY.get(name)


_LIST = ", ".join(COLUMNS)
_UPDATES = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS)
_WRITE = text(f"""
INSERT INTO job (job_request_id, workspace_id, backend_id, {_LIST}, missing_since)
SELECT job_request_id, workspace_id, backend_id, {_LIST}, missing_since
FROM jsonb_populate_recordset(NULL::job, CAST(:rows AS jsonb))
ON CONFLICT (identifier) DO UPDATE SET {_UPDATES}, missing_since = EXCLUDED.missing_since
WHERE job.job_request_id = EXCLUDED.job_request_id
RETURNING id, identifier
""")  # noqa: S608 - names of columns only


def _write(db: Session, rows: list[dict[str, Any]], stored: Stored, known: set[str]) -> dict[str, int]:
    """Write the rows; the ids of their jobs by identifier."""
    if not rows:
        return {}
    asked = [row["identifier"] for row in rows]
    if len(set(asked)) < len(asked):
        raise Unstorable("a job is listed under two requests")
    written = db.execute(_WRITE, {"rows": json.dumps(rows, default=datetime.isoformat)}).all()
    if len(written) < len(rows):
        foreign = sorted(set(asked) - {identifier for _, identifier in written})
        raise Unstorable(f"these jobs belong to another request: {', '.join(foreign)}")
    for id_, identifier in written:
        (stored.updated if identifier in known else stored.created).append((id_, identifier))
    return {identifier: id_ for id_, identifier in written}
