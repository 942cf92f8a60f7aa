"""Job requests with jobs, as the status service would have stored them."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from jobserver.actions import job_status
from jobserver.models import JobRequest, User, utcnow
from tests import factories as f

# When the test began: conftest.py sets it anew for each.
NOW = utcnow().replace(microsecond=0)

DEFINITION = """version: '4'
actions:
  dataset:
    run: ehrql:v1 generate-dataset analysis/dataset.py --output output/dataset.csv
    outputs:
      highly_sensitive:
        dataset: output/dataset.csv
  table:
    run: r:v2 analysis/table.R
    needs: [dataset]
    outputs:
      moderately_sensitive:
        table: output/table.csv
  report:
    run: python:v2 python analysis/report.py
    needs: [table, dataset]
    outputs:
      moderately_sensitive:
        report: output/report.html
"""


def ago(minutes: float) -> Any:
    """So many minutes before the test began."""
    return NOW - timedelta(minutes=minutes)


def member(job_request: JobRequest, *roles: str) -> User:
    """Somebody with these roles in the request's project."""
    user = f.UserFactory()
    f.ProjectMembershipFactory(project=job_request.workspace.project, user=user, roles=list(roles))
    return user


def job(job_request: JobRequest, status: str = "pending", code: str = "created", **fields: Any) -> Any:
    """One job; times that fit its status."""
    times: dict[str, Any] = {"created_at": ago(60), "updated_at": ago(1)}
    if status in {"running", "succeeded", "failed", "Failed"}:
        times["started_at"] = ago(50)
    if status in {"succeeded", "failed", "Failed", "0"}:
        times["completed_at"] = ago(20)
    return f.JobFactory(job_request=job_request, status=status, status_code=code, **{**times, **fields})


def refresh(db: Session, job_request: JobRequest) -> JobRequest:
    """Count the jobs and derive the status, as whoever stores jobs does."""
    job_status.refresh(db, job_status.lock(db, [job_request.id]), utcnow())
    db.commit()
    db.refresh(job_request, [column.key for column in JobRequest.__mapper__.column_attrs])
    return job_request


def requested(**fields: Any) -> JobRequest:
    """A request on TPP of an hour ago; settled."""
    backend = fields.pop("backend", None) or f.BackendFactory(slug="tpp", name="TPP")
    given = {"created_at": ago(60), "settled_at": ago(60), "project_definition": DEFINITION, **fields}
    made: JobRequest = f.JobRequestFactory(backend=backend, **given)
    return made


def path(job_request: JobRequest, *more: Any) -> str:
    """Where its page is."""
    workspace = job_request.workspace
    parts = (workspace.project.org.slug, workspace.project.slug, workspace.name, job_request.id, *more)
    return "/" + "/".join(str(part) for part in parts) + "/"
