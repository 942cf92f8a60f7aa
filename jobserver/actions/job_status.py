"""The status of a job request, derived from its jobs and stored with them.

Whoever changes jobs calls :func:`lock` first and :func:`refresh` last, in one transaction: the counts,
the status and the jobs change together, and reading never writes (spec: rap 3.1 and 11, domain 13.1-13.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.models import ACTIVE_STATUSES, JobRequest, JobState

JOB_FAILED = "A job failed."
ALL_CANCELLED = "Cancelled on request."

FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
_REPORTED_STATES = frozenset({JobState.PENDING, JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED})


def state_of(status: str, status_code: str) -> JobState:
    """What we count a job as: the same rule as that of the column ``job.state``."""
    word = status.lower()
    if word == JobState.FAILED and status_code == "cancelled_by_user":
        return JobState.CANCELLED
    if word in _REPORTED_STATES:
        return JobState(word)
    return JobState.UNKNOWN if word else JobState.PENDING


@dataclass(frozen=True)
class Before:
    """What was stored of a request when it was locked."""

    id: int
    identifier: str
    workspace_id: int
    backend_id: int
    status: str
    jobs_failed: int
    will_notify: bool
    settled_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether news was expected."""
        return self.status in ACTIVE_STATUSES


def lock(db: Session, job_request_ids: Iterable[int]) -> dict[int, Before]:
    """Keep others from changing these requests until the transaction ends."""
    request = JobRequest
    wanted = (
        select(
            request.id,
            request.identifier,
            request.workspace_id,
            request.backend_id,
            request.status,
            request.jobs_failed,
            request.will_notify,
            request.settled_at,
        )
        .where(request.id.in_(list(job_request_ids)))
        .order_by(request.id)
        .with_for_update(key_share=True)
    )
    return {row.id: Before(*row) for row in db.execute(wanted)}


# A job whose word we do not know may still move until it has an end. A request that failed only
# because it was cancelled says so. Its end is the last of those that are known.
_REFRESH = text("""
WITH tally AS (
    SELECT wanted.id,
        count(job.id) AS total,
        count(*) FILTER (WHERE state = 'pending') AS pending,
        count(*) FILTER (WHERE state = 'running') AS running,
        count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE state = 'unknown') AS unknown,
        count(*) FILTER (WHERE state = 'unknown' AND completed_at IS NULL) AS moving,
        min(started_at) AS started_at, max(completed_at) AS completed_at, max(updated_at) AS updated_at
    FROM unnest(CAST(:ids AS integer[])) AS wanted(id) LEFT JOIN job ON job.job_request_id = wanted.id
    GROUP BY wanted.id
), derived AS (
    SELECT tally.*,
        pending + running + moving > 0 AS going_on,
        CASE
            WHEN running > 0 THEN 'running'
            WHEN pending = total THEN 'pending'
            WHEN pending > 0 THEN 'running'
            WHEN moving > 0 THEN 'unknown'
            WHEN failed + cancelled > 0 THEN 'failed'
            WHEN unknown > 0 THEN 'unknown'
            ELSE 'succeeded'
        END AS status
    FROM tally WHERE total > 0
)
UPDATE job_request SET
    jobs_pending = derived.pending, jobs_running = derived.running, jobs_succeeded = derived.succeeded,
    jobs_failed = derived.failed, jobs_cancelled = derived.cancelled, jobs_unknown = derived.unknown,
    status = derived.status,
    status_message = CASE
        WHEN derived.status <> 'failed' THEN NULL
        WHEN derived.failed > 0 THEN :job_failed
        ELSE :all_cancelled END,
    started_at = derived.started_at,
    completed_at = CASE WHEN NOT derived.going_on THEN derived.completed_at END,
    jobs_updated_at = derived.updated_at,
    settled_at = coalesce(job_request.settled_at, :now),
    unrecognised_since = NULL, unrecognised_polls = 0,
    version = version + 1
FROM derived WHERE job_request.id = derived.id
RETURNING job_request.id, job_request.status, job_request.jobs_failed
""")


def refresh(db: Session, locked: dict[int, Before], now: datetime) -> None:
    """Derive counts, status and times of these locked requests from their jobs, as they are now.

    A request that has jobs is known to the controller, so it counts as settled. Requests without jobs
    keep what they have. In the same transaction the mails for those who want them are deferred: one
    when a request has ended, one at the first failure while it still goes on (spec: pages 30.6).
    """
    if not locked:
        return
    values = {"ids": list(locked), "now": now, "job_failed": JOB_FAILED, "all_cancelled": ALL_CANCELLED}
    for id_, status, failed in db.execute(_REFRESH, values):
        before = locked[id_]
        if not before.will_notify:
            continue
        if before.is_active and status not in ACTIVE_STATUSES:
            queue.defer(db, queue.Task.MAIL_REQUEST_ENDED, key=str(id_), job_request_id=id_)
        elif failed and not before.jobs_failed and status in ACTIVE_STATUSES:
            queue.defer(db, queue.Task.MAIL_FIRST_FAILURE, key=str(id_), job_request_id=id_)
