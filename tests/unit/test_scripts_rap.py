"""Commands that ask the RAP controller, with the simulated outside world."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, Cancellation, Job, JobRequest
from simulator.testing import RunningSimulator, running_simulator
from tests import factories
from tests.unit.command import DEMONSTRATION, Run, count, ok, refused


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path, speed=0) as running:
        yield running


@pytest.fixture
def demo(run: Run, outside: RunningSimulator) -> Run:
    """The command, with the demonstration loaded and the outside world there."""
    ok(run("load-demonstration", str(DEMONSTRATION)))
    reachable = {
        "RAP_API_BASE_URL": outside.rap_url,
        "RAP_API_TOKEN": outside.rap_token,
        "GITHUB_API_URL": outside.github_api_url,
        "JOBSERVER_GITHUB_TOKEN": outside.github_token,
        "OPENCODELISTS_URL": outside.opencodelists_url,
    }
    return lambda *arguments, **given: run(*arguments, **{**reachable, **given})


CREATE = ("create-rap", "asthma-main", "researcher", "tpp")


def test_jobs_are_asked_for_followed_and_cancelled(demo: Run, db: Session) -> None:
    created = ok(demo(*CREATE, "-a", "generate_dataset", "generate_measures"))
    request = db.scalars(select(JobRequest)).one()
    assert created == f"{request.identifier} accepted\n"
    assert request.requested_actions == ["generate_dataset", "generate_measures"]
    assert (len(request.sha), request.branch, request.will_notify) == (40, "main", False)
    assert "generate_dataset:" in db.scalar(select(JobRequest.project_definition))

    status = ok(demo("rap-status", request.identifier)).split()
    assert (status[0], status[1] in {"pending", "running"}) == (request.identifier, True)
    assert {job.action for job in db.scalars(select(Job))} == {"generate_dataset", "generate_measures"}

    cancelled = ok(demo("cancel_jobs", request.identifier, "generate_measures"))
    assert cancelled == f"{request.identifier} sent: generate_measures\n"
    db.expire_all()
    assert db.scalars(select(JobRequest.cancelled_actions)).one() == ["generate_measures"]
    cancellation = db.scalars(select(Cancellation)).one()
    assert (cancellation.created_by_id, cancellation.sent_at is None) == (request.created_by_id, False)
    types = [event.type for event in db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))]
    assert types[-2:] == [AuditType.JOB_REQUEST_CREATED, AuditType.JOB_REQUEST_CANCELLED]
    refused(demo("cancel-jobs", request.identifier, "generate_measures"), "asked for already|have ended")


def test_options_may_follow_the_greedy_actions(demo: Run, db: Session) -> None:
    spelled = [CREATE[0], *(f" {each.title()}" for each in CREATE[1:])]
    ok(demo(*spelled, "--actions", "generate_dataset", "--force-run-dependencies", "--commit", "main"))
    request = db.scalars(select(JobRequest)).one()
    assert (request.requested_actions, request.force_run_dependencies) == (["generate_dataset"], True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create-rap", "nowhere", "researcher", "tpp", "-a", "x"), "no workspace “nowhere”"),
        (("create-rap", "asthma-main", "nobody", "tpp", "-a", "x"), "no user “nobody”"),
        (("create-rap", "asthma-main", "researcher", "nowhere", "-a", "x"), "no backend “nowhere”"),
        (("create-rap", "asthma-main", "newcomer", "tpp", "-a", "x"), "newcomer may not run jobs"),
        (("create-rap", "diabetes-main", "researcher", "tpp", "-a", "x"), "researcher may not run jobs"),
        ((*CREATE, "-a", "nonsense"), "no action nonsense. There are generate_dataset,"),
        ((*CREATE, "-a", "run_all", "--commit", "no-such-branch"), "no commit, tag or branch"),
    ],
)
def test_what_cannot_be_run_is_refused_and_not_stored(
    demo: Run, db: Session, arguments: tuple[str, ...], words: str
) -> None:
    refused(demo(*arguments), words)
    assert count(db, JobRequest) == 0


def test_actions_are_required(demo: Run, db: Session) -> None:
    assert demo(*CREATE).exit_code == 2
    assert demo(*CREATE, "-a").exit_code == 2


def test_a_request_that_the_controller_does_not_answer_is_kept(demo: Run, db: Session) -> None:
    created = ok(demo(*CREATE, "-a", "generate_dataset", RAP_API_BASE_URL="http://127.0.0.1:9/"))
    assert created.strip().endswith("unknown")
    assert db.scalars(select(JobRequest.settled_at)).one() is None


def test_an_unreachable_github_is_one_line(demo: Run, db: Session) -> None:
    refused(
        demo(*CREATE, "-a", "generate_dataset", GITHUB_API_URL="http://127.0.0.1:9"),
        "GitHub could not be reached",
    )


def test_a_cancellation_that_fails_has_status_1(demo: Run, db: Session) -> None:
    refused(demo("cancel-jobs", "aaaaaaaaaaaaaaaa", "x", RAP_API_BASE_URL="http://127.0.0.1:9/"), ".")
    assert demo("cancel-jobs", "aaaaaaaaaaaaaaaa", "x").exit_code == 1
    request = factories.JobRequestFactory()
    refused(demo("cancel-jobs", request.identifier, "x"), "not reported any job yet")


def test_the_status_of_an_unknown_request_is_reported_and_the_rest_done(demo: Run, db: Session) -> None:
    ok(demo(*CREATE, "-a", "generate_dataset"))
    known = db.scalars(select(JobRequest.identifier)).one()
    result = demo("rap-status", "aaaaaaaaaaaaaaaa", known)
    assert (result.exit_code, result.stdout.split()[0]) == (1, known)
    assert result.stderr.splitlines()[-1] == "aaaaaaaaaaaaaaaa is not known here"


def test_backends_are_updated_and_what_failed_has_status_1(demo: Run, db: Session) -> None:
    assert ok(demo("rap-update-backend-status")) == "tpp updated\nemis updated\n"
    result = demo("rap_update_backend_status", RAP_API_BASE_URL="http://127.0.0.1:9/")
    assert (result.exit_code, result.stdout) == (1, "")
