"""The task queue: a task exists exactly if the transaction that asked for it committed.

Tasks are named here and implemented in :mod:`jobserver.tasks`; whoever defers one needs
only its name. The queue lives in the same PostgreSQL (procrastinate), so that no second
server can disagree with the first.
"""

from enum import StrEnum
from typing import Any

import procrastinate
from sqlalchemy import text
from sqlalchemy.orm import Session

STATUS_SERVICE_CHANNEL = "jobserver_rap_wake"


class Task(StrEnum):
    """Every background task, by name."""

    SUBMIT_JOB_REQUEST = "submit_job_request"
    SEND_CANCELLATION = "send_cancellation"
    MAIL_FIRST_FAILURE = "mail_first_failure"
    MAIL_REQUEST_ENDED = "mail_request_ended"
    MAIL_EMAIL_CHANGE = "mail_email_change"
    MAIL_EMAIL_CHANGE_NOTICE = "mail_email_change_notice"
    ANNOUNCE_NEW_USER = "announce_new_user"
    CHECK_REPOSITORY = "check_repository"
    RELEASE_REQUEST_ISSUE = "release_request_issue"
    RELEASE_REQUEST_POST = "release_request_post"
    RELEASE_REQUEST_MAIL = "release_request_mail"
    MAIL_LEVEL4_TOKEN_CREATED = "mail_level4_token_created"  # noqa: S105
    MAIL_LEVEL4_TOKEN_USED = "mail_level4_token_used"  # noqa: S105
    MAIL_LEVEL4_TOKEN_VOID = "mail_level4_token_void"  # noqa: S105


QUEUES = {
    Task.SUBMIT_JOB_REQUEST: "rap",
    Task.SEND_CANCELLATION: "rap",
}

# Tasks of one kind that wait for each other: however slow GitHub is, they never hold up the rest.
LOCKS = {Task.CHECK_REPOSITORY: "check_repository"}

# Deferring through a session's own connection needs no connector of its own.
_deferrer = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def defer(session: Session, task: Task, *, in_order_of: str | None = None, **arguments: Any) -> None:
    """Ask for a task within the session's transaction; ``arguments`` must be JSON.

    Tasks ``in_order_of`` the same thing are done one after the other, in the order in which they were asked
    for: one that has to be tried again holds up those behind it.
    """
    connection = session.connection().connection.dbapi_connection
    _deferrer.configure_task(
        task.value,
        queue=QUEUES.get(task, "default"),
        lock=in_order_of or LOCKS.get(task),
        allow_unknown=True,
        connection=connection,
    ).defer(**arguments)


def wake_status_service(session: Session) -> None:
    """Have the RAP status service start its next round once this transaction commits."""
    session.execute(text(f"NOTIFY {STATUS_SERVICE_CHANNEL}"))
