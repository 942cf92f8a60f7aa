"""The background worker: takes tasks off the queue for as long as it lives."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import procrastinate
import structlog
from procrastinate.exceptions import ProcrastinateException

from jobserver.actions import level4, memberships_ending, personal_tokens
from jobserver.actions.tasks import forget_old
from jobserver.models import utcnow
from jobserver.rap.context import Context
from jobserver.security import sessions
from jobserver.tasks import app as tasks
from jobserver.tasks import redactions, repositories, staff_posts
from jobserver.tasks.retrying import NotYet

log = structlog.get_logger(__name__)

QUEUES = ["rap", "default"]
CONCURRENCY = 4
# Seconds that tasks in hand get once the worker is told to stop; then they are left for the next one.
GRACE = 6.0
HEARTBEAT = 5.0
# Seconds of silence after which a worker counts as dead and its tasks are taken over.
SILENCE = 20.0
# Seconds after which the queue is looked at although nobody called: for tasks that were put off.
FETCH_EVERY = 2.0
RESCUE_EVERY = 10.0
# How many such rounds there are between two sweeps for repositories and memberships: 5 minutes.
ROUNDS_PER_SWEEP = 30
# And between two times of clearing away what is of no more use: 1 hour.
ROUNDS_PER_TIDYING = 360
KEEP_HOURS = 24 * 30
SECONDS_BETWEEN_STARTS = 2.0

Step = Callable[[Context], object]


def run(context: Context, stop: threading.Event) -> None:
    """Work until ``stop`` is set; returns within 10 seconds then. A lost database is waited for."""
    logging.getLogger("procrastinate.worker").addFilter(in_brief)
    asyncio.run(_run(context, stop))


def in_brief(record: logging.LogRecord) -> bool:
    """Log one line without a traceback where a task only has to wait for something."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, NotYet):
        record.msg, record.args = f"{record.getMessage()}: {error}", ()
        record.exc_info = None
    return True


async def _run(context: Context, stop: threading.Event) -> None:
    while not stop.is_set():
        work = asyncio.create_task(_work(context))
        while not (stop.is_set() or work.done()):
            await asyncio.sleep(0.1)
        if not work.done():
            work.cancel()
            await asyncio.wait([work], timeout=GRACE + 2)
            break
        error = None if work.cancelled() else work.exception()
        log.error("worker_interrupted", reason=str(error) if error else "a part of it failed", exc_info=error)
        await asyncio.sleep(SECONDS_BETWEEN_STARTS)
    log.info("worker_stopped")


async def _work(context: Context) -> None:
    """Work until cancelled, or until the database is lost."""
    app = tasks.build(context)
    async with app.open_async():
        housekeeping = asyncio.create_task(_housekeeping(app, context))
        try:
            await app.run_worker_async(
                queues=QUEUES,
                name="jobserver",
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE,
                fetch_job_polling_interval=FETCH_EVERY,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=SILENCE,
            )
        finally:
            housekeeping.cancel()
            with suppress(asyncio.CancelledError, ProcrastinateException):
                await housekeeping


async def _housekeeping(app: procrastinate.App, context: Context) -> None:
    """Take over the tasks of workers that have died; now and then sweep and tidy. Never ends by itself."""
    rounds = 0
    while True:
        await _try("rescue", rescue(app))
        if rounds % ROUNDS_PER_TIDYING == 0:
            await _try("forget_tasks", app.job_manager.delete_old_jobs(nb_hours=KEEP_HOURS))
            await _each(TIDYING, context)
        rounds += 1
        if rounds % ROUNDS_PER_SWEEP == 0:
            await _each(SWEEPING, context)
        await asyncio.sleep(RESCUE_EVERY)


async def _each(steps: Iterable[Step], context: Context) -> None:
    for step in steps:
        await _try(step.__name__, tasks.in_thread(partial(step, context)))


async def _try(name: str, step: Awaitable[object]) -> None:
    """Do it. What goes wrong is for the log: neither the other steps nor the next round are to suffer."""
    try:
        await step
    except Exception:
        log.exception("housekeeping_failed", step=name)


def check_repositories(context: Context) -> None:
    """Ask for what GitHub says of repositories that were not asked about for long."""
    found = repositories.sweep(context)
    if found:
        log.info("repository_checks_asked_for", number=found)


def end_memberships(context: Context) -> int:
    """Remove the memberships whose end date was reached; how many."""
    ended = 0
    while True:
        with context.transaction() as db:
            if not memberships_ending.end_next(db):
                break
        ended += 1
    if ended:
        log.info("memberships_ended", number=ended)
    return ended


def clear_expired(context: Context) -> None:
    """Delete Level 4 tokens and sessions whose time is over."""
    with context.transaction() as db:
        level4_tokens, ended = level4.clear_expired(db), sessions.clear_expired(db)
    if level4_tokens or ended:
        log.info("expired_cleared", level4_tokens=level4_tokens, sessions=ended)


def forget_task_records(context: Context) -> None:
    """Forget what was kept of tasks that the queue has forgotten."""
    with context.transaction() as db:
        forget_old(db, utcnow() - timedelta(hours=KEEP_HOURS))


def ask_for_support_ends(context: Context) -> None:
    """Have co-pilots told of support that ends soon, once a week."""
    with context.transaction() as db:
        staff_posts.ask_for_support_ends(db)


def warn_of_tokens(context: Context) -> None:
    """Have people told of tokens that end soon, once of each."""
    with context.transaction() as db:
        personal_tokens.ask_for_warnings(db)


SWEEPING: tuple[Step, ...] = (check_repositories, end_memberships)
TIDYING: tuple[Step, ...] = (
    redactions.tidy,
    clear_expired,
    forget_task_records,
    ask_for_support_ends,
    warn_of_tokens,
)


async def rescue(app: procrastinate.App) -> int:
    """Put back the tasks of workers that have died; how many."""
    rescued = 0
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE):
        # Another worker may have been quicker.
        with suppress(ProcrastinateException):
            await app.job_manager.retry_job(job)
            rescued += 1
            log.warning("task_rescued", task=job.task_name, task_id=job.id)
    return rescued
