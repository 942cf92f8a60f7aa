"""The whole way with the simulated outside world: asked for, submitted, followed, ended, told (spec: rap 3 to 5)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import cancelling, job_requests
from jobserver.clients import Clients
from jobserver.models import Backend, Cancellation, Job, JobRequest, User, Workspace
from jobserver.queries import active_requests
from jobserver.rap import backends
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.rap.service import Pauses, serve
from jobserver.settings import Settings
from jobserver.tasks import worker
from simulator.testing import RunningSimulator, running_simulator
from tests import factories as f
from tests.unit.rap.conftest import reload
from tests.unit.rap.eventually import eventually, in_background


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path, speed=0) as running:
        yield running


@pytest.fixture
def context(
    settings: Settings, session_factory: sessionmaker[Session], simulator: RunningSimulator
) -> Context:
    settings = replace(
        settings,
        base_url="https://jobs.example.org",
        rap_api_base_url=simulator.rap_url,
        rap_api_token=simulator.rap_token,
        rap_api_poll_interval=1,
        github_api_url=simulator.github_api_url,
        jobserver_github_token=simulator.github_token,
        slack_api_url=simulator.slack_url,
        slack_bot_token=simulator.slack_token,
        email_backend="smtp",
        smtp_url=simulator.smtp_url,
    )
    return Context(settings, session_factory, Clients.from_settings(settings))


class Study:
    """The demonstration's study, and requests for it."""

    def __init__(self, db: Session, context: Context) -> None:
        self._db = db
        self.backend: Backend = f.BackendFactory(slug="tpp", name="TPP")
        self.user: User = f.UserFactory(email="researcher@example.com")
        f.BackendMembershipFactory(backend=self.backend, user=self.user)
        project = f.ProjectFactory(slug="asthma-in-adults", org=f.OrgFactory(slug="demo-university"))
        repo = f.RepoFactory(url="https://github.com/demo-university/asthma-study")
        self.workspace: Workspace = f.WorkspaceFactory(name="asthma-main", project=project, repo=repo)
        self.commit = context.clients.github.resolve("demo-university", "asthma-study", "main").sha

    def ask(self, *actions: str, branch: str = "main") -> JobRequest:
        request = job_requests.create(
            self._db,
            workspace=self.workspace,
            backend=self.backend,
            by=self.user,
            commit=self.commit,
            branch=branch,
            project_definition="",
            codelists_ok=True,
            requested_actions=actions,
            force_run_dependencies=False,
            will_notify=True,
            creation_disabled=False,
        )
        self._db.commit()
        return request


@pytest.fixture
def study(db: Session, context: Context) -> Study:
    return Study(db, context)


@pytest.fixture
def programs(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Service and worker, running."""
    with (
        in_background(serve, context, pauses=Pauses(shortest=0.05, first=0.1, longest=0.5)),
        in_background(worker.run, context),
    ):
        yield


@pytest.mark.usefixtures("programs")
def test_from_the_asking_to_the_mail(db: Session, simulator: RunningSimulator, study: Study) -> None:
    request = study.ask("run_all")
    eventually(lambda: reload(db, request).jobs_pending > 1)
    simulator.control(speed=1000)
    eventually(lambda: not reload(db, request).is_active, within=30)
    assert reload(db, request).jobs_finished == reload(db, request).jobs_total
    eventually(lambda: simulator.mails())
    mail = simulator.mails()[0]
    assert mail["subject"].endswith(f"[os asthma-main] job request {request.id}")
    link = f"https://jobs.example.org/demo-university/asthma-in-adults/asthma-main/{request.id}/"
    assert link in mail["text"]


@pytest.mark.usefixtures("programs")
def test_a_refusal_shows_the_controllers_reason(db: Session, study: Study) -> None:
    request = study.ask("no_such_action")
    eventually(lambda: reload(db, request).status == "failed")
    assert "no_such_action" in (reload(db, request).status_message or "")


@pytest.mark.usefixtures("programs")
def test_running_what_is_pending_already_is_nothing_to_do(db: Session, study: Study) -> None:
    first = study.ask("run_all")
    eventually(lambda: reload(db, first).jobs_pending > 1)
    second = study.ask("run_all")
    eventually(lambda: reload(db, second).status == "nothing_to_do")
    assert reload(db, second).status_message


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "refuse"},
        {"kind": "refuse", "processed": True},
        {"kind": "truncated"},
        {"kind": "html", "processed": True},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 401},
    ],
)
def test_an_answer_that_is_lost_is_made_good(
    db: Session,
    simulator: RunningSimulator,
    study: Study,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, object],
) -> None:
    monkeypatch.setattr(active_requests, "HEAD_START", active_requests.HEAD_START / 20)
    simulator.control(fault={"service": "rap", "path": "/controller/v1/rap/create", "count": 1, **fault})
    request = study.ask("run_all")
    eventually(lambda: reload(db, request).jobs_pending > 1 and reload(db, request).settled_at, within=15)
    creates = [each for each in simulator.requests("rap") if each["path"].endswith("rap/create/")]
    assert len(creates) <= 3
    jobs = db.scalars(select(Job.action).where(Job.job_request_id == request.id)).all()
    assert len(jobs) == len(set(jobs))


@pytest.mark.usefixtures("programs")
def test_a_cancellation_reaches_the_controller(
    db: Session, context: Context, simulator: RunningSimulator, study: Study
) -> None:
    request = study.ask("run_all")
    eventually(lambda: reload(db, request).jobs_pending > 1)
    cancelling.ask(db, reload(db, request), study.user)
    db.commit()
    eventually(lambda: db.rollback() or db.scalar(select(Cancellation.sent_at)))
    simulator.control(step={})
    eventually(lambda: reload(db, request).status == "failed")
    request = reload(db, request)
    assert request.jobs_cancelled == request.jobs_total
    assert request.status_message == "Cancelled on request."


def test_paused_and_maintained_backends_are_seen(
    db: Session, context: Context, simulator: RunningSimulator, study: Study
) -> None:
    simulator.control(backend={"slug": "tpp", "paused": True, "db_maintenance": "scheduled"})
    report = backends.refresh(context)
    assert (report.updated, report.unknown) == (["tpp"], ["emis"])
    db.rollback()
    db.refresh(study.backend)
    assert (study.backend.is_paused, study.backend.is_in_maintenance_mode) == (True, True)


def test_a_request_of_another_world_is_not_recognised(
    db: Session, context: Context, simulator: RunningSimulator, study: Study
) -> None:
    request = study.ask("run_all")
    report = run_round(context, [request.identifier])
    assert report.synced.unrecognised == [request.identifier]
