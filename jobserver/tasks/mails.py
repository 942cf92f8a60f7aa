"""What the mails about job requests say: one at the end, one at the first failure (spec: pages 25, 30.6)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from jobserver.actions.job_status import state_of
from jobserver.clients.mail import Message
from jobserver.models import Backend, Job, JobRequest, JobState, Org, Project, User, Workspace
from jobserver.tasks import letters
from jobserver.tasks.links import link
from jobserver.templating.sentences import job_sentence
from jobserver.templating.times import duration

# Jobs of one outcome that a mail lists; a request may have thousands.
LISTED = 20

# Outcomes in the order in which a reader wants to know of them.
_ORDER = (
    (JobState.FAILED, "Failed"),
    (JobState.UNKNOWN, "Ended in an unknown way"),
    (JobState.CANCELLED, "Cancelled"),
    (JobState.SUCCEEDED, "Succeeded"),
    (JobState.RUNNING, "Running"),
    (JobState.PENDING, "Pending"),
)


@dataclass(frozen=True)
class JobLine:
    """One job as a mail shows it. ``log`` is where its log is, if reading that helps."""

    action: str
    state: JobState
    url: str
    sentence: str = ""
    duration: str = ""
    log: str = ""


@dataclass(frozen=True)
class Group:
    """The jobs with one outcome."""

    word: str
    jobs: tuple[JobLine, ...]

    @property
    def listed(self) -> tuple[JobLine, ...]:
        """Those that the mail names."""
        return self.jobs[:LISTED]

    @property
    def more(self) -> int:
        """How many it does not name."""
        return len(self.jobs) - len(self.listed)


@dataclass(frozen=True)
class Digest:
    """The request that a mail is about, its jobs, and whom the mail goes to.

    ``outcome`` is the word for its state, ``lasted`` how long it took, empty if that is not known;
    ``compare_url`` is empty if nothing was asked for in the workspace before.
    """

    id: int
    outcome: str
    lasted: str
    backend: str
    workspace: str
    email: str
    fullname: str
    url: str
    compare_url: str
    settings_url: str
    jobs: tuple[JobLine, ...]

    @property
    def groups(self) -> list[Group]:
        """The jobs by outcome, failed ones first."""
        grouped = [
            Group(word, tuple(job for job in self.jobs if job.state is state)) for state, word in _ORDER
        ]
        return [group for group in grouped if group.jobs]

    @property
    def failed(self) -> Group:
        """The jobs that failed."""
        return Group("Failed", tuple(job for job in self.jobs if job.state is JobState.FAILED))

    @property
    def logs(self) -> list[str]:
        """Where the logs of the failed jobs are."""
        return [job.log for job in self.jobs if job.log][:LISTED]


def request_ended(digest: Digest) -> Message:
    """Word of how the request has ended."""
    subject = f"{digest.outcome}: [os {digest.workspace}] job request {digest.id}"
    return letters.write("request_ended", to=digest.email, subject=subject, digest=digest)


def first_failure(digest: Digest, *, digest_follows: bool) -> Message | None:
    """Word that jobs have failed while others of the request still go on; None if none has.

    ``digest_follows``: there will be a mail about the end as well.
    """
    failed = digest.failed
    if not failed.jobs:
        return None
    names = failed.jobs[0].action if len(failed.jobs) == 1 else f"{len(failed.jobs)} jobs"
    return letters.write(
        "first_failure",
        to=digest.email,
        subject=f"failed: [os {digest.workspace}] {names}",
        digest=digest,
        failed=failed,
        others=len(digest.jobs) - len(failed.jobs),
        digest_follows=digest_follows,
    )


def load(db: Session, job_request_id: int, base_url: str) -> Digest:
    """What there is to say of the request."""
    request, earlier = JobRequest, aliased(JobRequest)
    row = db.execute(
        select(
            request.id,
            request.status,
            request.jobs_failed,
            request.started_at,
            request.completed_at,
            exists()
            .where(earlier.workspace_id == request.workspace_id, earlier.id < request.id)
            .label("again"),
            Backend.name.label("backend"),
            Workspace.name.label("workspace"),
            Project.slug.label("project"),
            Org.slug.label("org"),
            User.email,
            User.fullname,
        )
        .join(Backend, Backend.id == request.backend_id)
        .join(Workspace, Workspace.id == request.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(User, User.id == request.created_by_id)
        .where(request.id == job_request_id)
    ).one()
    path = (row.org, row.project, row.workspace, row.id)
    return Digest(
        id=row.id,
        outcome="cancelled" if row.status == "failed" and not row.jobs_failed else row.status,
        lasted=_lasted(row.started_at, row.completed_at),
        backend=row.backend,
        workspace=row.workspace,
        email=row.email or "",
        fullname=row.fullname,
        url=link(base_url, *path),
        compare_url=link(base_url, *path, "compare") if row.again else "",
        settings_url=link(base_url, "settings", "notifications"),
        jobs=_jobs(db, row.id, row.backend, (base_url, *path)),
    )


def _jobs(db: Session, job_request_id: int, backend: str, place: tuple[Any, ...]) -> tuple[JobLine, ...]:
    columns = (
        "identifier",
        "action",
        "status",
        "status_code",
        "status_message",
        "started_at",
        "completed_at",
    )
    rows = db.execute(
        select(*[getattr(Job, name) for name in columns])
        .where(Job.job_request_id == job_request_id)
        .order_by(Job.started_at.nulls_last(), Job.id)
    )
    return tuple(
        JobLine(
            action=job.action,
            state=state_of(job.status, job.status_code),
            url=link(*place, job.identifier),
            sentence=job_sentence(
                job.status, job.status_code, job.status_message, backend=backend
            ).striptags(),
            duration=_lasted(job.started_at, job.completed_at),
            log=f"metadata/{job.action}.log" if job.status_code == "nonzero_exit" else "",
        )
        for job in rows
    )


def _lasted(start: Any, end: Any) -> str:
    """How long it took, in words; empty if it is not known or the clocks disagree."""
    length = end - start if start and end else timedelta(0)
    return duration(length) if length > timedelta(0) else ""
