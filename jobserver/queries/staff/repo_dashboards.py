"""Two dashboards of repositories: those that must soon be public, and those of several projects.

Spec: staff 5.3, 5.4, 17.49. What GitHub says of them is what was stored last; of nothing it is waited for.
Repositories of any owner are listed, not of one GitHub organisation alone: research can be in each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select, text
from sqlalchemy.orm import aliased

from jobserver.models import Project, Repo, User, Workspace
from jobserver.queries.staff import runs
from jobserver.queries.staff.listing import Sort, StaffList
from jobserver.queries.staff.project_dashboards import objects
from jobserver.queries.staff.repo_page import a_year_after
from jobserver.queries.staff.repos import OF_ORG, OUTPUTS, SIGN_OFFS, by_rules, url_contains
from jobserver.queries.staff.whole import WholeList

# What is not research may stay private.
NON_RESEARCH = "non-research"
# The slug of the project in which the service itself is tried: its workspaces make nothing due.
TESTING = "opensafely-testing"
_IN_TESTING = select(Project.id).where(Project.slug == TESTING)


@dataclass(frozen=True)
class SharedRow:
    """A repository with the projects and workspaces that use it, each by name."""

    id: int
    url: str
    has_github_outputs: bool
    projects: list[Mapping[str, Any]]
    workspaces: list[Mapping[str, Any]]

    @property
    def path(self) -> tuple[str, str]:
        """Owner and name."""
        owner, name = self.url.split("/")[3:5]
        return owner, name

    @property
    def project_names(self) -> str:
        """The projects in one line."""
        return ", ".join(each["name"] for each in self.projects)

    @property
    def workspace_names(self) -> str:
        """The workspaces in one line."""
        return ", ".join(each["name"] for each in self.workspaces)


@dataclass(frozen=True)
class PrivateRow(SharedRow):
    """A private repository whose code ran long ago."""

    made_on_github_at: datetime | None
    first_run_at: datetime
    project_first_run_at: datetime | None
    signed_off: int
    contact: str | None
    contact_username: str | None

    @property
    def must_be_public_at(self) -> datetime:
        """Twelve calendar months after the first run of its own workspaces."""
        return a_year_after(self.first_run_at)


def _of_repo(workspace: Any) -> ColumnElement[bool]:
    return and_(workspace.repo_id == Repo.id, workspace.project_id.not_in(_IN_TESTING))


def _of_its_projects(workspace: Any) -> ColumnElement[bool]:
    used = aliased(Workspace)
    mine: ColumnElement[bool] = workspace.project_id.in_(
        select(used.project_id).where(_of_repo(used)).correlate(Repo)
    )
    return mine


_PROJECTS = (
    select(objects((func.lower(Project.name),), slug=Project.slug, name=Project.name))
    .where(Project.id.in_(select(Workspace.project_id).where(Workspace.repo_id == Repo.id).correlate(Repo)))
    .correlate(Repo)
    .scalar_subquery()
)
_WORKSPACES = (
    select(objects((func.lower(Workspace.name),), name=Workspace.name))
    .where(Workspace.repo_id == Repo.id)
    .correlate(Repo)
    .scalar_subquery()
)
_COLUMNS = (Repo.id, Repo.url, Repo.has_github_outputs, _PROJECTS, _WORKSPACES)


def _first_workspace(column: Any) -> Any:
    """Of the creator of the first workspace by name."""
    first = (
        select(Workspace.created_by_id)
        .where(_of_repo(Workspace))
        .order_by(func.lower(Workspace.name))
        .limit(1)
        .correlate(Repo)
        .scalar_subquery()
    )
    return select(column).where(User.id == first).correlate(Repo).scalar_subquery()


_SIGNED_OFF = (
    select(func.count(Workspace.signed_off_at))
    .where(Workspace.repo_id == Repo.id)
    .correlate(Repo)
    .scalar_subquery()
)
_SEVERAL = (
    select(Workspace.repo_id)
    .group_by(Workspace.repo_id)
    .having(func.min(Workspace.project_id) != func.max(Workspace.project_id))
)


_BEGAN = runs.began(_of_repo, Repo)
# Eleven calendar months: so early that the limit is near (spec: staff 5.3, 17.49).
_LONG_AGO = func.now() - text("interval '11 months'")
_IS_DUE = (
    Repo.is_private.is_(True),
    literal(NON_RESEARCH) != func.all(Repo.topics),
    _BEGAN < _LONG_AGO,
)
PRIVATE_REPOS: StaffList[PrivateRow] = WholeList(
    noun=("private repository", "private repositories"),
    id_column=Repo.id,
    columns=select(
        *_COLUMNS,
        Repo.made_on_github_at,
        runs.first_run(_of_repo, Repo),
        runs.first_run(_of_its_projects, Repo),
        _SIGNED_OFF,
        _first_workspace(User.fullname),
        _first_workspace(User.username),
    ).select_from(Repo),
    make=PrivateRow,
    sorts=(
        Sort("urgency", "Most urgent first", (_BEGAN,)),
        Sort("name", "Address", (func.lower(Repo.url),)),
    ),
    header=(
        "url",
        "projects",
        "workspaces",
        "contact",
        "created on GitHub",
        "first run",
        "first run of its projects",
        "public by",
        "outputs on GitHub",
        "workspaces signed off",
    ),
    cells=lambda row: (
        row.url,
        row.project_names,
        row.workspace_names,
        row.contact_username or "",
        row.made_on_github_at,
        row.first_run_at,
        row.project_first_run_at,
        row.must_be_public_at,
        "yes" if row.has_github_outputs else "no",
        f"{row.signed_off} of {len(row.workspaces)}",
    ),
    search=url_contains,
    search_label="Part of the address",
    filters=(OF_ORG, by_rules("sign_off", "Sign-off", SIGN_OFFS)),
    conditions=_IS_DUE,
)
_IS_SHARED = Repo.id.in_(_SEVERAL)
SHARED_REPOS: StaffList[SharedRow] = StaffList(
    noun=("repository", "repositories"),
    id_column=Repo.id,
    columns=select(*_COLUMNS).select_from(Repo),
    make=SharedRow,
    sorts=(Sort("name", "Address", (func.lower(Repo.url),)),),
    header=("url", "projects", "workspaces", "outputs on GitHub"),
    cells=lambda row: (
        row.url,
        row.project_names,
        row.workspace_names,
        "yes" if row.has_github_outputs else "no",
    ),
    search=url_contains,
    search_label="Part of the address",
    filters=(OF_ORG, by_rules("has_outputs", "Outputs on GitHub", OUTPUTS)),
    conditions=(_IS_SHARED,),
)
