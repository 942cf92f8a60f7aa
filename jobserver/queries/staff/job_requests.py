"""Job requests, as staff look for them (spec: staff 6.1, 17.40, 17.43).

Ids and identifiers are found by their beginnings, names by those of their words: all through indexes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, union
from sqlalchemy.orm import Session

from jobserver.models import Backend, JobRequest, Org, Project, ProjectCollaboration, User, Workspace
from jobserver.queries.event_logs import RequestRow, columns, still_going
from jobserver.queries.log_filters import STATUSES, has_status, identified, is_identifier_prefix
from jobserver.queries.path import as_id
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList
from jobserver.queries.words import has_words, words_in

LARGEST = 2**31
ACTIVE = "active"
_WORDS: Mapping[str, str] = {
    "nothing_to_do": "Nothing to do",
    **{status: status.capitalize() for status in STATUSES if status != "nothing_to_do"},
}


def _search(q: str) -> ColumnElement[bool]:
    """Each way to find it is a walk of its own along an index: together, row by row, they would cost more."""
    words = words_in(q)
    people = select(User.id).where(has_words(words, "username", "fullname"))
    projects = select(Project.id).where(has_words(words, "name", "slug"))
    orgs = select(Org.id).where(has_words(words, "name", "slug"))
    of_orgs = select(ProjectCollaboration.project_id).where(ProjectCollaboration.org_id.in_(orgs))
    places = union(
        select(Workspace.id).where(has_words(words, "name")), _in_projects(projects.union(of_orgs))
    )
    ways: list[Any] = [
        select(JobRequest.id).where(JobRequest.created_by_id.in_(people)),
        select(JobRequest.id).where(JobRequest.workspace_id.in_(places)),
    ]
    if is_identifier_prefix(q):
        ways.append(identified(q))
    if number := as_id(q):
        ways.append(select(JobRequest.id).where(_id_begins(number)))
    return JobRequest.id.in_(union(*ways))


def _id_begins(number: int) -> ColumnElement[bool]:
    """Ids whose digits begin with these, as the ranges that they lie in."""
    ranges, low, width = [], number, 1
    while low < LARGEST:
        ranges.append(JobRequest.id.between(low, min(low + width, LARGEST) - 1))
        low, width = low * 10, width * 10
    return or_(*ranges)


def _in_projects(ids: Any) -> Any:
    return select(Workspace.id).where(Workspace.project_id.in_(ids))


def _lower(values: Sequence[str]) -> list[str]:
    return [value.lower() for value in values]


def _by_backend(values: Sequence[str]) -> ColumnElement[bool]:
    return JobRequest.backend_id.in_(select(Backend.id).where(Backend.slug.in_(values)))


def _by_org(values: Sequence[str]) -> ColumnElement[bool]:
    theirs = select(ProjectCollaboration.project_id).join(Org, Org.id == ProjectCollaboration.org_id)
    return JobRequest.workspace_id.in_(_in_projects(theirs.where(Org.slug.in_(values))))


def _by_status(values: Sequence[str]) -> ColumnElement[bool]:
    return or_(*[still_going() if value == ACTIVE else has_status(value) for value in values])


def _by_user(values: Sequence[str]) -> ColumnElement[bool]:
    people = select(User.id).where(func.lower(User.username).in_(_lower(values)))
    return JobRequest.created_by_id.in_(people)


def _by_workspace(values: Sequence[str]) -> ColumnElement[bool]:
    places = select(Workspace.id).where(func.lower(Workspace.name).in_(_lower(values)))
    return JobRequest.workspace_id.in_(places)


def _by_project(values: Sequence[str]) -> ColumnElement[bool]:
    """By slug, or by number."""
    numbers = [value.upper() for value in values]
    chosen = select(Project.id).where(or_(Project.slug.in_(values), Project.number.in_(numbers)))
    return JobRequest.workspace_id.in_(_in_projects(chosen))


def _backends(db: Session) -> list[Option]:
    rows = db.execute(select(Backend.slug, Backend.name).order_by(func.lower(Backend.name)))
    return [Option(*row) for row in rows]


def _orgs(db: Session) -> list[Option]:
    rows = db.execute(select(Org.slug, Org.name).order_by(func.lower(Org.name)))
    return [Option(*row) for row in rows]


def _statuses(db: Session) -> list[Option]:
    going_on = db.scalar(select(func.count()).where(and_(still_going()))) or 0
    return [Option(ACTIVE, "Going on", going_on), *[Option(each, _WORDS[each]) for each in STATUSES]]


JOB_REQUESTS: StaffList[RequestRow] = StaffList(
    noun=("request",),
    id_column=JobRequest.id,
    columns=columns(),
    make=RequestRow,
    sorts=(
        Sort("newest", "Newest first", (JobRequest.id,), descending=True),
        Sort("oldest", "Oldest first", (JobRequest.id,)),
    ),
    header=("id", "status", "asked for", "by", "organisation", "project", "workspace", "backend", "actions"),
    cells=lambda row: (
        row.id,
        row.shown.word,
        row.created_at,
        row.username,
        row.org,
        row.project,
        row.workspace,
        row.backend,
        " ".join(row.requested_actions),
    ),
    search=_search,
    search_label="Number, identifier, person, workspace, project",
    filters=(
        Filter("backends", "Backend", _by_backend, _backends),
        Filter("status", "State", _by_status, _statuses),
        Filter("orgs", "Organisation", _by_org, _orgs),
        Filter("user", "Asked for by", _by_user, hint="A whole username"),
        Filter("workspace", "Workspace", _by_workspace, hint="Its whole name"),
        Filter("project", "Project", _by_project, hint="Its slug or number"),
    ),
)
