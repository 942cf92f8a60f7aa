"""The rows along one path of the tree, by one joined statement (architecture: the one idea)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from jobserver.models import (
    Backend,
    Job,
    JobRequest,
    Org,
    Project,
    ProjectCollaboration,
    Repo,
    User,
    Workspace,
)

MAX_ID = 2**31 - 1
_NAMES = ("path_org", "path_project", "path_workspace", "path_request", "path_job")


@dataclass(frozen=True)
class PathRows:
    """What the path's segments name, as far as they name anything."""

    org: Org | None = None
    project: Project | None = None
    workspace: Workspace | None = None
    job_request: JobRequest | None = None
    job: Job | None = None
    org_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def is_canonical(self) -> bool:
        """Whether the organisation in the path is the project's lead."""
        return bool(self.org and self.project and self.project.org_id == self.org.id)

    @property
    def collaborates(self) -> bool:
        """Whether the organisation in the path takes part in the project."""
        return bool(self.org and self.org.id in self.org_ids)


def load(db: Session, segments: Sequence[str]) -> PathRows:
    """The rows that the segments org / project / workspace / job request / job name."""
    depth = min(len(segments), 5)
    if depth > 3 and as_id(segments[3]) is None:
        depth = 3
    named: dict[str, Any] = dict(zip(_NAMES, segments[:depth], strict=False))
    if depth > 3:
        named["path_request"] = as_id(segments[3])
    row = db.execute(_STATEMENTS[depth], named).mappings().one_or_none()
    if row is None:
        return PathRows()
    found = PathRows(
        org=row[Org],
        project=row.get(Project),
        workspace=row.get(Workspace),
        job_request=row.get(JobRequest),
        job=row.get(Job),
        org_ids=frozenset(row.get("org_ids") or ()),
    )
    _connect(found, row)
    return found


def load_by_workspace(db: Session, name: str) -> PathRows:
    """The rows of the path to the workspace of this name; empty if there is none."""
    if "\0" in name:
        return PathRows()
    row = db.execute(_BY_WORKSPACE, {"path_workspace": name}).mappings().one_or_none()
    if row is None:
        return PathRows()
    found = PathRows(row[Org], row[Project], row[Workspace], org_ids=frozenset(row["org_ids"] or ()))
    _connect(found, row)
    return found


def as_id(text: str) -> int | None:
    """The text as the id of a row, if it can be one."""
    if text.isascii() and text.isdigit() and len(text) <= 10 and text == str(int(text)):
        number = int(text)
        return number if 0 < number <= MAX_ID else None
    return None


def _org_ids() -> Any:
    """The organisations of the statement's project."""
    return (
        select(func.array_agg(ProjectCollaboration.org_id))
        .where(ProjectCollaboration.project_id == Project.id)
        .scalar_subquery()
        .label("org_ids")
    )


def _statement(depth: int) -> Any:
    named: list[BindParameter[Any]] = [bindparam(name) for name in _NAMES]
    org, project, workspace, job_request, job = named
    statement: Any = select(Org).select_from(Org).where(Org.slug == org)
    if depth > 1:
        statement = statement.add_columns(Project, _org_ids()).outerjoin(Project, Project.slug == project)
    if depth > 2:
        statement = (
            statement.add_columns(Workspace, Repo)
            .outerjoin(Workspace, and_(Workspace.project_id == Project.id, Workspace.name == workspace))
            .outerjoin(Repo, Repo.id == Workspace.repo_id)
        )
    if depth > 3:
        statement = (
            statement.add_columns(JobRequest, Backend, User)
            .outerjoin(
                JobRequest, and_(JobRequest.workspace_id == Workspace.id, JobRequest.id == job_request)
            )
            .outerjoin(Backend, Backend.id == JobRequest.backend_id)
            .outerjoin(User, User.id == JobRequest.created_by_id)
        )
    if depth > 4:
        statement = statement.add_columns(Job).outerjoin(
            Job, and_(Job.job_request_id == JobRequest.id, Job.identifier == job)
        )
    return statement


# Made once, by depth: every page below an organisation begins with one of them.
_STATEMENTS = {depth: _statement(depth) for depth in range(1, 6)}

_BY_WORKSPACE = (
    select(Org, Project, Workspace, Repo, _org_ids())
    .join(Project, Project.org_id == Org.id)
    .join(Workspace, Workspace.project_id == Project.id)
    .join(Repo, Repo.id == Workspace.repo_id)
    .where(Workspace.name == bindparam("path_workspace"))
)


def _connect(found: PathRows, rows: Any) -> None:
    """Set the relationships among the rows, so that no page asks for them again."""
    if found.project and found.is_canonical:
        set_committed_value(found.project, "org", found.org)
    if found.workspace:
        set_committed_value(found.workspace, "project", found.project)
        set_committed_value(found.workspace, "repo", rows[Repo])
    if found.job_request:
        set_committed_value(found.job_request, "workspace", found.workspace)
        set_committed_value(found.job_request, "backend", rows[Backend])
        set_committed_value(found.job_request, "created_by", rows[User])
    if found.job:
        set_committed_value(found.job, "job_request", found.job_request)


def job_by_prefix(db: Session, job_request_id: int, prefix: str) -> str | None:
    """The identifier of the only job of the request that begins so; None if none or several do."""
    matches = db.scalars(
        select(Job.identifier)
        .where(Job.job_request_id == job_request_id, func.starts_with(Job.identifier, prefix))
        .limit(2)
    ).all()
    return matches[0] if len(matches) == 1 else None
