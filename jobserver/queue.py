"""The task queue: a task exists exactly if the transaction that asked for it committed.

Tasks are named here and implemented in :mod:`jobserver.tasks`; whoever defers one needs
only its name. The queue lives in the same PostgreSQL (procrastinate), so that no second
server can disagree with the first.
"""

from enum import StrEnum
from typing import Any

import procrastinate
from sqlalchemy import BigInteger, DateTime, Integer, Text, column, table, text
from sqlalchemy.dialects.postgresql import ENUM, JSONB
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
    ANNOUNCE_PROJECT = "announce_project"
    ANNOUNCE_SUPPORT_ENDS = "announce_support_ends"
    CHECK_REPOSITORY = "check_repository"
    MAIL_REPO_SIGNED_OFF = "mail_repo_signed_off"
    MAIL_REPO_WITH_OUTPUTS = "mail_repo_with_outputs"
    ANNOUNCE_REPO_SIGNED_OFF = "announce_repo_signed_off"
    REPO_SIGN_OFF_ISSUE = "repo_sign_off_issue"
    RELEASE_REQUEST_ISSUE = "release_request_issue"
    RELEASE_REQUEST_POST = "release_request_post"
    RELEASE_REQUEST_MAIL = "release_request_mail"
    MAIL_ROLES_GIVEN = "mail_roles_given"
    MAIL_LEVEL4_TOKEN_CREATED = "mail_level4_token_created"  # noqa: S105
    MAIL_LEVEL4_TOKEN_USED = "mail_level4_token_used"  # noqa: S105
    MAIL_LEVEL4_TOKEN_VOID = "mail_level4_token_void"  # noqa: S105
    MAIL_TOKEN_ENDS = "mail_token_ends"  # noqa: S105
    CANCEL_REQUESTS = "cancel_requests"
    MAIL_ANNOUNCEMENT = "mail_announcement"
    REMOVE_REDACTED_FILE = "remove_redacted_file"
    MAIL_FILE_REDACTED = "mail_file_redacted"
    MAIL_PUBLISH_REQUEST = "mail_publish_request"
    MAIL_PUBLISH_DECISION = "mail_publish_decision"


QUEUES = {
    Task.SUBMIT_JOB_REQUEST: "rap",
    Task.SEND_CANCELLATION: "rap",
    Task.CANCEL_REQUESTS: "rap",
}

# Tasks of one kind that wait for each other: however slow GitHub is, they never hold up the rest.
LOCKS = {Task.CHECK_REPOSITORY: "check_repository"}

_STATE = ENUM(name="procrastinate_job_status", create_type=False)
_HAPPENED = ENUM(name="procrastinate_job_event_type", create_type=False)
# The queue's own tables, as far as pages show them. Procrastinate writes to them, but for what is below.
JOBS = table(
    "procrastinate_jobs",
    column("id", BigInteger),
    column("task_name", Text),
    column("args", JSONB),
    column("status", _STATE),
    column("scheduled_at", DateTime(timezone=True)),
    column("attempts", Integer),
)
EVENTS = table(
    "procrastinate_events",
    column("id", BigInteger),
    column("job_id", BigInteger),
    column("type", _HAPPENED),
    column("at", DateTime(timezone=True)),
)
WORKERS = table("procrastinate_workers", column("last_heartbeat", DateTime(timezone=True)))

_CLAIM = text(
    "INSERT INTO task_record (key, job_id, created_at) VALUES (:key, :job, now())"
    " ON CONFLICT (key) DO NOTHING RETURNING id"
)
_TAKE_BACK = text("DELETE FROM procrastinate_jobs WHERE id = :job")
_RETRY = text(
    "SELECT procrastinate_retry_job_v2(CAST(:job AS bigint), now(), CAST(NULL AS integer),"
    " CAST(NULL AS varchar), CAST(NULL AS varchar))"
)
_BEGIN_ANEW = text("UPDATE procrastinate_jobs SET attempts = 0 WHERE id = :job")

# Deferring through a session's own connection needs no connector of its own.
_deferrer = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def defer(
    session: Session, task: Task, *, key: str | None = None, in_order_of: str | None = None, **arguments: Any
) -> bool:
    """Ask for a task within the session's transaction; ``arguments`` must be JSON. Whether it was asked for.

    ``key`` names the cause: a task of this kind is asked for once for each, whoever else asks at the same
    time or later. Tasks ``in_order_of`` the same thing are done one after the other, in the order in which
    they were asked for: one that has to be tried again holds up those behind it.
    """
    connection = session.connection().connection.dbapi_connection
    job_id = _deferrer.configure_task(
        task.value,
        queue=QUEUES.get(task, "default"),
        lock=in_order_of or LOCKS.get(task),
        allow_unknown=True,
        connection=connection,
    ).defer(**arguments)
    if key is None:
        return True
    # Whoever claims the same cause at this moment is waited for.
    claimed = session.execute(_CLAIM, {"key": f"{task.value}:{key}", "job": job_id}).scalar() is not None
    if not claimed:
        # Nobody has seen it.
        session.execute(_TAKE_BACK, {"job": job_id})
    return claimed


def retry(session: Session, job_id: int) -> None:
    """Have a failed task tried again, at once and as often as a new one.

    The caller holds its row and knows that it has failed: PostgreSQL refuses any other.
    """
    session.execute(_RETRY, {"job": job_id})
    session.execute(_BEGIN_ANEW, {"job": job_id})


def wake_status_service(session: Session) -> None:
    """Have the RAP status service start its next round once this transaction commits."""
    session.execute(text(f"NOTIFY {STATUS_SERVICE_CHANNEL}"))
