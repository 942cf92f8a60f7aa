"""The mails about job requests: one at the end, one at the first failure (spec: pages 25 and 30.6)."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions.job_status import state_of
from jobserver.clients.mail import Message
from jobserver.models import Backend, Job, JobRequest, JobState, Org, Project, User, Workspace
from jobserver.tasks.links import link
from jobserver.templating.sentences import job_sentence
from jobserver.templating.times import duration

TEMPLATES = Path(__file__).parent.parent / "templates" / "mail"
TEAM = "OpenSAFELY Team <team@opensafely.org>"

# Outcomes in the order in which a reader wants to know of them.
_ORDER = (
    (JobState.FAILED, "Failed"),
    (JobState.UNKNOWN, "Ended in an unknown way"),
    (JobState.CANCELLED, "Cancelled"),
    (JobState.SUCCEEDED, "Succeeded"),
    (JobState.RUNNING, "Running"),
    (JobState.PENDING, "Pending"),
)

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=select_autoescape(enabled_extensions=("html.jinja2",), default=False),
)


@dataclass(frozen=True)
class JobLine:
    """One job as a mail shows it."""

    action: str
    state: JobState
    url: str
    sentence: str
    duration: str
    log: str


@dataclass(frozen=True)
class Subject:
    """The request that a mail is about, and whom it goes to."""

    row: Any
    url: str
    jobs: tuple[JobLine, ...]

    @property
    def groups(self) -> list[tuple[str, list[JobLine]]]:
        """The jobs by outcome, failed ones first."""
        grouped = [(word, [job for job in self.jobs if job.state is state]) for state, word in _ORDER]
        return [(word, jobs) for word, jobs in grouped if jobs]

    @property
    def logs(self) -> list[str]:
        """Where the logs of the failed jobs are."""
        return [job.log for job in self.jobs if job.log]


def request_ended(db: Session, job_request_id: int, base_url: str) -> Message | None:
    """The digest of a request that has ended; None if nobody is to get it."""
    subject = _load(db, job_request_id, base_url)
    if subject is None:
        return None
    row = subject.row
    only_cancelled = row.status == "failed" and not row.jobs_failed
    outcome = "cancelled" if only_cancelled else row.status
    lasted = _lasted(row.started_at, row.completed_at)
    title = f"{outcome}: [os {row.workspace}] job request {row.id}"
    return _message(subject, title, "request_ended", outcome=outcome, lasted=lasted)


def first_failure(db: Session, job_request_id: int, base_url: str) -> Message | None:
    """Word that a job has failed while others of the request still go on; None if nobody is to get it."""
    subject = _load(db, job_request_id, base_url)
    if subject is None:
        return None
    failed = [job for job in subject.jobs if job.state is JobState.FAILED]
    if not failed:
        return None
    row = subject.row
    names = failed[0].action if len(failed) == 1 else f"{len(failed)} jobs"
    title = f"failed: [os {row.workspace}] {names}"
    return _message(subject, title, "first_failure", failed=failed, others=len(subject.jobs) - len(failed))


def _load(db: Session, job_request_id: int, base_url: str) -> Subject | None:
    request = JobRequest
    row = db.execute(
        select(
            request.id,
            request.identifier,
            request.status,
            request.jobs_failed,
            request.started_at,
            request.completed_at,
            Backend.name.label("backend"),
            Workspace.name.label("workspace"),
            Project.slug.label("project"),
            Org.slug.label("org"),
            User.email.label("email"),
            User.fullname.label("fullname"),
        )
        .join(Backend, Backend.id == request.backend_id)
        .join(Workspace, Workspace.id == request.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(User, User.id == request.created_by_id)
        .where(request.id == job_request_id, User.disabled_at.is_(None), User.email.is_not(None))
    ).one_or_none()
    if row is None:
        return None
    path = (row.org, row.project, row.workspace, row.id)
    jobs = db.scalars(
        select(Job).where(Job.job_request_id == row.id).order_by(Job.started_at.nulls_last(), Job.id)
    )
    lines = tuple(_line(job, row.backend, link(base_url, *path, job.identifier)) for job in jobs)
    return Subject(row, link(base_url, *path), lines)


def _line(job: Job, backend: str, url: str) -> JobLine:
    state = state_of(job.status, job.status_code)
    sentence = job_sentence(job.status, job.status_code, job.status_message, backend=backend)
    lasted = _lasted(job.started_at, job.completed_at)
    log = f"metadata/{job.action}.log" if job.status_code == "nonzero_exit" else ""
    return JobLine(job.action, state, url, sentence.striptags(), lasted, log)


def _lasted(start: Any, end: Any) -> str:
    """How long it took, in words; empty if it is not known or the clocks disagree."""
    length = end - start if start and end else timedelta(0)
    return duration(length) if length > timedelta(0) else ""


def _message(subject: Subject, title: str, template: str, **values: Any) -> Message:
    values = {"request": subject.row, "url": subject.url, "subject": subject, **values}
    return Message(
        to=subject.row.email,
        subject=title,
        text=_environment.get_template(f"{template}.txt.jinja2").render(values),
        html=_environment.get_template(f"{template}.html.jinja2").render(values),
        reply_to=TEAM,
    )
