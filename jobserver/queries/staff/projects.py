"""Projects, as staff look for them (spec: staff 8.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import Org, Project, ProjectCollaboration, User
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.templating.states import PROJECT_STATES

NOBODY = "none"
SOON = timedelta(days=14)


@dataclass(frozen=True)
class ProjectRow:
    """A project in the list. ``org`` leads it, with ``others`` more."""

    id: int
    slug: str
    name: str
    number: str | None
    status: str
    created_at: datetime
    org: str
    org_slug: str
    others: int
    copilot: str | None
    copilot_username: str | None
    support_ends_at: datetime | None

    @property
    def status_word(self) -> str:
        """The status as people know it."""
        return PROJECT_STATES[self.status].word


def identifier_order() -> tuple[ColumnElement[Any], ...]:
    """POS numbers, the latest first; then plain ones, the highest first; then none; by name among equals.

    Spec: staff 1.3. A POS number sorts by its year and its number within that.
    """
    is_pos = Project.number.startswith("POS-", autoescape=True)
    digits = func.replace(func.replace(Project.number, "POS-", ""), "-", "")
    return (
        case((is_pos, 0), (Project.number.is_not(None), 1), else_=2),
        -func.coalesce(cast(digits, Integer), 0),
        func.lower(Project.name),
    )


def _by_org(values: Sequence[str]) -> ColumnElement[bool]:
    chosen = select(Org.id).where(Org.slug.in_(values))
    return exists().where(
        ProjectCollaboration.project_id == Project.id, ProjectCollaboration.org_id.in_(chosen)
    )


def _by_copilot(values: Sequence[str]) -> ColumnElement[bool]:
    chosen = Project.copilot_id.in_(select(User.id).where(User.username.in_(values)))
    return or_(chosen, Project.copilot_id.is_(None)) if NOBODY in values else chosen


def _by_support(values: Sequence[str]) -> ColumnElement[bool]:
    ends, now = Project.copilot_support_ends_at, func.now()
    rules = {
        "soon": and_(ends > now, ends < now + SOON),
        "over": ends <= now,
        "open": and_(Project.copilot_id.is_not(None), ends.is_(None)),
    }
    return or_(*[rules[value] for value in values if value in rules])


def _orgs(db: Session) -> list[Option]:
    projects = (
        select(func.count())
        .select_from(ProjectCollaboration)
        .where(ProjectCollaboration.org_id == Org.id)
        .scalar_subquery()
    )
    rows = db.execute(select(Org.slug, Org.name, projects).order_by(func.lower(Org.name), Org.id))
    return [Option(*row) for row in rows]


def _statuses(db: Session) -> list[Option]:
    counted = db.execute(select(Project.status, func.count()).group_by(Project.status))
    found: dict[str, int] = {row[0]: row[1] for row in counted}
    return [Option(value, state.word, found.get(value, 0)) for value, state in PROJECT_STATES.items()]


def _copilots(db: Session) -> list[Option]:
    order = (func.lower(User.fullname), func.lower(User.username))
    rows: Any = db.execute(
        select(User.username, User.fullname, func.count())
        .select_from(Project)
        .outerjoin(User, User.id == Project.copilot_id)
        .group_by(User.id)
        .order_by(*order)
    )
    nobody, people = Option(NOBODY, "Nobody", 0), []
    for username, fullname, number in rows:
        if username is None:
            nobody = Option(NOBODY, "Nobody", number)
        else:
            people.append(Option(username, f"{fullname} ({username})", number))
    return [nobody, *people]


_lead, _copilot = aliased(Org), aliased(User)
_OTHERS = (
    select(func.count())
    .select_from(ProjectCollaboration)
    .where(ProjectCollaboration.project_id == Project.id, ProjectCollaboration.org_id != Project.org_id)
    .correlate(Project)
    .scalar_subquery()
)

PROJECTS: StaffList[ProjectRow] = StaffList(
    noun=("project",),
    id_column=Project.id,
    columns=select(
        Project.id,
        Project.slug,
        Project.name,
        Project.number,
        Project.status,
        Project.created_at,
        _lead.name,
        _lead.slug,
        _OTHERS,
        _copilot.fullname,
        _copilot.username,
        Project.copilot_support_ends_at,
    )
    .join(_lead, _lead.id == Project.org_id)
    .outerjoin(_copilot, _copilot.id == Project.copilot_id),
    make=ProjectRow,
    sorts=(
        Sort("identifier", "Number", identifier_order()),
        Sort("name", "Name", (func.lower(Project.name),)),
        Sort("newest", "Newest first", (Project.created_at,), descending=True),
    ),
    header=("number", "name", "slug", "status", "lead organisation", "co-pilot", "support ends", "created"),
    cells=lambda row: (
        row.number or "",
        row.name,
        row.slug,
        row.status,
        row.org,
        row.copilot_username or "",
        row.support_ends_at.astimezone(UTC).date() if row.support_ends_at else "",
        row.created_at,
    ),
    search=lambda q: contains(q, Project.name, Project.slug, func.coalesce(Project.number, literal(""))),
    search_label="Name or number",
    filters=(
        Filter("orgs", "Organisation", _by_org, _orgs),
        Filter("status", "Status", lambda values: Project.status.in_(values), _statuses),
        Filter("copilot", "Co-pilot", _by_copilot, _copilots),
        Filter(
            "support",
            "Support",
            _by_support,
            lambda _: [
                Option("soon", f"Ends within {SOON.days} days"),
                Option("over", "Has ended"),
                Option("open", "Without an end"),
            ],
        ),
    ),
)
