"""What is kept of tasks beside the queue: what last went wrong, and having failed ones tried again."""

from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions.audit import record
from jobserver.actions.users import Person
from jobserver.models import AuditType, TaskRecord, utcnow
from jobserver.queue import JOBS

# More at once would keep the browser waiting; the next press takes the next.
MOST_AT_ONCE = 500


def note_failure(db: Session, job_id: int, error: str, *, now: datetime | None = None) -> None:
    """Keep what went wrong with a try of the task of this id; it replaces what was kept before."""
    at = now or utcnow()
    values = {"last_error": error, "failed_at": at}
    db.execute(
        insert(TaskRecord)
        .values(job_id=job_id, created_at=at, **values)
        .on_conflict_do_update(index_elements=[TaskRecord.job_id], set_=values)
    )


def retry(db: Session, job_id: int, *, by: Person) -> bool:
    """Have a failed task tried again; False if it is none, for example because somebody was quicker."""
    failed = select(JOBS.c.task_name).where(JOBS.c.id == job_id, JOBS.c.status == "failed")
    task = db.scalar(failed.with_for_update(skip_locked=True))
    if task is None:
        return False
    queue.retry(db, job_id)
    record(
        db,
        AuditType.TASK_RETRIED,
        by=by,
        target=_record_of(db, job_id),
        changes={"state": ("failed", "pending")},
        label=task,
    )
    return True


def retry_all(db: Session, task: str, *, by: Person) -> int:
    """Have the failed tasks of a kind tried again; how many. One event says so."""
    failed = select(JOBS.c.id).where(JOBS.c.task_name == task, JOBS.c.status == "failed")
    found = db.scalars(failed.order_by(JOBS.c.id).limit(MOST_AT_ONCE).with_for_update(skip_locked=True)).all()
    for job_id in found:
        queue.retry(db, job_id)
    if found:
        numbers = ",".join(map(str, found))
        record(db, AuditType.TASK_RETRIED, by=by, label=task, changes={"tasks": ("", numbers)})
    return len(found)


def forget_old(db: Session, before: datetime) -> int:
    """Remove records from before then whose tasks the queue keeps no more; how many."""
    kept = exists().where(JOBS.c.id == TaskRecord.job_id)
    gone = delete(TaskRecord).where(TaskRecord.created_at < before, ~kept).returning(TaskRecord.id)
    found = db.scalars(gone.execution_options(synchronize_session=False))
    return len(found.all())


def _record_of(db: Session, job_id: int) -> TaskRecord:
    db.execute(
        insert(TaskRecord)
        .values(job_id=job_id, created_at=func.now())
        .on_conflict_do_nothing(index_elements=[TaskRecord.job_id])
    )
    return db.scalars(select(TaskRecord).where(TaskRecord.job_id == job_id)).one()
