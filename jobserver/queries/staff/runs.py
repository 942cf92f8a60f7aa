"""What was run and came out, of some workspaces, as columns of a list (spec: staff 5).

A job's first moment is the earlier of when it was made and when it began, its last the later of the two.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased

from jobserver.models import Job, JobRequest, ReleaseFile, Workspace

# Which workspaces are meant: a condition on this alias.
Mine = Callable[[Any], ColumnElement[bool]]
# Later requests have later jobs, but for those made at nearly the same time: so many of a workspace are
# looked at, not all the thousands that it may have.
LOOKED_AT = 25


def _end_of(workspace: Any, first: bool) -> Any:
    """The first (or last) moment of one workspace's jobs, as far as its first (or last) requests have it."""
    request = aliased(JobRequest)
    at_edge = (
        select(request.id)
        .where(request.workspace_id == workspace.id, request.jobs_total > 0)
        .order_by(request.id if first else request.id.desc())
        .limit(LOOKED_AT)
        .correlate(workspace)
        .subquery()
    )
    moment = (func.least if first else func.greatest)(Job.started_at, Job.created_at)
    fold = func.min if first else func.max
    return select(fold(moment)).join(at_edge, at_edge.c.id == Job.job_request_id).scalar_subquery()


def _run(mine: Mine, outer: Any, first: bool) -> ColumnElement[datetime | None]:
    workspace = aliased(Workspace)
    ends = select(_end_of(workspace, first).label("at")).where(mine(workspace)).correlate(outer).subquery()
    fold = func.min if first else func.max
    return select(fold(ends.c.at)).scalar_subquery()


def first_run(mine: Mine, outer: Any) -> ColumnElement[datetime | None]:
    """When the first job of these workspaces ran; a column of a statement about ``outer``."""
    return _run(mine, outer, True)


def last_run(mine: Mine, outer: Any) -> ColumnElement[datetime | None]:
    """When the last job of these workspaces ran."""
    return _run(mine, outer, False)


def began(mine: Mine, outer: Any) -> ColumnElement[datetime | None]:
    """About when the first job of these workspaces ran, by its request alone: to sort many rows by."""
    workspace, request = aliased(Workspace), aliased(JobRequest)
    first = (
        select(func.coalesce(request.started_at, request.created_at))
        .where(request.workspace_id == workspace.id, request.jobs_total > 0)
        .order_by(request.id)
        .limit(1)
        .correlate(workspace)
        .scalar_subquery()
    )
    ends = select(first.label("at")).where(mine(workspace)).correlate(outer).subquery()
    return select(func.min(ends.c.at)).scalar_subquery()


def requests(mine: Mine, outer: Any) -> ColumnElement[int]:
    """How many job requests these workspaces have."""
    workspace = aliased(Workspace)
    counted = (
        select(func.count()).select_from(JobRequest).join(workspace, workspace.id == JobRequest.workspace_id)
    )
    return counted.where(mine(workspace)).correlate(outer).scalar_subquery()


def released_files(mine: Mine, outer: Any) -> ColumnElement[int]:
    """How many files of these workspaces were released and are still there."""
    workspace = aliased(Workspace)
    there = and_(ReleaseFile.uploaded_at.is_not(None), ReleaseFile.deleted_at.is_(None))
    counted = (
        select(func.count())
        .select_from(ReleaseFile)
        .join(workspace, workspace.id == ReleaseFile.workspace_id)
    )
    return counted.where(mine(workspace), there).correlate(outer).scalar_subquery()
