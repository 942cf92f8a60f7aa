"""Finding things by what people have at hand: names, numbers, identifiers, commits (spec: pages 30.7 no. 68).

Names are found by the beginnings of their words, through the indexes on the words of a column. A number or an
identifier that names one thing is answered by the path to it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import Job, JobRequest, Org, Project, User, Workspace
from jobserver.queries.log_filters import begins_with, is_identifier_prefix
from jobserver.queries.path import as_id
from jobserver.queries.people import has_taken_part
from jobserver.queries.words import has_words, words_in

FEW, MANY = 10, 100
LONGEST = 200
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Hit:
    """One thing that was found: its name, the path to it, and what tells it from others."""

    name: str
    path: tuple[str, ...]
    about: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Hits:
    """What was found of one kind: the best of them, and how many there are."""

    kind: str
    rows: Sequence[Hit]
    total: int


def the_one(db: Session, q: str) -> tuple[str, ...] | None:
    """The path to the request or the job of just this number or identifier, if there is one."""
    number = as_id(q)
    if number is not None:
        return _path(db, _requests().where(JobRequest.id == number))
    if len(q) != 16 or not is_identifier_prefix(q):
        return None
    identifier = q.lower()
    job = _requests().add_columns(Job.identifier).join(Job, Job.job_request_id == JobRequest.id)
    return _path(db, job.where(Job.identifier == identifier)) or _path(
        db, _requests().where(JobRequest.identifier == identifier)
    )


def _path(db: Session, statement: Select[Any]) -> tuple[str, ...] | None:
    row = db.execute(statement).one_or_none()
    return tuple(str(name) for name in row) if row else None


def search(db: Session, q: str, *, kind: str | None = None) -> list[Hits]:
    """What is found, by kind, best first: :data:`FEW` of each kind, or :data:`MANY` of only one."""
    q = q.strip()[:LONGEST]
    found = []
    for name, make in KINDS.items():
        statement = make(q) if kind in (None, name) else None
        if statement is not None:
            rows = db.execute(statement.limit(MANY if kind else FEW)).all()
            if rows:
                found.append(Hits(name, [_HIT[name](row) for row in rows], rows[0].total))
    return found


def _total() -> ColumnElement[int]:
    return func.count().over().label("total")


def _best_first(q: str, *columns: Any) -> list[Any]:
    """What is called just so, then what begins so, then the rest by name."""
    name = [func.lower(column) for column in columns]
    is_it = or_(*[each == q.lower() for each in name])
    begins = or_(*[each.startswith(q.lower(), autoescape=True) for each in name])
    return [case((is_it, 0), (begins, 1), else_=2), name[0]]


def _of_projects(q: str) -> Any:
    words = words_in(q)
    if not words:
        return None
    named = select(Project.id).where(has_words(words, "name", "slug"))
    numbered = select(Project.id).where(Project.number == q.upper())
    return (
        select(Project.name, Project.slug, Project.number, Org.slug.label("org"), Org.name.label("org_name"))
        .add_columns(_total())
        .join(Org, Org.id == Project.org_id)
        .where(Project.id.in_(named.union(numbered)))
        .order_by(*_best_first(q, Project.name, Project.slug, func.coalesce(Project.number, "")))
    )


def _of_workspaces(q: str) -> Any:
    words = words_in(q)
    if not words:
        return None
    named = select(Workspace.id).where(has_words(words, "name"))
    return (
        select(Workspace.name, Workspace.is_archived, Project.slug.label("project"))
        .add_columns(Project.name.label("project_name"), Org.slug.label("org"), Org.name.label("org_name"))
        .add_columns(_total())
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(Workspace.id.in_(named))
        .order_by(*_best_first(q, Workspace.name))
    )


def _of_orgs(q: str) -> Any:
    words = words_in(q)
    if not words:
        return None
    return (
        select(Org.name, Org.slug.label("org"), _total())
        .where(has_words(words, "name", "slug"))
        .order_by(*_best_first(q, Org.name, Org.slug))
    )


def _of_people(q: str) -> Any:
    words = words_in(q)
    if not words:
        return None
    return (
        select(User.fullname, User.username, _total())
        .where(has_words(words, "username", "fullname"), has_taken_part())
        .order_by(*_best_first(q, User.fullname, User.username), User.id)
    )


def _requests() -> Any:
    return (
        select(Org.slug.label("org"), Project.slug.label("project"), Workspace.name, JobRequest.id)
        .join_from(JobRequest, Workspace, Workspace.id == JobRequest.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
    )


def _of_requests(q: str) -> Any:
    if not is_identifier_prefix(q):
        return None
    return (
        _requests()
        .add_columns(JobRequest.identifier.label("match"), _total())
        .where(begins_with(JobRequest.identifier, q.lower()))
        .order_by(JobRequest.id.desc())
    )


def _of_jobs(q: str) -> Any:
    if not is_identifier_prefix(q):
        return None
    return (
        _requests()
        .add_columns(Job.identifier.label("match"), Job.action, _total())
        .join(Job, Job.job_request_id == JobRequest.id)
        .where(begins_with(Job.identifier, q.lower()))
        .order_by(Job.id.desc())
    )


def _of_commits(q: str) -> Any:
    commit = q.lower()
    if not _COMMIT.fullmatch(commit):
        return None
    return (
        _requests()
        .add_columns(JobRequest.sha.label("match"), _total())
        .where(begins_with(JobRequest.sha, commit))
        .order_by(JobRequest.id.desc())
    )


def _request_hit(row: Any) -> Hit:
    above = (row.org, row.project, row.name)
    return Hit(str(row.id), (*above, str(row.id)), above, row.match)


# In the order of the page: what a number or an identifier finds is what was meant.
KINDS: dict[str, Callable[[str], Select[Any] | None]] = {
    "requests": _of_requests,
    "jobs": _of_jobs,
    "commits": _of_commits,
    "workspaces": _of_workspaces,
    "projects": _of_projects,
    "organisations": _of_orgs,
    "people": _of_people,
}
_HIT: dict[str, Callable[[Any], Hit]] = {
    "requests": _request_hit,
    "jobs": lambda row: Hit(
        row.action,
        (row.org, row.project, row.name, str(row.id), row.match),
        (row.org, row.project, row.name, str(row.id)),
        row.match,
    ),
    "commits": _request_hit,
    "workspaces": lambda row: Hit(
        row.name,
        (row.org, row.project, row.name),
        (row.org_name, row.project_name),
        "Archived" if row.is_archived else "",
    ),
    "projects": lambda row: Hit(row.name, (row.org, row.slug), (row.org_name,), row.number or ""),
    "organisations": lambda row: Hit(row.name, (row.org,)),
    "people": lambda row: Hit(row.fullname, ("users", row.username), (), row.username),
}
