"""Deliveries: what the queue is to do, did, or could not do, and about what (spec: operations 4.1).

Repositories are checked every hour, which says for itself how it went: those checks are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Text, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    Cancellation,
    JobRequest,
    Project,
    PublishRequest,
    ReleaseFile,
    ReleaseRequest,
    ReleaseRequestEvent,
    Repo,
    Snapshot,
    TaskRecord,
    User,
    Workspace,
    utcnow,
)
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList
from jobserver.queue import EVENTS, JOBS, Task

KINDS: dict[str, str] = {
    Task.SUBMIT_JOB_REQUEST: "Hand a job request to its backend",
    Task.SEND_CANCELLATION: "Pass on a cancellation",
    Task.MAIL_FIRST_FAILURE: "Mail: a job failed",
    Task.MAIL_REQUEST_ENDED: "Mail: a job request ended",
    Task.MAIL_EMAIL_CHANGE: "Mail: confirm a new email address",
    Task.MAIL_EMAIL_CHANGE_NOTICE: "Mail: an email address is to change",
    Task.ANNOUNCE_NEW_USER: "Slack: somebody new signed in",
    Task.ANNOUNCE_PROJECT: "Slack: a new project with a co-pilot",
    Task.ANNOUNCE_SUPPORT_ENDS: "Slack: support by co-pilots that ends soon",
    Task.CANCEL_REQUESTS: "Cancel job requests of a backend",
    Task.MAIL_ANNOUNCEMENT: "Mail: what happened at a backend",
    Task.MAIL_ROLES_GIVEN: "Mail: somebody was given a role",
    Task.MAIL_REPO_SIGNED_OFF: "Mail: a researcher signed off a repository",
    Task.MAIL_REPO_WITH_OUTPUTS: "Mail: a repository with outputs on GitHub was signed off",
    Task.ANNOUNCE_REPO_SIGNED_OFF: "Slack: a researcher signed off a repository",
    Task.REPO_SIGN_OFF_ISSUE: "GitHub: ask for a repository to be made public",
    Task.RELEASE_REQUEST_ISSUE: "GitHub: issue of a release request",
    Task.RELEASE_REQUEST_POST: "Slack: a release request moved on",
    Task.RELEASE_REQUEST_MAIL: "Mail: a release request moved on",
    Task.MAIL_PUBLISH_REQUEST: "Mail: outputs wait to be published",
    Task.MAIL_PUBLISH_DECISION: "Mail: what became of outputs to be published",
    Task.MAIL_LEVEL4_TOKEN_CREATED: "Mail: a login token was made",
    Task.MAIL_LEVEL4_TOKEN_USED: "Mail: a login token was used",
    Task.MAIL_LEVEL4_TOKEN_VOID: "Mail: a login token was stopped",
    Task.MAIL_TOKEN_ENDS: "Mail: a token for programs ends soon",
    Task.REMOVE_REDACTED_FILE: "Remove the bytes of a redacted file",
    Task.MAIL_FILE_REDACTED: "Mail: a released file was redacted",
}
LEFT_OUT = frozenset({Task.CHECK_REPOSITORY})
STATES = {
    "pending": ("Pending", ("todo", "doing")),
    "failed": ("Failed", ("failed", "cancelled", "aborting", "aborted")),
    "delivered": ("Delivered", ("succeeded",)),
}
TIMES = {
    "hour": ("The last hour", timedelta(hours=1)),
    "day": ("The last day", timedelta(days=1)),
    "week": ("The last week", timedelta(days=7)),
    "month": ("The last 30 days", timedelta(days=30)),
}


def words_of(task: str) -> str:
    """The kind of task as people call it."""
    return KINDS.get(task) or task.replace("_", " ").capitalize()


@dataclass(frozen=True)
class TaskRow:
    """A task: its kind, what it is about, where it stands. ``attempts`` since it was last asked for."""

    id: int
    task: str
    status: str
    attempts: int
    next_at: datetime | None
    asked_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None
    failed_at: datetime | None
    username: str | None
    job_request_id: int | None
    workspace: str | None
    release_request_id: str | None
    repo_url: str | None
    project: str | None
    backend: str | None

    @property
    def kind(self) -> str:
        """What is to be done, in words."""
        return words_of(self.task)

    @property
    def state(self) -> str:
        """``pending``, ``failed`` or ``delivered``."""
        return next(name for name, (_, statuses) in STATES.items() if self.status in statuses)

    @property
    def about(self) -> list[tuple[str, tuple[str, ...]]]:
        """Whom and what it is about, each with the names of its staff page."""
        found: list[tuple[str, tuple[str, ...]]] = []
        if self.username:
            found.append((self.username, ("users", self.username)))
        if self.job_request_id:
            found.append((f"Job request {self.job_request_id}", ("job-requests", str(self.job_request_id))))
        if self.release_request_id:
            found.append((f"Release request {self.release_request_id}", ()))
        if self.workspace:
            found.append((self.workspace, ("workspaces", self.workspace)))
        if self.repo_url:
            owner, name = self.repo_url.split("/")[3:5]
            found.append((name, ("repos", owner, name)))
        if self.project:
            found.append((self.project, ("projects", self.project)))
        if self.backend:
            found.append((self.backend, ()))
        return found


def _number(name: str) -> ColumnElement[int | None]:
    # Whatever a task was asked for with, the page is made.
    given = JOBS.c.args[name].astext
    return case((given.regexp_match("^[0-9]{1,9}$"), cast(given, Integer)))


def _one(column: Any, *conditions: ColumnElement[bool]) -> Any:
    return select(column).where(*conditions).correlate(JOBS).scalar_subquery()


def _happened(type_: str) -> Any:
    return _one(func.max(EVENTS.c.at), EVENTS.c.job_id == JOBS.c.id, EVENTS.c.type == type_)


_REQUEST_ID = func.coalesce(
    _number("job_request_id"),
    _one(Cancellation.job_request_id, Cancellation.id == _number("cancellation_id")),
)
_RELEASE_REQUEST_ID = _one(
    ReleaseRequestEvent.release_request_id, ReleaseRequestEvent.id == _number("event_id")
)
_WORKSPACE = func.coalesce(
    _one(Workspace.name, JobRequest.id == _REQUEST_ID, Workspace.id == JobRequest.workspace_id),
    _one(
        Workspace.name,
        ReleaseRequest.id == _RELEASE_REQUEST_ID,
        Workspace.id == ReleaseRequest.workspace_id,
    ),
    _one(
        Workspace.name,
        ReleaseFile.id == JOBS.c.args["file_id"].astext,
        Workspace.id == ReleaseFile.workspace_id,
    ),
    _one(
        Workspace.name,
        PublishRequest.id == _number("publish_request_id"),
        Snapshot.id == PublishRequest.snapshot_id,
        Workspace.id == Snapshot.workspace_id,
    ),
)
_IS_LISTED = and_(*[JOBS.c.task_name != each.value for each in LEFT_OUT])


def _in_state(values: Sequence[str]) -> ColumnElement[bool]:
    statuses = [status for value in values for status in STATES[value][1]]
    return or_(*[JOBS.c.status == status for status in statuses])


def _asked_since(values: Sequence[str]) -> ColumnElement[bool]:
    since = utcnow() - max(TIMES[value][1] for value in values)
    # Numbers rise with time: the first one asked for since then begins what is wanted.
    first = (
        select(EVENTS.c.job_id)
        .where(EVENTS.c.type == "deferred", EVENTS.c.at >= since)
        .order_by(EVENTS.c.at)
        .limit(1)
    )
    return JOBS.c.id >= func.coalesce(first.scalar_subquery(), literal(2**62, BigInteger))


def _states(db: Session) -> list[Option]:
    # Of those delivered there may be hundreds of thousands: they are not counted.
    open_ones = or_(*[JOBS.c.status == each for name in ("pending", "failed") for each in STATES[name][1]])
    counted = select(cast(JOBS.c.status, Text), func.count()).where(_IS_LISTED, open_ones)
    found: dict[str, int] = {row[0]: row[1] for row in db.execute(counted.group_by(JOBS.c.status))}
    return [
        Option(name, label, None if name == "delivered" else sum(found.get(status, 0) for status in statuses))
        for name, (label, statuses) in STATES.items()
    ]


def _kinds(_db: Session) -> list[Option]:
    return sorted(
        (Option(task.value, words_of(task.value)) for task in Task if task not in LEFT_OUT),
        key=lambda option: option.label,
    )


TASKS: StaffList[TaskRow] = StaffList(
    noun=("delivery", "deliveries"),
    id_column=JOBS.c.id,
    columns=select(
        JOBS.c.id,
        JOBS.c.task_name,
        cast(JOBS.c.status, Text),
        JOBS.c.attempts,
        JOBS.c.scheduled_at,
        _happened("deferred"),
        _happened("succeeded"),
        TaskRecord.last_error,
        TaskRecord.failed_at,
        _one(User.username, User.id == _number("user_id")),
        _REQUEST_ID,
        _WORKSPACE,
        _RELEASE_REQUEST_ID,
        _one(Repo.url, Repo.id == _number("repo_id")),
        _one(Project.slug, Project.id == _number("project_id")),
        _one(Backend.name, Backend.id == _number("backend_id")),
    ).select_from(JOBS.outerjoin(TaskRecord.__table__, TaskRecord.job_id == JOBS.c.id)),
    make=TaskRow,
    sorts=(Sort("newest", "Newest first", (), descending=True), Sort("oldest", "Oldest first", ())),
    header=("number", "state", "kind", "about", "asked for", "attempts", "next try", "last error", "failed"),
    cells=lambda row: (
        row.id,
        row.state,
        row.kind,
        ", ".join(words for words, _ in row.about),
        row.asked_at,
        row.attempts,
        row.next_at if row.state == "pending" else None,
        row.last_error or "",
        row.failed_at,
    ),
    filters=(
        Filter("state", "State", _in_state, _states),
        Filter("kind", "Kind", lambda values: JOBS.c.task_name.in_(values), _kinds),
        Filter(
            "asked",
            "Asked for",
            _asked_since,
            lambda _: [Option(name, label) for name, (label, _) in TIMES.items()],
        ),
    ),
    conditions=(_IS_LISTED,),
)


def failed_kinds(db: Session) -> list[Option]:
    """The kinds of which some have failed, with how many."""
    counted = select(JOBS.c.task_name, func.count()).where(_IS_LISTED, JOBS.c.status == "failed")
    rows = db.execute(counted.group_by(JOBS.c.task_name).order_by(JOBS.c.task_name))
    return [Option(row[0], words_of(row[0]), row[1]) for row in rows]
