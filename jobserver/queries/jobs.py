"""What the page of a job shows (spec: pages 13, rap 9)."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import Job
from jobserver.queries.job_requests import COLUMNS, STALE_AFTER, JobRow
from jobserver.queries.needs import Needs, needs_of_request

MOST_RELATIVES = 200


def row_of(job: Job) -> JobRow:
    """The job as lists have it."""
    return JobRow(**{name: getattr(job, name) for name in JobRow.__dataclass_fields__})


def silence(row: JobRow, now: datetime) -> timedelta | None:
    """How long nothing was heard of the job while it is active, if that is too long (spec: rap 6.4)."""
    if not row.is_active or row.updated_at is None or now - row.updated_at <= STALE_AFTER:
        return None
    return now - row.updated_at


@dataclass(frozen=True)
class Metrics:
    """What a job used: CPU in per cent of one core, memory in megabytes; None where nothing is known."""

    cpu_mean: float | None
    cpu_peak: float | None
    mem_mb_mean: float | None
    mem_mb_peak: float | None

    @property
    def any(self) -> bool:
        """Whether anything is known."""
        return any(value is not None for value in vars(self).values())

    @property
    def over_cores(self) -> int | None:
        """How many cores at least the peak was spread over, if more than one."""
        return math.ceil(self.cpu_peak / 100) if self.cpu_peak and self.cpu_peak > 100 else None


def metrics_of(reported: Mapping[str, Any] | None) -> Metrics:
    """The metrics as reported, whatever they are (spec: rap 1.5)."""
    values = reported if isinstance(reported, Mapping) else {}
    return Metrics(*[_amount(values.get(name)) for name in Metrics.__dataclass_fields__])


def _amount(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e12 else None


@dataclass(frozen=True)
class Relatives:
    """Jobs of the same request that this one has to do with.

    ``needs``: each action it needs, with its job if this request has one. ``cause``: why it never started,
    the nearest job that failed by itself or was cancelled. ``stopped``: what never started because of it.
    """

    needs: Sequence[tuple[str, JobRow | None]] = ()
    cause: JobRow | None = None
    stopped: Sequence[JobRow] = ()

    @property
    def waiting_for(self) -> list[str]:
        """The needed actions that have not ended."""
        return [name for name, row in self.needs if row is not None and row.is_active]


def relatives(db: Session, job: Job) -> Relatives:
    """What the job needs and what needs it, by the request's ``project.yaml``."""
    needs = needs_of_request(db, job.job_request_id)
    before = _reached(needs, job.action)
    after = _reached(_turned_round(needs), job.action)
    if not before and not after:
        return Relatives()
    statement = select(*COLUMNS).where(
        Job.job_request_id == job.job_request_id, Job.action.in_([*before, *after])
    )
    jobs = {row.action: row for row in (JobRow(*found) for found in db.execute(statement))}
    ended_badly = [jobs[name] for name in before if name in jobs and _is_cause(jobs[name])]
    return Relatives(
        needs=[(name, jobs.get(name)) for name in needs.get(job.action, ())],
        cause=ended_badly[0] if job.status_code == "dependency_failed" and ended_badly else None,
        stopped=[jobs[name] for name in after if name in jobs and _never_started(jobs[name])],
    )


def _is_cause(row: JobRow) -> bool:
    return row.state in {"failed", "cancelled"} and not _never_started(row)


def _never_started(row: JobRow) -> bool:
    return row.status_code == "dependency_failed"


def _reached(needs: Mapping[str, Iterable[str]], start: str) -> list[str]:
    """Everything that can be reached from an action, nearest first; a limited number."""
    found: dict[str, None] = {}
    waiting = [start]
    while waiting and len(found) < MOST_RELATIVES:
        name = waiting.pop(0)
        fresh = [other for other in needs.get(name, ()) if other not in found and other != start]
        found.update(dict.fromkeys(fresh))
        waiting += fresh
    return list(found)


def _turned_round(needs: Needs) -> dict[str, list[str]]:
    needed_by: dict[str, list[str]] = {}
    for name, wanted in needs.items():
        for other in wanted:
            needed_by.setdefault(other, []).append(name)
    return needed_by
