"""Old addresses and where each leads, as staff look for them (spec: staff 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import Org, Project, Redirect, User, Workspace
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains


@dataclass(frozen=True)
class RedirectRow:
    """An old address, what it leads to, and until when. ``names``: the path to that."""

    id: int
    old_url: str
    expires_at: datetime
    created_at: datetime
    by: str
    by_username: str
    org: str | None
    project: str | None
    project_slug: str | None
    workspace: str | None
    org_slug: str

    @property
    def kind(self) -> str:
        """``org``, ``project`` or ``workspace``."""
        return "workspace" if self.workspace else "project" if self.project else "org"

    @property
    def target(self) -> str:
        """What it leads to, by name."""
        return self.workspace or self.project or self.org or ""

    @property
    def names(self) -> tuple[str, ...]:
        """The path to its target's page."""
        return tuple(name for name in (self.org_slug, self.project_slug, self.workspace) if name)

    @property
    def kind_word(self) -> str:
        """What its target is."""
        return _KINDS[self.kind][0]

    @property
    def staff_names(self) -> tuple[str, ...]:
        """The path to its target in the staff area."""
        found = {
            "org": ("orgs", self.org_slug),
            "project": ("projects", self.project_slug or ""),
            "workspace": ("workspaces", self.workspace or ""),
        }
        return ("staff", *found[self.kind])

    def is_live(self, now: datetime) -> bool:
        """Whether it still leads there."""
        return self.expires_at > now


_KINDS: dict[str, tuple[str, ColumnElement[bool]]] = {
    "org": ("Organisation", Redirect.org_id.is_not(None)),
    "project": ("Project", Redirect.project_id.is_not(None)),
    "workspace": ("Workspace", Redirect.workspace_id.is_not(None)),
}
_STATES: dict[str, tuple[str, ColumnElement[bool]]] = {
    "live": ("Live", Redirect.expires_at > func.now()),
    "expired": ("Expired", Redirect.expires_at <= func.now()),
}
_Rules = dict[str, tuple[str, ColumnElement[bool]]]
_IS_THERE = Redirect.deleted_at.is_(None)


def _filter(name: str, label: str, rules: _Rules) -> Filter:
    def condition(values: Sequence[str]) -> ColumnElement[bool]:
        return or_(*[rules[value][1] for value in values if value in rules])

    def options(db: Session) -> list[Option]:
        columns = [func.count().filter(rule) for _, rule in rules.values()]
        counts = db.execute(select(*columns).select_from(Redirect).where(_IS_THERE)).one()
        return [Option(value, rules[value][0], n) for value, n in zip(rules, counts, strict=True)]

    return Filter(name, label, condition, options)


def _search(q: str) -> ColumnElement[bool]:
    people = select(User.id).where(contains(q, User.fullname, User.username))
    return or_(
        contains(q, Redirect.old_url),
        Redirect.created_by_id.in_(people),
        Redirect.org_id.in_(select(Org.id).where(contains(q, Org.name))),
        Redirect.project_id.in_(select(Project.id).where(contains(q, Project.name))),
        Redirect.workspace_id.in_(select(Workspace.id).where(contains(q, Workspace.name))),
    )


_project, _lead = aliased(Project), aliased(Org)
_COLUMNS = (
    select(
        Redirect.id,
        Redirect.old_url,
        Redirect.expires_at,
        Redirect.created_at,
        User.fullname,
        User.username,
        Org.name,
        Project.name,
        _project.slug,
        Workspace.name,
        _lead.slug,
    )
    .join(User, User.id == Redirect.created_by_id)
    .outerjoin(Org, Org.id == Redirect.org_id)
    .outerjoin(Project, Project.id == Redirect.project_id)
    .outerjoin(Workspace, Workspace.id == Redirect.workspace_id)
    .outerjoin(_project, _project.id == func.coalesce(Redirect.project_id, Workspace.project_id))
    .join(_lead, _lead.id == func.coalesce(Redirect.org_id, _project.org_id))
)

REDIRECTS: StaffList[RedirectRow] = StaffList(
    noun=("redirect",),
    id_column=Redirect.id,
    columns=_COLUMNS,
    make=RedirectRow,
    sorts=(
        Sort("newest", "Newest first", (Redirect.created_at,), descending=True),
        Sort("old", "Old address", (Redirect.old_url,)),
        Sort("expiry", "Ends first", (Redirect.expires_at,)),
    ),
    header=("old address", "leads to", "kind", "made by", "made", "ends"),
    cells=lambda row: (
        row.old_url,
        "/" + "/".join(row.names) + "/",
        row.kind,
        row.by_username,
        row.created_at,
        row.expires_at,
    ),
    search=_search,
    search_label="Old address, target or person",
    filters=(_filter("type", "Leads to", _KINDS), _filter("state", "State", _STATES)),
    conditions=(_IS_THERE,),
)


def redirect_row(db: Session, redirect_id: int) -> RedirectRow:
    """One of them."""
    return RedirectRow(*db.execute(_COLUMNS.where(Redirect.id == redirect_id)).one())


def leading_to(db: Session, place: Org | Project | Workspace) -> list[RedirectRow]:
    """The old addresses of an organisation, project or workspace, the newest first."""
    column = getattr(Redirect, f"{type(place).__name__.lower()}_id")
    statement = _COLUMNS.where(column == place.id, _IS_THERE).order_by(Redirect.id.desc()).limit(50)
    return [RedirectRow(*row) for row in db.execute(statement)]
