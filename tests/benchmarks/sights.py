"""What there is to look at in a sample: one example of everything that has a page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, any_, func, literal, select
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    Job,
    JobRequest,
    JobRequestStatus,
    Org,
    Project,
    PublishRequest,
    Release,
    ReleaseFile,
    ReleaseRequest,
    Repo,
    Role,
    Snapshot,
    SnapshotFile,
    User,
    Workspace,
)
from jobserver.security import sessions


@dataclass(frozen=True)
class Sights:
    """Paths begin and end with a stroke. ``cookies``: of a browser in which somebody is signed in."""

    org: str
    project: str
    workspace: str
    recent_workspace: str
    usual: str
    before_usual: int
    running: str
    largest: str
    job: str
    failed_job: str
    release: str
    largest_release: str
    released_file: str
    latest_file: str
    snapshot: str
    published_file: str
    waiting_draft: str
    release_request: str
    username: str
    backend: str
    action: str
    project_slug: str
    identifier: str
    sha: str
    repo: str
    middle: datetime
    newest: datetime
    requests: int
    cookies: dict[str, str]


def sights(engine: Engine) -> Sights:
    """Examples out of this database; a researcher and a member of staff are signed in."""
    with Session(engine) as db:
        found = _find(db)
        db.commit()
    return found


def _find(db: Session) -> Sights:
    busiest: int = _one(
        db, select(Job.workspace_id).group_by(Job.workspace_id).order_by(func.count().desc()).limit(1)
    )
    ended = select(JobRequest).where(JobRequest.status == JobRequestStatus.SUCCEEDED)
    newest_first = JobRequest.id.desc()
    usual, before = db.scalars(
        ended.where(JobRequest.workspace_id == busiest).order_by(newest_first).limit(2)
    )
    running: JobRequest = _one(
        db,
        select(JobRequest)
        .where(JobRequest.status == JobRequestStatus.RUNNING, JobRequest.jobs_succeeded > 0)
        .order_by(JobRequest.jobs_succeeded.desc(), JobRequest.id)
        .limit(1),
    )
    largest: JobRequest = _one(
        db, select(JobRequest).order_by((JobRequest.jobs_succeeded + JobRequest.jobs_failed).desc()).limit(1)
    )
    job: Job = _one(db, select(Job).where(Job.job_request_id == usual.id).order_by(Job.id.desc()).limit(1))
    failed: Job = _one(
        db,
        select(Job)
        .where(Job.workspace_id == busiest, Job.status_code == "nonzero_exit")
        .order_by(Job.id.desc())
        .limit(1),
    )
    paths = _paths(db, {busiest, running.workspace_id, largest.workspace_id})
    place: tuple[str, str, str] = _one_row(
        db,
        select(Org.slug, Project.slug, Repo.url)
        .join(Project, Project.org_id == Org.id)
        .join(Workspace, Workspace.project_id == Project.id)
        .join(Repo, Repo.id == Workspace.repo_id)
        .where(Workspace.id == busiest),
    )
    researcher = db.get_one(User, usual.created_by_id)
    boss: User = _one(db, _somebody(Role.STAFF_AREA_ADMINISTRATOR))
    of_busiest = (
        select(ReleaseFile.release_id)
        .where(ReleaseFile.workspace_id == busiest)
        .group_by(ReleaseFile.release_id)
        .order_by(func.count().desc())
    )
    largest_release, *releases = db.scalars(of_busiest.limit(2))
    released: tuple[str, str] = _one_row(db, _file_of(ReleaseFile.release_id == largest_release))
    snapshot, published = _snapshot(db)
    checker: User = _one(db, _somebody(Role.OUTPUT_CHECKER))
    publisher: User = _one(db, _somebody(Role.OUTPUT_PUBLISHER))
    middle = select(JobRequest.created_at).order_by(JobRequest.id).offset(usual.id // 2).limit(1)
    return Sights(
        org=f"/{place[0]}/",
        project=f"/{place[0]}/{place[1]}/",
        workspace=paths[busiest],
        recent_workspace=paths[running.workspace_id],
        usual=f"{paths[busiest]}{usual.id}/",
        before_usual=before.id,
        running=f"{paths[running.workspace_id]}{running.id}/",
        largest=f"{paths[largest.workspace_id]}{largest.id}/",
        job=f"{paths[busiest]}{usual.id}/{job.identifier}/",
        failed_job=f"{paths[busiest]}{failed.job_request_id}/{failed.identifier}/",
        release=f"{paths[busiest]}releases/{releases[0] if releases else largest_release}/",
        largest_release=f"{paths[busiest]}releases/{largest_release}/",
        released_file=f"{paths[busiest]}releases/{largest_release}/{released[0]}/",
        latest_file=f"{paths[busiest]}outputs/latest/{released[1]}/{released[0]}/",
        snapshot=snapshot,
        published_file=f"{snapshot}{published}/",
        waiting_draft=_waiting(db),
        release_request=_release_request(db),
        username=researcher.username,
        backend=_one(db, select(Backend.slug).where(Backend.id == usual.backend_id)),
        action=job.action,
        project_slug=place[1],
        identifier=usual.identifier,
        sha=usual.sha,
        repo=place[2],
        middle=_one(db, middle),
        newest=usual.created_at,
        requests=_one(db, select(func.count()).select_from(JobRequest)),
        cookies={
            "researcher": sessions.start(db, researcher, user_agent="bench", address="127.0.0.1"),
            "checker": sessions.start(db, checker, user_agent="bench", address="127.0.0.1"),
            "publisher": sessions.start(db, publisher, user_agent="bench", address="127.0.0.1"),
            "staff": sessions.start(db, boss, user_agent="bench", address="127.0.0.1"),
        },
    )


def _somebody(role: Role) -> Any:
    return select(User).where(literal(role.value) == any_(User.roles)).order_by(User.id).limit(1)


def _file_of(files: Any) -> Any:
    """The name, and the backend's, of the last of these files that can be read."""
    return (
        select(ReleaseFile.name, Backend.slug)
        .join(Release, Release.id == ReleaseFile.release_id)
        .join(Backend, Backend.id == Release.backend_id)
        .where(files, ReleaseFile.uploaded_at.is_not(None), ReleaseFile.deleted_at.is_(None))
        .order_by(ReleaseFile.name.desc())
        .limit(1)
    )


def _snapshot(db: Session) -> tuple[str, str]:
    """The page of the published set with most files, and the name of one of them."""
    size = (
        select(func.count())
        .where(SnapshotFile.snapshot_id == Snapshot.id)
        .correlate(Snapshot)
        .scalar_subquery()
    )
    found: Snapshot = _one(
        db,
        select(Snapshot)
        .join(PublishRequest, PublishRequest.snapshot_id == Snapshot.id)
        .where(PublishRequest.decision == "approved")
        .order_by(size.desc(), Snapshot.id)
        .limit(1),
    )
    members = select(SnapshotFile.release_file_id).where(SnapshotFile.snapshot_id == found.id)
    name, _ = _one_row(db, _file_of(ReleaseFile.id.in_(members)))
    return f"{_paths(db, {found.workspace_id})[found.workspace_id]}outputs/{found.id}/", name


def _waiting(db: Session) -> str:
    """The page of the set that waits longest to be published."""
    found: PublishRequest = _one(
        db,
        select(PublishRequest)
        .where(PublishRequest.decision.is_(None))
        .order_by(PublishRequest.created_at, PublishRequest.id)
        .limit(1),
    )
    place = db.get_one(Snapshot, found.snapshot_id).workspace_id
    return f"{_paths(db, {place})[place]}outputs/{found.snapshot_id}/"


def _release_request(db: Session) -> str:
    found: ReleaseRequest = _one(
        db,
        select(ReleaseRequest).where(ReleaseRequest.state == "released").order_by(ReleaseRequest.id).limit(1),
    )
    return f"{_paths(db, {found.workspace_id})[found.workspace_id]}release-requests/{found.id}/"


def _paths(db: Session, workspaces: set[int]) -> dict[int, str]:
    statement = (
        select(Workspace.id, Org.slug, Project.slug, Workspace.name)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(Workspace.id.in_(workspaces))
    )
    return {id_: f"/{org}/{project}/{name}/" for id_, org, project, name in db.execute(statement)}


def _one(db: Session, statement: Any) -> Any:
    return db.scalars(statement).one()


def _one_row(db: Session, statement: Any) -> Any:
    return db.execute(statement).one()
