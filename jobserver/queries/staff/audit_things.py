"""What events of the audit trail speak of, as it is now: found for a whole page by one statement."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from jobserver.models import (
    Application,
    Backend,
    JobRequest,
    Org,
    Project,
    Redirect,
    Release,
    ReleaseFile,
    Repo,
    SiteAlert,
    Snapshot,
    User,
    Workspace,
)
from jobserver.queries.path import as_id

# Whose ids are texts.
_BY_TEXT = frozenset({"username", "Release", "ReleaseFile"})
# A person who is known by name only, as before events had ids.
BY_NAME = "username"


class Found(NamedTuple):
    """What a thing is called now, and the path to its page."""

    label: str
    path: tuple[str, ...]


def find(db: Session, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Found]:
    """The things of these kinds and ids, as far as they are there; people also by :data:`BY_NAME`."""
    by_kind: dict[str, set[str]] = {}
    for kind, key in wanted:
        if kind in _KINDS and key and (kind in _BY_TEXT or as_id(key)):
            by_kind.setdefault(kind, set()).add(key)
    if not by_kind:
        return {}
    statements = [
        _KINDS[kind](sorted(keys) if kind in _BY_TEXT else [int(key) for key in sorted(keys)])
        for kind, keys in sorted(by_kind.items())
    ]
    rows = db.execute(union_all(*statements)).all()
    return {(row[0], row[1]): Found(row[2], _path(row[0], row[3])) for row in rows}


def _path(kind: str, names: list[str]) -> tuple[str, ...]:
    if kind == "Application":
        return (*_BELOW[kind], f"{int(names[0]):04x}")
    if kind == "Repo":
        return (*_BELOW[kind], *names[0].removeprefix("https://github.com/").split("/"))
    return (*_BELOW.get(kind, ()), *names)


_BELOW: Mapping[str, tuple[str, ...]] = {
    "Application": ("staff", "applications"),
    "Backend": ("staff", "backends"),
    "JobRequest": ("staff", "job-requests"),
    "Org": ("staff", "orgs"),
    "Project": ("staff", "projects"),
    "Redirect": ("staff", "redirects"),
    "Repo": ("staff", "repos"),
    "SiteAlert": ("staff", "site-alerts", "edit"),
    "User": ("staff", "users"),
    BY_NAME: ("staff", "users"),
    "Workspace": ("staff", "workspaces"),
}


def _plain(kind: str, model: Any, label: Any, name: Any, *conditions: Any, key: Any = None) -> Any:
    """How things of a kind are found: by id, or by the column ``key``."""
    key = model.id if key is None else key

    def statement(keys: list[Any]) -> Any:
        columns = (literal(kind), cast(key, Text), cast(label, Text), array([cast(name, Text)]))
        return select(*columns).where(key.in_(keys), *conditions)

    return statement


def _hash(id_: Any) -> Any:
    """The public id of an application: four hexadecimal digits, or more where four do not suffice."""
    digits = func.to_hex(id_)
    return func.lpad(digits, func.greatest(4, func.length(digits)), "0")


def _in_workspace(kind: str, model: Any, word: str, *more: Any) -> Any:
    """How things below a workspace are found, whose pages are public ones."""

    def statement(keys: list[Any]) -> Any:
        id_ = cast(model.id, Text)
        names = array([Org.slug, Project.slug, Workspace.name, literal(word), *more, id_])
        return (
            select(literal(kind), id_, literal(""), names)
            .join(Workspace, Workspace.id == model.workspace_id)
            .join(Project, Project.id == Workspace.project_id)
            .join(Org, Org.id == Project.org_id)
            .where(model.id.in_(keys))
        )

    return statement


_KINDS: dict[str, Callable[[list[Any]], Any]] = {
    "Application": _plain("Application", Application, literal(""), _hash(Application.id)),
    "Backend": _plain("Backend", Backend, Backend.name, Backend.id),
    "JobRequest": _plain("JobRequest", JobRequest, literal(""), JobRequest.id),
    "Org": _plain("Org", Org, Org.name, Org.slug),
    "Project": _plain("Project", Project, func.concat_ws(" - ", Project.number, Project.name), Project.slug),
    "Redirect": _plain("Redirect", Redirect, Redirect.old_url, Redirect.id, Redirect.deleted_at.is_(None)),
    "Release": _in_workspace("Release", Release, "releases"),
    "ReleaseFile": _in_workspace("ReleaseFile", ReleaseFile, "releases", ReleaseFile.release_id),
    "Repo": _plain("Repo", Repo, Repo.url, Repo.url),
    "SiteAlert": _plain("SiteAlert", SiteAlert, SiteAlert.title, SiteAlert.id),
    "Snapshot": _in_workspace("Snapshot", Snapshot, "outputs"),
    "User": _plain("User", User, User.username, User.username),
    BY_NAME: _plain(BY_NAME, User, User.username, User.username, key=User.username),
    "Workspace": _plain("Workspace", Workspace, Workspace.name, Workspace.name),
}
