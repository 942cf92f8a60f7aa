"""Handing a request to the controller: every answer, every death in between (spec: rap 3.2 and 11)."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy.orm import Session

from jobserver import locks
from jobserver.clients.rap import Created, CreateRequest, RapClient
from jobserver.models import Job, JobRequest, utcnow
from jobserver.queries import active_requests
from jobserver.rap.context import Context
from jobserver.rap.round import repeat_what_failed, run_round
from jobserver.rap.submit import Outcome, submit
from tests import factories as f
from tests.contract.recorded import Reply, html_reply, json_reply, refusing_url
from tests.unit.rap.conftest import reload
from tests.unit.rap.controller import DOWN, Controller

UNSETTLED = "unknown_error_creating_jobs"


def test_the_body_is_made_of_the_request(db: Session, context: Context, controller: Controller) -> None:
    """Spec: rap 2."""
    lead = f.OrgFactory(slug="zeta-university")
    project = f.ProjectFactory(slug="asthma", org=lead, other_orgs=[f.OrgFactory(slug="alpha-institute")])
    workspace = f.WorkspaceFactory(
        name="asthma-main",
        project=project,
        branch="of-the-workspace",
        repo=f.RepoFactory(url="https://github.com/opensafely/asthma-study"),
    )
    request = f.JobRequestFactory(
        workspace=workspace,
        backend=f.BackendFactory(slug="tpp"),
        created_by=f.UserFactory(username="a-researcher"),
        branch="of-the-request",
        requested_actions=["b", "a"],
        force_run_dependencies=True,
        codelists_ok=False,
        analysis_scope={"population_permissions": ["include_ndoo"]},
    )
    assert submit(context, request.id) is Outcome.ACCEPTED
    assert controller.calls("create") == [
        {
            "rap_id": request.identifier,
            "backend": "tpp",
            "workspace": "asthma-main",
            "repo_url": "https://github.com/opensafely/asthma-study",
            "branch": "of-the-request",
            "commit": request.sha,
            "database_name": "default",
            "requested_actions": ["b", "a"],
            "codelists_ok": False,
            "force_run_dependencies": True,
            "created_by": "a-researcher",
            "project": "asthma",
            "orgs": ["zeta-university", "alpha-institute"],
            "analysis_scope": {"population_permissions": ["include_ndoo"]},
        }
    ]


def test_a_request_without_a_branch_is_sent_with_that_of_its_workspace(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory(branch="", workspace=f.WorkspaceFactory(branch="main/2026"))
    submit(context, request.id)
    assert controller.calls("create")[0]["branch"] == "main/2026"
    assert controller.calls("create")[0]["analysis_scope"] == {}


def refused(status: int, body: Any) -> Reply:
    return json_reply(body, status)


ROWS = [
    pytest.param(json_reply({"count": 2, "details": "ok"}, 201), "pending", None, True, id="created"),
    pytest.param(json_reply({"count": 2, "details": "as before"}), "pending", None, True, id="no change"),
    pytest.param(
        json_reply({"count": 0, "details": "all succeeded"}), "nothing_to_do", "all succeeded", True,
        id="nothing to do",
    ),
    pytest.param(refused(400, {"details": "no such branch"}), "failed", "no such branch", True, id="refused"),
    pytest.param(
        refused(400, {"error": "odd"}), "failed",
        "The RAP controller refused this without giving a reason.", True, id="refused without reason",
    ),
    pytest.param(html_reply(404), UNSETTLED, None, False, id="error page"),
    pytest.param(Reply(405), UNSETTLED, None, False, id="empty error"),
    pytest.param(refused(500, {"details": "oh"}), UNSETTLED, None, False, id="fault of the controller"),
    pytest.param(html_reply(502), UNSETTLED, None, False, id="fault of a proxy"),
    pytest.param(DOWN, UNSETTLED, None, False, id="no answer"),
    pytest.param(Reply(200, b"", wait=3), UNSETTLED, None, False, id="too late"),
    pytest.param(html_reply(200), UNSETTLED, None, False, id="success that is not JSON"),
    pytest.param(json_reply({"details": "ok"}, 201), UNSETTLED, None, False, id="success without count"),
    pytest.param(json_reply({"count": 0}), UNSETTLED, None, False, id="nothing to do without a word"),
    pytest.param(refused(401, {"details": "Invalid token"}), UNSETTLED, None, False, id="our token is wrong"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "status", "message", "settled"), ROWS)
def test_every_answer_to_a_create_call(
    db: Session,
    context: Context,
    controller: Controller,
    reply: Reply,
    status: str,
    message: str | None,
    settled: bool,
) -> None:
    """Spec: rap 3.2 as bettered in 11."""
    request = f.JobRequestFactory()
    controller.says["create"] = [reply]
    submit(context, request.id)
    request = reload(db, request)
    assert (request.status, request.status_message) == (status, message)
    assert (request.settled_at is not None) == settled
    assert (request.submit_attempts, request.version) == (1, 2)
    # What is settled is not sent again; what is not will be.
    before = len(controller.calls("create"))
    again = submit(context, request.id)
    assert (again is Outcome.SETTLED) == settled
    assert len(controller.calls("create")) - before == (0 if settled else 1)


def test_no_connection_leaves_the_request_to_be_repeated(db: Session, context: Context) -> None:
    context = replace(context, clients=replace(context.clients, rap=RapClient(refusing_url(), "t")))
    request = f.JobRequestFactory()
    assert submit(context, request.id) is Outcome.UNKNOWN
    assert reload(db, request).status == UNSETTLED


@pytest.mark.parametrize(("url", "token"), [("", "token"), ("http://127.0.0.1:9/", "")])
def test_a_missing_setting_is_the_operators_fault(
    db: Session, context: Context, url: str, token: str
) -> None:
    context = replace(context, clients=replace(context.clients, rap=RapClient(url, token)))
    request = f.JobRequestFactory()
    with structlog.testing.capture_logs() as logs:
        assert submit(context, request.id) is Outcome.UNKNOWN
    request = reload(db, request)
    assert (request.status, request.settled_at) == (UNSETTLED, None)
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["rap_create_not_allowed"]


def test_a_wrong_token_is_told_to_operators_and_not_to_users(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory()
    controller.says["create"] = [refused(401, {"error": "Unauthorized", "details": "Invalid token"})]
    with structlog.testing.capture_logs() as logs:
        submit(context, request.id)
    assert reload(db, request).status_message is None
    assert [each["log_level"] for each in logs if each["event"] == "rap_create_not_allowed"] == ["error"]


def test_an_unknown_request_is_not_submitted(db: Session, context: Context, controller: Controller) -> None:
    assert submit(context, 4711) is Outcome.SETTLED
    assert controller.asked == []


def test_an_outcome_does_not_overwrite_what_jobs_say(
    db: Session, context: Context, controller: Controller
) -> None:
    """A poll found the jobs while the create call's answer was still on its way."""
    request = f.JobRequestFactory(last_submitted_at=utcnow(), submit_attempts=1)

    def answer(_asked: object) -> Reply:
        jobs = controller.add(request.identifier, "running")
        reply = json_reply({"jobs": jobs, "unrecognised_rap_ids": []})
        controller.says["status"] = [reply]
        controller.lock.release()
        try:
            run_round(context)
        finally:
            controller.lock.acquire()
        return json_reply({"count": 1, "details": "ok"}, 201)

    controller.says["create"] = [answer]
    submit(context, request.id)
    request = reload(db, request)
    assert (request.status, request.jobs_running) == ("running", 1)


def test_two_at_once_send_a_request_once(db: Session, context: Context, controller: Controller) -> None:
    request = f.JobRequestFactory()
    with context.alone(locks.SUBMISSION, request.id) as alone:
        assert alone
        assert submit(context, request.id) is Outcome.BUSY
    assert controller.calls("create") == []
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(submit(context, request.id))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Outcome.ACCEPTED) == 1
    assert len(controller.calls("create")) == 1


class Death(BaseException):
    """The process dies here."""


class DyingBefore(RapClient):
    """A client whose process dies before the call leaves."""

    def create(self, request: CreateRequest) -> Created:
        raise Death


class DyingAfter(RapClient):
    """A client whose process dies when the controller has answered, before anything is recorded."""

    def create(self, request: CreateRequest) -> Created:
        super().create(request)
        raise Death


@pytest.mark.parametrize("client", [DyingBefore, DyingAfter])
def test_death_around_the_call_loses_nothing(
    db: Session, context: Context, controller: Controller, client: type[RapClient]
) -> None:
    request = f.JobRequestFactory()
    dying = replace(context, clients=replace(context.clients, rap=client(controller.url, "rap-token")))
    with pytest.raises(Death):
        submit(dying, request.id)
    request = reload(db, request)
    assert (request.status, request.settled_at, request.submit_attempts) == ("unknown", None, 1)
    make_due(db, request)
    repeat_what_failed(context)
    run_round(context)
    request = reload(db, request)
    assert (request.status, request.jobs_pending) == ("pending", 1)
    assert len(controller.jobs[request.identifier]) == 1


def make_due(db: Session, request: JobRequest) -> None:
    db.get_one(JobRequest, request.id).last_submitted_at = utcnow() - timedelta(hours=1)
    db.commit()


def test_a_request_that_was_never_sent_is_sent_by_the_service(
    db: Session, context: Context, controller: Controller
) -> None:
    """The web process died between its commit and the task, or there is no worker."""
    request = f.JobRequestFactory(created_at=utcnow() - timedelta(seconds=11))
    repeat_what_failed(context)
    assert reload(db, request).status == "pending"


@pytest.mark.parametrize("status", ["succeeded", "failed", "nothing_to_do", "pending", "running"])
def test_a_request_with_an_outcome_is_never_sent(
    db: Session, context: Context, controller: Controller, status: str
) -> None:
    """Not even one that was carried over from before outcomes had a time."""
    request = f.JobRequestFactory(status=status, created_at=utcnow() - timedelta(hours=1))
    repeat_what_failed(context, at_once=True)
    assert submit(context, request.id) is Outcome.SETTLED
    assert controller.calls("create") == []
    assert active_requests.next_submission(db, utcnow()) is None


def test_the_worker_has_a_head_start(db: Session, context: Context, controller: Controller) -> None:
    request = f.JobRequestFactory()
    repeat_what_failed(context, at_once=True)
    assert controller.calls("create") == []
    due = active_requests.next_submission(db, utcnow())
    assert due == request.created_at + active_requests.HEAD_START


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 10), (2, 20), (5, 160), (7, 600), (60, 600)])
def test_the_pauses_between_attempts_grow_up_to_ten_minutes(
    db: Session, context: Context, attempts: int, seconds: int
) -> None:
    last = utcnow()
    request = f.JobRequestFactory(last_submitted_at=last, submit_attempts=attempts)
    assert active_requests.next_submission(db, last) == last + timedelta(seconds=seconds)
    early, late = (last + timedelta(seconds=seconds + each) for each in (-1, 1))
    assert active_requests.to_submit(db, early) == []
    assert active_requests.to_submit(db, late) == [request.id]
    assert active_requests.to_submit(db, last, at_once=True) == [request.id]


def test_the_oldest_are_sent_first_and_an_outage_ends_the_round(
    db: Session, context: Context, controller: Controller
) -> None:
    requests = [
        f.JobRequestFactory(last_submitted_at=utcnow() - timedelta(hours=1), submit_attempts=1)
        for _ in range(4)
    ]
    controller.down = True
    repeat_what_failed(context)
    controller.down = False
    attempts = [reload(db, request).submit_attempts for request in requests]
    assert attempts == [2, 2, 1, 1]
    repeat_what_failed(context, at_once=True)
    assert [reload(db, request).status for request in requests] == ["pending"] * 4


def test_one_request_that_cannot_be_answered_does_not_hold_up_the_others(
    db: Session, context: Context, controller: Controller
) -> None:
    bad, good = (
        f.JobRequestFactory(last_submitted_at=utcnow() - timedelta(hours=1), submit_attempts=1)
        for _ in range(2)
    )
    controller.says["create"] = [html_reply(500)]
    repeat_what_failed(context)
    assert reload(db, bad).status == UNSETTLED
    assert reload(db, good).status == "pending"


def test_a_request_is_settled_when_its_jobs_are_seen(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory(status=UNSETTLED, last_submitted_at=utcnow(), submit_attempts=1)
    controller.add(request.identifier, "running", "pending")
    run_round(context)
    request = reload(db, request)
    assert request.status == "running"
    assert request.settled_at is not None
    assert db.query(Job).count() == 2


def test_no_transaction_is_open_while_the_controller_is_called(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory()
    seen: list[list[str]] = []

    def answer(_asked: object) -> Reply:
        rows = db.connection().exec_driver_sql(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'tests'"
            " AND datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        seen.append([state for (state,) in rows])
        db.rollback()
        return json_reply({"count": 1, "details": "ok"}, 201)

    db.rollback()
    controller.says["create"] = [answer]
    submit(context, request.id)
    assert seen == [[]]
