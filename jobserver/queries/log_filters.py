"""What a log of job requests can be narrowed by, as SQL (spec: pages 9 and 30.6 no. 63).

Every condition is answered from an index: an action through the small table of all names, an identifier by
its beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    union,
)
from sqlalchemy.orm import Session

from jobserver.models import ActionName, Backend, Job, JobRequest, Project, User, Workspace
from jobserver.models.job_request import ONLY_CANCELLED
from jobserver.queries.path import as_id
from jobserver.queries.people import has_taken_part
from jobserver.templating.times import end_of_day, start_of_day

STATUSES = ("pending", "running", "succeeded", "failed", "cancelled", "nothing_to_do", "unknown")
SHORTEST_IDENTIFIER = 4
SHORTEST_PART = 3
# Up to so many names of actions are handed over by themselves: the planner knows how often each of them ran.
FEW_NAMES = 100


@dataclass(frozen=True)
class Filters:
    """All of these hold for a request that is shown; what is empty does not matter.

    ``q``: a part of the name of an action that ran, the beginning of the identifier of the request or of a
    job, or the number of either. ``since`` and ``until`` are London days, both included, on which it was
    asked for. ``backends`` are slugs and ``statuses`` from :data:`STATUSES`, of which any will do.
    """

    q: str = ""
    action: str = ""
    statuses: Sequence[str] = ()
    backends: Sequence[str] = ()
    user: str = ""
    project: str = ""
    workspace: str = ""
    identifier: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Meant:
    """What the names in filters stand for: None, or no action, if nothing is called so."""

    user: str | None = None
    project: str | None = None
    workspace: str | None = None
    actions: Sequence[str] = ()
    q_actions: Sequence[str] = ()
    q_is_identifier: bool = False


def look_up(db: Session, filters: Filters) -> Meant:
    """Full name, names, the first :data:`FEW_NAMES` actions and one more if there are more: one statement."""
    asked: dict[str, Any] = {
        # Who has never taken part is not known to the public, so not to a filter either.
        "user": filters.user and _user(filters, User.fullname).where(has_taken_part()),
        "project": filters.project and _project(filters, Project.name),
        "workspace": filters.workspace and _workspace(filters, Workspace.name),
        "actions": filters.action and _few_names(filters.action),
        "q_actions": filters.q and _few_names(filters.q),
    }
    columns = [each.scalar_subquery().label(name) for name, each in asked.items() if each != ""]
    if is_identifier_prefix(filters.q):
        columns.append(exists(identified(filters.q).subquery().select()).label("q_is_identifier"))
    if not columns:
        return Meant()
    row = db.execute(select(*columns)).one()
    return Meant(**{name: value for name, value in row._asdict().items() if value is not None})


def conditions(
    filters: Filters, meant: Meant, *, workspace_id: int | None = None
) -> list[ColumnElement[bool]]:
    """What a request fulfils that the filters let through. ``workspace_id``: all of the log is in it."""
    found: list[ColumnElement[bool]] = []
    if filters.q:
        found.append(or_(*_matches(filters.q, meant, workspace_id)))
    if filters.action:
        found.append(_ran(filters.action, meant.actions, workspace_id))
    if filters.statuses:
        found.append(or_(false(), *[has_status(status) for status in filters.statuses]))
    if filters.backends:
        theirs = select(Backend.id).where(Backend.slug.in_(filters.backends))
        found.append(JobRequest.backend_id.in_(theirs))
    if filters.user:
        found.append(JobRequest.created_by_id == _user(filters, User.id).scalar_subquery())
    if filters.project:
        project = _project(filters, Project.id).scalar_subquery()
        found.append(JobRequest.workspace_id.in_(select(Workspace.id).where(Workspace.project_id == project)))
    if filters.workspace:
        found.append(JobRequest.workspace_id == _workspace(filters, Workspace.id).scalar_subquery())
    if filters.identifier:
        found.append(JobRequest.id.in_(identified(filters.identifier)))
    if filters.since:
        found.append(JobRequest.created_at >= start_of_day(filters.since))
    if filters.until:
        found.append(JobRequest.created_at < end_of_day(filters.until))
    return found


def _user(filters: Filters, column: Any) -> Select[Any]:
    return select(column).where(func.lower(User.username) == filters.user.lower())


def _project(filters: Filters, column: Any) -> Select[Any]:
    return select(column).where(Project.slug == filters.project)


def _workspace(filters: Filters, column: Any) -> Select[Any]:
    return select(column).where(Workspace.name == filters.workspace.lower())


def _names(part: str) -> Select[str]:
    return select(ActionName.name).where(ActionName.name.icontains(part, autoescape=True))


def _few_names(part: str) -> Select[list[str]]:
    few = _names(part).limit(FEW_NAMES + 1).subquery()
    return select(func.array_agg(few.c.name))


def _matches(q: str, meant: Meant, workspace_id: int | None) -> list[ColumnElement[bool]]:
    found = [_ran(q, meant.q_actions, workspace_id)]
    if meant.q_is_identifier:
        found.append(JobRequest.id.in_(identified(q)))
    number = as_id(q)
    if number is not None:
        found.append(JobRequest.id == number)
        found.append(JobRequest.id.in_(select(Job.job_request_id).where(Job.id == number)))
    return found


def _ran(part: str, names: Sequence[str], workspace_id: int | None) -> ColumnElement[bool]:
    """Whether an action ran whose name has this part. ``names``: the few there are, or more than a few."""
    if not names:
        return false()
    jobs = select(Job.job_request_id)
    if workspace_id is not None:
        jobs = jobs.where(Job.workspace_id == workspace_id)
    if len(names) <= FEW_NAMES:
        # Written out: only then does the planner know how often just these actions ran.
        few: Any = bindparam(None, list(names), expanding=True, literal_execute=True)
        return JobRequest.id.in_(jobs.where(Job.action.in_(few)))
    many = any_(func.array(_names(part).scalar_subquery(), type_=ARRAY(Text)))
    # Not as a join: the planner cannot know how many jobs these are, and one pass is never bad.
    return or_(JobRequest.id.in_(jobs.where(Job.action == many)), JobRequest.id == 0)


def is_identifier_prefix(q: str) -> bool:
    """Whether the text can begin an identifier and is long enough to look for."""
    return len(q) >= SHORTEST_IDENTIFIER and q.isascii() and q.isalnum()


def identified(prefix: str) -> CompoundSelect[int]:
    """Ids of requests whose own identifier, or that of one of whose jobs, begins so."""
    start = prefix.lower()
    return union(
        select(JobRequest.id).where(begins_with(JobRequest.identifier, start)),
        select(Job.job_request_id).where(begins_with(Job.identifier, start)),
    )


def begins_with(column: Any, start: str) -> ColumnElement[bool]:
    """Whether a column that has an index for it begins with these ASCII characters, of which there is one."""
    after = start[:-1] + chr(ord(start[-1]) + 1)
    # The comparisons of the prefix index; LIKE would use it only where the pattern is known when it plans.
    from_start: ColumnElement[bool] = column.op("~>=~", is_comparison=True)(start)
    return and_(from_start, column.op("~<~", is_comparison=True)(after))


def has_status(status: str) -> ColumnElement[bool]:
    """A request that pages show so: cancelled is failed only through cancelling, failed is every other."""
    cancelled: ColumnElement[bool] = literal_column(f"({ONLY_CANCELLED})", Boolean)
    if status == "cancelled":
        return cancelled
    if status == "failed":
        return and_(JobRequest.status == status, not_(cancelled))
    if status == "unknown":
        return JobRequest.status.in_(("unknown", "unknown_error_creating_jobs"))
    return JobRequest.status == status
