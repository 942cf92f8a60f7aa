"""Who stands behind the entries of access lists: their names, and the people who hold them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Integer, Select, Text, cast, func, select, true
from sqlalchemy.orm import Session

from jobserver.models import Org, OrgMembership, Project, ProjectMembership, User
from jobserver.security.roles import ROLES
from jobserver.security.sessions import goes_on

MOST_NAMED = 50
_PLAIN = {
    "system.Everyone": "everybody",
    "system.Authenticated": "everybody who is signed in",
    "any-role": "everybody with a role somewhere",
    "backend": "a backend that shows its token",
    "pat": "whoever shows a personal token",
}
_THROUGH = {"via-backend:": "through a backend", "pat:": "with a personal token"}


@dataclass(frozen=True)
class Names:
    """What the things are called that entries speak of by id."""

    projects: dict[int, str] = field(default_factory=dict)
    orgs: dict[int, str] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)

    def words(self, principal: str) -> str:
        """Who an entry is for, in words."""
        held, how = held_by(principal)
        if how:
            return f"{self.words(held)}, {how}"
        kind, id_, what = _parts(principal)
        if kind == "role":
            return f"global role {_role(what)}"
        if kind == "project":
            name = self.projects.get(id_, "a project")
            return f"members of {name}" if what == "member" else f"role {_role(what)} in {name}"
        if kind == "org":
            return f"members of {self.orgs.get(id_, 'an organisation')}"
        if kind == "user":
            return self.users.get(id_, "somebody")
        return _PLAIN.get(principal, principal)


@dataclass(frozen=True)
class Holders:
    """How many people an entry is for, and the first of them by name."""

    total: int
    usernames: list[str]

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.total - len(self.usernames)


def held_by(principal: str) -> tuple[str, str]:
    """What a person stands for themselves, and how a program uses it for them; "" if no program does."""
    for prefix, how in _THROUGH.items():
        if principal.startswith(prefix):
            return principal.removeprefix(prefix), how
    return principal, ""


def _role(name: str) -> str:
    return next((info.name for role, info in ROLES.items() if role == name), name)


def _parts(principal: str) -> tuple[str, int, str]:
    """The kind of a principal, the id of the thing it speaks of, and the rest."""
    kind, _, rest = principal.partition(":")
    if kind == "role":
        return kind, 0, rest
    id_, _, what = rest.partition(":")
    return (kind, int(id_), what) if id_.isdigit() else (principal, 0, "")


def _ids(principals: Iterable[str], kind: str) -> list[int]:
    held = (held_by(each)[0] for each in principals)
    return sorted({id_ for found, id_, _ in map(_parts, held) if found == kind})


def names(db: Session, principals: Iterable[str]) -> Names:
    """The names of all that these principals speak of."""
    wanted = set(principals)

    def named(model: Any, kind: str, column: Any) -> dict[int, str]:
        ids = _ids(wanted, kind)
        return dict(db.execute(select(model.id, column).where(model.id.in_(ids))).all()) if ids else {}

    return Names(
        named(Project, "project", Project.name),
        named(Org, "org", Org.name),
        named(User, "user", User.username),
    )


def holders(db: Session, principals: Iterable[str]) -> dict[str, Holders]:
    """The people whose accounts are open and who stand for each of these, where that can be counted."""
    wanted = set(principals)
    found: dict[str, Holders] = {}
    for statement in (_by_role(), _by_project(_ids(wanted, "project")), _by_org(_ids(wanted, "org"))):
        ranked = statement.where(User.disabled_at.is_(None)).subquery()
        rows = db.execute(
            select(ranked)
            .where(ranked.c.rank <= MOST_NAMED, ranked.c.principal.in_(wanted))
            .order_by(ranked.c.rank)
        )
        for principal, username, total, _ in rows:
            found.setdefault(principal, Holders(total, [])).usernames.append(username)
    return found


def _ranked(principal: Any) -> Select[Any]:
    by_principal: dict[str, Any] = {"partition_by": principal}
    rank = func.row_number().over(order_by=func.lower(User.username).collate("C"), **by_principal)
    return select(
        cast(principal, Text).label("principal"),
        User.username,
        cast(func.count().over(**by_principal), Integer).label("total"),
        rank.label("rank"),
    )


def _by_role() -> Select[Any]:
    role = func.unnest(User.roles).table_valued("role").render_derived("held").lateral()
    return _ranked(func.concat("role:", role.c.role)).select_from(User).join(role, true())


def _by_project(ids: list[int]) -> Select[Any]:
    what = (
        func.unnest(func.array_append(ProjectMembership.roles, "member"))
        .table_valued("what")
        .render_derived("held")
        .lateral()
    )
    principal = func.concat("project:", ProjectMembership.project_id, ":", what.c.what)
    return (
        _ranked(principal)
        .select_from(ProjectMembership)
        .join(what, true())
        .join(User, User.id == ProjectMembership.user_id)
        .where(ProjectMembership.project_id.in_(ids), goes_on(ProjectMembership))
    )


def _by_org(ids: list[int]) -> Select[Any]:
    principal = func.concat("org:", OrgMembership.org_id, ":member")
    return (
        _ranked(principal)
        .select_from(OrgMembership)
        .join(User, User.id == OrgMembership.user_id)
        .where(OrgMembership.org_id.in_(ids), goes_on(OrgMembership))
    )
