"""What the page of a workspace shows (spec: pages 15.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, true, union
from sqlalchemy.orm import Session

from jobserver.models import Backend, Job, JobRequest, Repo, User, Workspace, utcnow
from jobserver.queries import activity, asking, event_logs
from jobserver.queries.activity import FirstRun, Quarter
from jobserver.queries.backends import BackendRow
from jobserver.queries.output_pages import CameOut, came_out_of_workspace
from jobserver.templating.states import STATES, State, state_of

LATEST = 6
# So many of the last requests are drawn, and as many of those that go on are listed.
DRAWN = 12
RESULTS = 100
MOST_ACTIONS = 5000
# Code has to be public a year after it first ran; a reminder is shown from here on (spec: domain 3.11).
PRIVATE_FOR_LONG = timedelta(days=330)
MUST_BE_PUBLIC_AFTER = timedelta(days=365)


@dataclass(frozen=True)
class LastResult:
    """The last job of one action on one backend."""

    action: str
    identifier: str
    job_request_id: int
    backend: str
    status: str
    status_code: str
    state: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @property
    def shown(self) -> State:
        """The state as pages show it."""
        return state_of(self.status, self.status_code)

    @property
    def is_active(self) -> bool:
        """Whether the job may still move."""
        return self.state in {"pending", "running"}

    @property
    def at(self) -> datetime:
        """When it ended; when it started if it goes on; when it was made if it never started."""
        ended = None if self.is_active else self.completed_at
        return ended or self.started_at or self.created_at

    def took(self, now: datetime) -> timedelta | None:
        """How long it has run; None if it never started."""
        until = now if self.is_active else self.completed_at
        if self.started_at is None or until is None:
            return None
        return max(until - self.started_at, timedelta())


@dataclass(frozen=True)
class Facts:
    """Who made the workspace, how many requests it has, the last 90 days, and what came out."""

    creator: str
    total: int
    quarter: Quarter
    out: CameOut


@dataclass(frozen=True)
class Summary:
    """The part of the page that changes."""

    requests: Sequence[event_logs.RequestRow]
    results: Sequence[LastResult]
    facts: Facts

    @property
    def going_on(self) -> list[event_logs.RequestRow]:
        """The newest of those of which there may still be news."""
        return [row for row in self.requests if row.is_followed][:LATEST]

    @property
    def youngest(self) -> datetime | None:
        """When the newest request that goes on was made; None if nothing goes on."""
        return max((row.created_at for row in self.requests if row.is_followed), default=None)

    @property
    def latest(self) -> Sequence[event_logs.RequestRow]:
        """The newest few."""
        return self.requests[:LATEST]

    def drawn(self, now: datetime) -> list[tuple[str, float | None]]:
        """The last requests as a history shows them, oldest first: state and seconds."""
        marks = []
        for row in reversed(self.requests[:DRAWN]):
            took = row.took(now)
            name = "cancelled" if row.shown is STATES["cancelled"] else row.status
            marks.append((name, took.total_seconds() if took is not None else None))
        return marks


def version(db: Session, workspace_id: int) -> tuple[tuple[int, int], ...]:
    """What tells one state of the summary from another, besides the time: every change of a job counts
    its request's version up."""
    statement = select(JobRequest.id, JobRequest.version).where(_shown(workspace_id)).order_by(JobRequest.id)
    return tuple((id_, number) for id_, number in db.execute(statement))


def summary(db: Session, workspace: Workspace) -> Summary:
    """What goes on, the newest requests and the last result of each action."""
    return Summary(
        requests=event_logs.newest(db, _shown(workspace.id), limit=2 * DRAWN),
        results=last_results(db, workspace.id),
        facts=facts(db, workspace),
    )


def _shown(workspace_id: int) -> ColumnElement[bool]:
    """Of requests: the newest ones of the workspace, and the newest of those that go on."""
    here = select(JobRequest.id).where(JobRequest.workspace_id == workspace_id)
    newest = here.order_by(JobRequest.id.desc()).limit(DRAWN).subquery()
    active = here.where(event_logs.still_going()).order_by(JobRequest.id.desc()).limit(DRAWN).subquery()
    return JobRequest.id.in_(union(select(newest.c.id), select(active.c.id)))


def facts(db: Session, workspace: Workspace) -> Facts:
    """The facts about the workspace that are not on its row."""
    creator = select(User.fullname).where(User.id == workspace.created_by_id).scalar_subquery()
    total = (
        select(func.count())
        .select_from(JobRequest)
        .where(JobRequest.workspace_id == workspace.id)
        .scalar_subquery()
    )
    quarter = activity.quarter_columns(workspace.id, utcnow()).subquery()
    out = came_out_of_workspace(workspace.id)
    row = db.execute(select(creator, total, *quarter.c, *out)).one()
    creator_name, number, requests, succeeded, failed, seconds, *came_out = row
    quarter_facts = Quarter(requests, succeeded, failed, float(seconds))
    return Facts(creator_name, number, quarter_facts, CameOut(*came_out))


# In the order of LastResult's fields.
_RESULT: tuple[Any, ...] = (
    Job.action,
    Job.identifier,
    Job.job_request_id,
    Backend.name,
    Job.status,
    Job.status_code,
    Job.state,
    Job.created_at,
    Job.started_at,
    Job.completed_at,
)


def last_results(db: Session, workspace_id: int, limit: int = RESULTS) -> list[LastResult]:
    """The last job of each action on each backend, by action; the most recent ones if there are many."""
    last = _last_jobs(workspace_id)
    newest = select(last.c.id).order_by(last.c.created_at.desc(), last.c.id.desc()).limit(limit).subquery()
    statement = (
        select(*_RESULT).join(newest, newest.c.id == Job.id).join(Backend, Backend.id == Job.backend_id)
    )
    found = [LastResult(*row) for row in db.execute(statement)]
    return sorted(found, key=lambda row: (row.action, row.backend.lower()))


def _last_jobs(workspace_id: int) -> Any:
    """The last job of each action on each backend, for at most :data:`MOST_ACTIONS` of them.

    Steps along the index from one action to the next, so that it does not matter how many jobs each has.
    """
    own = (Job.backend_id, Job.action, Job.created_at, Job.id)
    first = (
        select(*own)
        .where(Job.workspace_id == workspace_id)
        .order_by(Job.backend_id, Job.action, Job.created_at.desc(), Job.id.desc())
        .limit(1)
    )
    start = first.subquery()
    last = select(*start.c, literal(1).label("step")).cte("last", recursive=True)
    following = first.where(
        func.row(Job.backend_id, Job.action) > func.row(last.c.backend_id, last.c.action)
    ).lateral("following")
    step = select(*following.c, last.c.step + 1).select_from(last).join(following, true())
    return last.union_all(step.where(last.c.step < MOST_ACTIONS))


def private_for_long(db: Session, repo: Repo, now: datetime) -> FirstRun | None:
    """When the code of the repository first ran, if that is long ago and the repository is still private."""
    if not repo.is_private:
        return None
    first = activity.first_run(db, Workspace.repo_id == repo.id)
    return first if first is not None and now - first.at > PRIVATE_FOR_LONG else None


def why_not_run(
    workspace: Workspace,
    *,
    may_run: bool,
    offered: Sequence[BackendRow],
    usable: Sequence[BackendRow],
    support: str,
) -> str | None:
    """Why nothing can be run in the workspace by somebody and whom to ask, or None if it can be.

    ``offered`` are the person's backends that are in use, ``usable`` those of them for which new requests can
    be made just now. The first reason that applies is given (spec: access 3). ``support``: where to ask.
    """
    if workspace.is_archived:
        return "The workspace is archived. Nothing new can be run in it."
    if not may_run:
        givers = asking.givers_of_project_roles()
        return (
            "You are a member, but not a Project Developer, of this project. "
            f"That role is given by {givers}: {support}."
        )
    if not offered:
        givers = asking.givers_of_the_rest()
        return f"You have no backend to run jobs on yet. Access is given by {givers}: {support}."
    if not usable:
        names = " and ".join(row.backend.name for row in offered)
        reasons = [row.backend.creation_pause_reason for row in offered if row.takes_no_requests]
        return " ".join([f"New job requests on {names} are switched off just now.", *reasons])
    return None
