"""Writing down what happens to job requests and their jobs, in the transaction in which it happens."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from jobserver.models import Happening, HappeningKind, utcnow


def note(db: Session, job_request_id: int, kind: HappeningKind, reason: str = "") -> None:
    """Note that something happened to a request, now; ``reason`` is shown with it."""
    note_all(db, [job_request_id], kind, utcnow(), reason)


def note_all(
    db: Session, job_request_ids: Sequence[int], kind: HappeningKind, at: datetime, reason: str = ""
) -> None:
    """Note that the same happened to several requests: one statement, none if there are no requests."""
    if job_request_ids:
        rows = [{"job_request_id": id_, "kind": kind, "at": at, "note": reason} for id_ in job_request_ids]
        db.execute(insert(Happening), rows)


# The note of a job's row is the status that it had before, "" at first sight.
_JOBS = text("""
INSERT INTO happening (job_request_id, job_id, at, kind, status, status_code, note)
SELECT job_request_id, job_id, :at, 'job', status, status_code, before
FROM jsonb_to_recordset(CAST(:moves AS jsonb))
    AS move(job_request_id integer, job_id integer, status text, status_code text, before text)
""")


def note_moves(db: Session, moves: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Note that jobs were seen in a new status or status code: one statement however many.

    Each move has job_request_id, job_id, status, status_code, and ``before``, the status until then ("" at
    first sight).
    """
    if moves:
        columns = ("job_request_id", "job_id", "status", "status_code", "before")
        found = [{name: move[name] for name in columns} for move in moves]
        db.execute(_JOBS, {"moves": json.dumps(found), "at": at})


_NAMES = text("""
INSERT INTO action_name (name) SELECT unnest(CAST(:names AS text[])) ON CONFLICT DO NOTHING
""")


def note_actions(db: Session, names: Iterable[str]) -> None:
    """Have search find these names of actions."""
    # Sorted, so that two transactions never wait for each other.
    wanted = sorted(set(names))
    if wanted:
        db.execute(_NAMES, {"names": wanted})
