"""The tasks as the queue knows them."""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import procrastinate
import structlog
from sqlalchemy.exc import SQLAlchemyError

from jobserver.actions.tasks import note_failure
from jobserver.rap.context import Context
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.failing import words_of
from jobserver.tasks.retrying import BackOff

log = structlog.get_logger(__name__)


def build(context: Context) -> procrastinate.App:
    """An application whose tasks work with this context."""
    conninfo = context.settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo,
        min_size=1,
        max_size=4,
        timeout=10,
        kwargs={"application_name": "jobserver-worker", "connect_timeout": 5},
    )
    app = procrastinate.App(connector=connector)
    for task, deliver in DELIVERIES.items():
        app.task(name=task.value, pass_context=True, retry=BackOff())(_task(context, deliver))
    return app


def _task(context: Context, deliver: Callable[..., None]) -> Callable[..., Awaitable[None]]:
    async def run(job: procrastinate.JobContext, **arguments: Any) -> None:
        def call() -> None:
            with structlog.contextvars.bound_contextvars(task=job.job.task_name, task_id=job.job.id):
                try:
                    deliver(context, **arguments)
                except Exception as error:
                    _note(context, job.job.id, error)
                    raise

        await in_thread(call)

    return run


def _note(context: Context, job_id: int | None, error: Exception) -> None:
    """Keep what went wrong. If even that fails, the log has both."""
    if job_id is None:
        return
    words = words_of(error, context.settings)
    log.info("task_failed", reason=words)
    try:
        with context.transaction() as db:
            note_failure(db, job_id, words)
    except SQLAlchemyError:
        log.warning("task_failure_not_kept", exc_info=True)


async def in_thread(function: Callable[[], object]) -> None:
    """Run it in a thread that does not keep the process alive: a stopping worker does not wait for it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            function()
        except BaseException as raised:
            error = raised
        # The loop may be gone: the worker was told to stop and did not wait.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, error)

    variables = contextvars.copy_context()
    threading.Thread(target=variables.run, args=(run,), daemon=True).start()
    await done
