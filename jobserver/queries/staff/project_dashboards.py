"""Two dashboards of projects (spec: staff 5.1, 5.2). Every column is counted for the rows of a page only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from jobserver.models import Org, Project, ProjectCollaboration, Repo, User, Workspace
from jobserver.queries.staff import runs
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.queries.staff.projects import PROJECTS, identifier_order
from jobserver.queries.staff.repos import PRIVACY
from jobserver.templating.states import PROJECT_STATES


@dataclass(frozen=True)
class ProjectRow:
    """A project with what was done in it. ``orgs``: slug and name, the lead first."""

    id: int
    slug: str
    name: str
    number: str | None
    status: str
    orgs: list[Mapping[str, Any]]
    copilot: str | None
    copilot_username: str | None
    workspaces: int
    requests: int
    first_run_at: datetime | None
    files: int

    @property
    def label(self) -> str:
        """The name, with the number if there is one."""
        return f"{self.name} ({self.number})" if self.number else self.name

    @property
    def status_word(self) -> str:
        """The status as people know it."""
        return PROJECT_STATES[self.status].word

    @property
    def copilot_label(self) -> str:
        """The co-pilot, or that there is none that we know of."""
        return f"{self.copilot} ({self.copilot_username})" if self.copilot_username else "Unknown"

    @property
    def org_names(self) -> str:
        """All organisations, the lead first."""
        return ", ".join(org["name"] for org in self.orgs)


@dataclass(frozen=True)
class CopilotingRow(ProjectRow):
    """With what co-pilots look after. ``repos``: address and privacy, by address."""

    last_run_at: datetime | None
    repos: list[Mapping[str, Any]]

    @property
    def repo_words(self) -> str:
        """Each repository with its privacy."""
        words = {True: "private", False: "public", None: "unknown"}
        return ", ".join(f"{each['url']} ({words[each['is_private']]})" for each in self.repos)


def objects(order: Sequence[Any], **columns: Any) -> ColumnElement[Any]:
    """Rows as a list of mappings, in this order; to be selected alone."""
    pairs = [part for name, column in columns.items() for part in (name, column)]
    made = aggregate_order_by(func.jsonb_build_object(*pairs), *order)
    return func.coalesce(func.jsonb_agg(made), func.jsonb_build_array())


def _in_project(workspace: Any) -> ColumnElement[bool]:
    mine: ColumnElement[bool] = workspace.project_id == Project.id
    return mine


_copilot = aliased(User)
_ORGS = (
    select(
        objects(
            ((Org.id == Project.org_id).desc(), func.lower(Org.name)),
            slug=Org.slug,
            name=Org.name,
        )
    )
    .select_from(ProjectCollaboration)
    .join(Org, Org.id == ProjectCollaboration.org_id)
    .where(ProjectCollaboration.project_id == Project.id)
    .correlate(Project)
    .scalar_subquery()
)
_WORKSPACES = (
    select(func.count()).where(Workspace.project_id == Project.id).correlate(Project).scalar_subquery()
)
_USED = select(Workspace.repo_id).where(Workspace.project_id == Project.id).correlate(Project)
_REPOS = (
    select(objects((func.lower(Repo.url),), url=Repo.url, is_private=Repo.is_private))
    .where(Repo.id.in_(_USED))
    .correlate(Project)
    .scalar_subquery()
)
_COLUMNS = (
    select(
        Project.id,
        Project.slug,
        Project.name,
        Project.number,
        Project.status,
        _ORGS,
        _copilot.fullname,
        _copilot.username,
        _WORKSPACES,
        runs.requests(_in_project, Project),
        runs.first_run(_in_project, Project),
        runs.released_files(_in_project, Project),
    )
    .select_from(Project)
    .outerjoin(_copilot, _copilot.id == Project.copilot_id)
)
_WITHOUT_COPILOTS = exists().where(
    ProjectCollaboration.project_id == Project.id,
    ProjectCollaboration.org_id == Org.id,
    Org.has_no_copilots,
)
_SORTS = (
    Sort("name", "Name", (func.lower(Project.name),)),
    Sort("number", "Number", identifier_order()),
    Sort("status", "Status", (Project.status, func.lower(Project.name))),
    Sort("newest", "Newest first", (Project.created_at,), descending=True),
)


def _search(q: str) -> ColumnElement[bool]:
    copilot = select(User.id).where(contains(q, User.fullname, User.username))
    return contains(q, Project.name, func.coalesce(Project.number, "")) | Project.copilot_id.in_(copilot)


def _by_privacy(values: Sequence[str]) -> ColumnElement[bool]:
    repos = select(Repo.id).where(or_(*[PRIVACY[value][1] for value in values]))
    return exists().where(Workspace.project_id == Project.id, Workspace.repo_id.in_(repos))


PROJECT_DASHBOARD: StaffList[ProjectRow] = StaffList(
    noun=("project",),
    id_column=Project.id,
    columns=_COLUMNS,
    make=ProjectRow,
    sorts=_SORTS,
    header=(
        "number",
        "project",
        "organisations",
        "co-pilot",
        "workspaces",
        "job requests",
        "first run",
        "files released",
    ),
    cells=lambda row: (
        row.number or "",
        row.name,
        row.org_names,
        row.copilot_label,
        row.workspaces,
        row.requests,
        row.first_run_at,
        row.files,
    ),
    search=_search,
    search_label="Name, number or co-pilot",
    filters=PROJECTS.filters[:3],
)
COPILOTING: StaffList[CopilotingRow] = StaffList(
    noun=("project",),
    id_column=Project.id,
    columns=_COLUMNS.add_columns(runs.last_run(_in_project, Project), _REPOS),
    make=CopilotingRow,
    sorts=_SORTS,
    header=(
        "number",
        "project",
        "organisations",
        "co-pilot",
        "status",
        "repositories",
        "workspaces",
        "job requests",
        "first run",
        "last run",
        "files released",
    ),
    cells=lambda row: (
        row.number or "",
        row.name,
        row.org_names,
        row.copilot_label,
        row.status_word,
        row.repo_words,
        row.workspaces,
        row.requests,
        row.first_run_at,
        row.last_run_at,
        row.files,
    ),
    search=_search,
    search_label="Name, number or co-pilot",
    filters=(
        *PROJECTS.filters[:3],
        Filter(
            "repo",
            "Repository",
            _by_privacy,
            lambda _: [Option(value, words) for value, (words, _) in PRIVACY.items()],
        ),
    ),
    conditions=(~_WITHOUT_COPILOTS,),
)
