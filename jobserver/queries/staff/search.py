"""The search of the staff area: things of every kind, by any part of their names (spec: staff 2.1, 17.44)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from jobserver.models import (
    Application,
    Backend,
    JobRequest,
    Org,
    Project,
    Redirect,
    Repo,
    User,
    Workspace,
)
from jobserver.queries.log_filters import begins_with, is_identifier_prefix
from jobserver.queries.path import as_id
from jobserver.queries.staff.listing import contains
from jobserver.queries.staff.things import number_of_hash
from jobserver.queries.staff.users import found_by

FEW = 10
SHORTEST_IDENTIFIER = 4


@dataclass(frozen=True)
class Hit:
    """One thing that was found: the path to its page below ``/staff/``, its name, and what tells it apart."""

    path: tuple[str, ...]
    name: str
    note: str


@dataclass(frozen=True)
class Group:
    """What was found of one kind, and whether there is more of it in the list of that name."""

    kind: str
    hits: Sequence[Hit]
    has_more: bool


def search(db: Session, q: str) -> list[Group]:
    """What is found, by kind, at most :data:`FEW` of each; one statement asks for all."""
    parts = [made for make in _KINDS.values() if (made := make(q)) is not None]
    ranked = [part.subquery() for part in parts]
    rows = db.execute(union_all(*[select(part) for part in ranked])).all()
    found = []
    for kind in _KINDS:
        mine = sorted((row for row in rows if row.kind == kind), key=lambda row: row.rank)
        if mine:
            hits = [Hit((kind, *_names(kind, row)), row.name, row.note) for row in mine[:FEW]]
            found.append(Group(kind, hits, len(mine) > FEW))
    return found


def _part(kind: str, key: Any, name: Any, note: Any, *order: Any, where: ColumnElement[bool]) -> Select[Any]:
    rank = func.row_number().over(order_by=order)
    columns = (
        literal(kind).label("kind"),
        cast(key, Text).label("key"),
        cast(name, Text).label("name"),
        cast(note, Text).label("note"),
        rank.label("rank"),
    )
    return select(*columns).where(where).order_by(*order).limit(FEW + 1)


def _applications(q: str) -> Select[Any]:
    number = number_of_hash(q.lower())
    found = contains(q, User.fullname, User.username, Application.study_name)
    title = case((Application.study_name == "", "Not specified"), else_=Application.study_name)
    return _part(
        "applications",
        Application.id,
        title,
        User.fullname,
        Application.created_at,
        Application.id,
        where=or_(found, Application.id == number) if number else found,
    ).join(User, User.id == Application.created_by_id)


def _backends(q: str) -> Select[Any]:
    where = contains(q, Backend.name, Backend.slug)
    return _part("backends", Backend.id, Backend.name, Backend.slug, func.lower(Backend.name), where=where)


def _orgs(q: str) -> Select[Any]:
    return _part("orgs", Org.slug, Org.name, "", func.lower(Org.name), where=contains(q, Org.name, Org.slug))


def _projects(q: str) -> Select[Any]:
    number = func.coalesce(Project.number, "")
    where = contains(q, Project.name, Project.slug, number)
    return _part("projects", Project.slug, Project.name, number, func.lower(Project.name), where=where)


def _users(q: str) -> Select[Any]:
    order = (func.lower(User.fullname), func.lower(User.username))
    return _part("users", User.username, User.fullname, User.username, *order, where=found_by(q))


def _workspaces(q: str) -> Select[Any]:
    in_repos = Workspace.repo_id.in_(select(Repo.id).where(contains(q, Repo.url)))
    where = or_(contains(q, Workspace.name), in_repos)
    return _part("workspaces", Workspace.name, Workspace.name, "", func.lower(Workspace.name), where=where)


def _repos(q: str) -> Select[Any]:
    return _part("repos", Repo.url, Repo.url, "", func.lower(Repo.url), where=contains(q, Repo.url))


def _job_requests(q: str) -> Select[Any] | None:
    number = as_id(q)
    matches = [JobRequest.id == number] if number else []
    if len(q) >= SHORTEST_IDENTIFIER and is_identifier_prefix(q):
        matches.append(begins_with(JobRequest.identifier, q.lower()))
    if not matches:
        return None
    name = cast(JobRequest.id, Text) + " in " + Workspace.name
    part = _part(
        "job-requests", JobRequest.id, name, JobRequest.identifier, JobRequest.id, where=or_(*matches)
    )
    return part.join(Workspace, Workspace.id == JobRequest.workspace_id)


def _redirects(q: str) -> Select[Any]:
    where = contains(q, Redirect.old_url) & Redirect.deleted_at.is_(None)
    return _part("redirects", Redirect.id, Redirect.old_url, "", Redirect.old_url, Redirect.id, where=where)


# The order in which groups stand.
_KINDS = {
    "applications": _applications,
    "backends": _backends,
    "orgs": _orgs,
    "projects": _projects,
    "users": _users,
    "workspaces": _workspaces,
    "job-requests": _job_requests,
    "repos": _repos,
    "redirects": _redirects,
}


def _names(kind: str, row: Any) -> tuple[str, ...]:
    if kind == "applications":
        return (f"{int(row.key):04x}",)
    if kind == "repos":
        return tuple(row.key.removeprefix("https://github.com/").split("/"))
    return (str(row.key),)
