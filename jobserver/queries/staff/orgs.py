"""Organisations, as staff look for them, and who belongs to one (spec: staff 7.1, 7.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import Org, OrgMembership, Project, ProjectCollaboration, User
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.queries.staff.projects import identifier_order

MEMBERS, PROJECTS = 50, 25


@dataclass(frozen=True)
class OrgRow:
    """An organisation in the list."""

    id: int
    slug: str
    name: str
    github_orgs: list[str]
    is_internal: bool
    created_at: datetime
    members: int
    projects: int


@dataclass(frozen=True)
class MemberRow:
    """Somebody who belongs to an organisation: since when, by whom, and until when."""

    username: str
    fullname: str
    is_disabled: bool
    since: datetime
    by: str | None
    ends_at: datetime | None

    def has_ended(self, now: datetime) -> bool:
        """Whether the membership counts no more, though it is still there."""
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True)
class ProjectRow:
    """A project in which the organisation takes part."""

    slug: str
    title: str
    leads: bool


_MEMBERS = select(func.count()).where(OrgMembership.org_id == Org.id).scalar_subquery()
_PROJECTS = select(func.count()).where(ProjectCollaboration.org_id == Org.id).scalar_subquery()
_FLAGS: dict[str, tuple[str, ColumnElement[bool]]] = {
    "internal": ("The service’s own", Org.is_internal.is_(True)),
    "no-copilots": ("Has no co-pilots", Org.has_no_copilots.is_(True)),
}


def _by_flag(values: Sequence[str]) -> ColumnElement[bool]:
    return or_(*[_FLAGS[value][1] for value in values if value in _FLAGS])


def _flags(db: Session) -> list[Option]:
    counts = db.execute(
        select(*[func.count().filter(rule) for _, rule in _FLAGS.values()]).select_from(Org)
    ).one()
    return [Option(value, _FLAGS[value][0], n) for value, n in zip(_FLAGS, counts, strict=True)]


ORGS: StaffList[OrgRow] = StaffList(
    noun=("organisation",),
    id_column=Org.id,
    columns=select(
        Org.id, Org.slug, Org.name, Org.github_orgs, Org.is_internal, Org.created_at, _MEMBERS, _PROJECTS
    ),
    make=OrgRow,
    sorts=(
        Sort("name", "Name", (func.lower(Org.name),)),
        Sort("newest", "Newest first", (Org.created_at,), descending=True),
    ),
    header=("name", "slug", "GitHub organisations", "the service's own", "members", "projects", "created"),
    cells=lambda row: (
        row.name,
        row.slug,
        " ".join(row.github_orgs),
        "yes" if row.is_internal else "no",
        row.members,
        row.projects,
        row.created_at,
    ),
    search=lambda q: contains(q, Org.name, Org.slug),
    search_label="Name",
    filters=(Filter("kind", "Kind", _by_flag, _flags),),
)


def number_of_members(db: Session, org_id: int) -> int:
    """How many memberships the organisation has."""
    return db.scalar(select(func.count()).where(OrgMembership.org_id == org_id)) or 0


def members(db: Session, org_id: int, *, offset: int = 0) -> list[MemberRow]:
    """One page of who belongs to the organisation, by name."""
    giver = select(User.username).where(User.id == OrgMembership.created_by_id).scalar_subquery()
    statement = (
        select(
            User.username,
            User.fullname,
            User.disabled_at.is_not(None),
            OrgMembership.created_at,
            giver.correlate(OrgMembership),
            OrgMembership.ends_at,
        )
        .join(OrgMembership, OrgMembership.user_id == User.id)
        .where(OrgMembership.org_id == org_id)
        .order_by(func.lower(User.fullname), func.lower(User.username))
        .limit(MEMBERS)
        .offset(offset)
    )
    return [MemberRow(*row) for row in db.execute(statement)]


def projects(db: Session, org_id: int) -> tuple[list[ProjectRow], int]:
    """The first projects in which the organisation takes part, and how many there are."""
    mine = select(ProjectCollaboration.project_id).where(ProjectCollaboration.org_id == org_id)
    found = db.scalars(
        select(Project).where(Project.id.in_(mine)).order_by(*identifier_order()).limit(PROJECTS)
    )
    total = db.scalar(select(func.count()).select_from(mine.subquery())) or 0
    return [ProjectRow(each.slug, each.title, each.org_id == org_id) for each in found], total
