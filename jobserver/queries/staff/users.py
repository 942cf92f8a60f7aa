"""People, as staff look for them (spec: staff 13.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    BackendMembership,
    GithubIdentity,
    Org,
    OrgMembership,
    Project,
    ProjectMembership,
    User,
)
from jobserver.models.choices import GLOBAL_ROLES
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.security import roles
from jobserver.security.sessions import goes_on

# Before anybody signed in.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class UserRow:
    """Somebody in the list, and what they lack."""

    id: int
    username: str
    fullname: str
    email: str | None
    date_joined: datetime
    is_disabled: bool
    roles: list[str]
    uses_github: bool
    has_backend: bool
    has_org: bool
    has_project: bool
    has_project_role: bool

    @property
    def role_names(self) -> list[str]:
        """Global roles, as people know them."""
        return [roles.ROLES[role].name for role in sorted(roles.known(self.roles))]

    @property
    def missing(self) -> list[str]:
        """What a person who signs in with GitHub needs and does not have."""
        if not self.uses_github:
            return []
        has = {"backend": self.has_backend, "organisation": self.has_org, "project": self.has_project}
        return [name for name, there in has.items() if not there]

    @property
    def has_no_role(self) -> bool:
        """Whether there is a role nowhere: memberships without roles count as none."""
        return not self.roles and not self.has_project_role


def _is_member(model: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(model.user_id == User.id, goes_on(model), *conditions)


def _is_no_member(model: Any) -> ColumnElement[bool]:
    """Asked of everybody: all members are found at once, not those of each person."""
    return User.id.not_in(select(model.user_id).where(goes_on(model)))


_USES_GITHUB = exists().where(GithubIdentity.user_id == User.id)
_HAS_PROJECT_ROLE = _is_member(ProjectMembership, func.cardinality(ProjectMembership.roles) > 0)
_HAS_ROLE = or_(func.cardinality(User.roles) > 0, _HAS_PROJECT_ROLE)
_MISSING = {
    "backend": ("Backend", _is_no_member(BackendMembership)),
    "org": ("Organisation", _is_no_member(OrgMembership)),
    "project": ("Project", _is_no_member(ProjectMembership)),
}
_KINDS = {
    "github": ("Sign in with GitHub", _USES_GITHUB),
    "other": ("Bots and others", ~_USES_GITHUB),
}
_STATES = {
    "open": ("Open", User.disabled_at.is_(None)),
    "disabled": ("Disabled", User.disabled_at.is_not(None)),
}


def _any(rules: Mapping[str, tuple[str, ColumnElement[bool]]]) -> Any:
    return lambda values: or_(*[rules[value][1] for value in values if value in rules])


def found_by(q: str) -> ColumnElement[bool]:
    """That this is in somebody's name or email, or in the name of an organisation or project of theirs."""
    in_orgs = select(OrgMembership.user_id).join(Org, Org.id == OrgMembership.org_id)
    in_projects = select(ProjectMembership.user_id).join(Project, Project.id == ProjectMembership.project_id)
    return or_(
        contains(q, User.fullname, User.username, func.coalesce(User.email, "")),
        User.id.in_(in_orgs.where(contains(q, Org.name), goes_on(OrgMembership))),
        User.id.in_(in_projects.where(contains(q, Project.name), goes_on(ProjectMembership))),
    )


def _by_backend(values: Sequence[str]) -> ColumnElement[bool]:
    chosen = select(Backend.id).where(Backend.slug.in_(values))
    return _is_member(BackendMembership, BackendMembership.backend_id.in_(chosen))


def _by_org(values: Sequence[str]) -> ColumnElement[bool]:
    chosen = select(Org.id).where(Org.slug.in_(values))
    return _is_member(OrgMembership, OrgMembership.org_id.in_(chosen))


def _by_role(values: Sequence[str]) -> ColumnElement[bool]:
    held: ColumnElement[bool] = cast(User.roles, ARRAY(Text)).overlap(cast(list(values), ARRAY(Text)))
    return held


def _by_any_role(values: Sequence[str]) -> ColumnElement[bool]:
    wanted = {"yes": _HAS_ROLE, "no": ~_HAS_ROLE}
    return or_(*[wanted[value] for value in values if value in wanted])


def _backends(db: Session) -> list[Option]:
    belongs = (BackendMembership.backend_id == Backend.id, goes_on(BackendMembership))
    members = select(func.count()).where(*belongs).scalar_subquery()
    rows = db.execute(select(Backend.slug, Backend.name, members).order_by(func.lower(Backend.name)))
    return [Option(*row) for row in rows]


def backend_slugs(db: Session, values: Sequence[str]) -> dict[str, str]:
    """The slugs of the backends that these values name by id, none by slug, by value (spec: staff 13.1)."""
    by_id = {str(id_): slug for id_, slug in db.execute(select(Backend.id, Backend.slug))}
    return {value: by_id[value] for value in {*values} & by_id.keys() - {*by_id.values()}}


def _orgs(db: Session) -> list[Option]:
    belongs = (OrgMembership.org_id == Org.id, goes_on(OrgMembership))
    members = select(func.count()).where(*belongs).scalar_subquery()
    rows = db.execute(select(Org.slug, Org.name, members).order_by(func.lower(Org.name)))
    return [Option(*row) for row in rows]


def _roles(db: Session) -> list[Option]:
    held = select(func.unnest(User.roles).label("role")).subquery()
    counted = db.execute(select(held.c.role, func.count()).group_by(held.c.role))
    found: dict[str, int] = {row[0]: row[1] for row in counted}
    return [Option(role, roles.ROLES[role].name, found.get(role, 0)) for role in GLOBAL_ROLES]


def _kinds(db: Session) -> list[Option]:
    # Whoever has a GitHub account is counted there: asking of each user would take long.
    there = select(func.count(GithubIdentity.user_id.distinct())).scalar_subquery()
    github, all_ = db.execute(select(there, func.count()).select_from(User)).one()
    counts = {"github": github, "other": all_ - github}
    return [Option(value, label, counts[value]) for value, (label, _) in _KINDS.items()]


def _states(db: Session) -> list[Option]:
    counts = db.execute(
        select(*[func.count().filter(rule) for _, rule in _STATES.values()]).select_from(User)
    )
    return [
        Option(value, label, count)
        for (value, (label, _)), count in zip(_STATES.items(), counts.one(), strict=True)
    ]


def _missing(_db: Session) -> list[Option]:
    return [Option(value, label) for value, (label, _) in _MISSING.items()]


USERS: StaffList[UserRow] = StaffList(
    noun=("person", "people"),
    id_column=User.id,
    columns=select(
        User.id,
        User.username,
        User.fullname,
        User.email,
        User.date_joined,
        User.disabled_at.is_not(None),
        User.roles,
        _USES_GITHUB,
        _is_member(BackendMembership),
        _is_member(OrgMembership),
        _is_member(ProjectMembership),
        _HAS_PROJECT_ROLE,
    ),
    make=UserRow,
    sorts=(
        Sort("name", "Name", (func.lower(User.fullname), func.lower(User.username))),
        Sort("newest", "Newest first", (User.date_joined,), descending=True),
        Sort(
            "last-seen",
            "Signed in last",
            (func.coalesce(User.last_login, literal(NEVER)),),
            descending=True,
        ),
    ),
    header=("username", "name", "email", "joined", "disabled", "global roles", "missing"),
    cells=lambda row: (
        row.username,
        row.fullname,
        row.email,
        row.date_joined,
        "yes" if row.is_disabled else "no",
        " ".join(row.roles),
        " ".join(row.missing),
    ),
    search=found_by,
    search_label="Name, username, email, organisation or project",
    filters=(
        Filter("kind", "Kind", _any(_KINDS), _kinds),
        Filter("backend", "Backend", _by_backend, _backends),
        Filter("org", "Organisation", _by_org, _orgs),
        Filter("role", "Global role", _by_role, _roles),
        Filter(
            "missing",
            "Missing",
            lambda values: and_(_USES_GITHUB, _any(_MISSING)(values)),
            _missing,
        ),
        Filter("any_roles", "Has a role", _by_any_role, lambda _: [Option("yes", "Yes"), Option("no", "No")]),
        Filter(
            "state",
            "Account",
            _any(_STATES),
            _states,
        ),
    ),
)
