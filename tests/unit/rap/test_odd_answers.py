"""Answers that are stale, incomplete, contradictory or not to be had (spec: rap 4.4 and 11)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.clients.rap import RapClient
from jobserver.models import Job, utcnow
from jobserver.rap import sync
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.rap.sync import NOT_KNOWN
from tests import factories as f
from tests.contract.recorded import html_reply, json_reply, refusing_url
from tests.unit.rap.conftest import deferred, reload, settled, stored
from tests.unit.rap.controller import Controller, job

MAILS = ("mail_first_failure", "mail_request_ended")
HOUR_AGO = timedelta(hours=1)


def test_a_final_state_is_never_left(db: Session, context: Context, controller: Controller) -> None:
    """A stale answer is ignored."""
    request = settled()
    jobs = controller.add(request.identifier, "succeeded", "running")
    run_round(context)
    jobs[0].update(status="running", status_code="executing", completed_at=None, started_at=None)
    run_round(context)
    found = stored(db, request)[jobs[0]["identifier"]]
    assert (found.status, found.status_code) == ("succeeded", "succeeded")
    assert found.completed_at is not None
    assert reload(db, request).jobs_succeeded == 1


def test_a_failed_job_does_not_become_a_cancelled_one(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled()
    jobs = controller.add(request.identifier, "failed", "running")
    run_round(context)
    jobs[0].update(status_code="cancelled_by_user")
    run_round(context)
    assert stored(db, request)[jobs[0]["identifier"]].status_code == "nonzero_exit"


def test_a_job_that_is_sent_back_is_pending_again(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled()
    controller.add(request.identifier, "running")
    run_round(context)
    controller.move(request.identifier, "pending", status_code="waiting_on_reboot")
    run_round(context)
    request = reload(db, request)
    assert (request.status, request.started_at) == ("pending", None)


def test_a_final_status_follows_jobs_that_are_active_again(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(status="succeeded")
    old = f.JobFactory(job_request=request, status="running")
    controller.jobs[request.identifier] = [
        job(request.identifier, old.action, "running", identifier=old.identifier)
    ]
    run_round(context)
    assert reload(db, request).status == "running"


def test_a_local_job_that_is_missing_is_kept_and_marked(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled()
    gone, _ = controller.add(request.identifier, "running", "running")
    run_round(context)
    controller.jobs[request.identifier].remove(gone)
    with structlog.testing.capture_logs() as logs:
        report = run_round(context)
    assert report.synced.stored.missing == [gone["identifier"]]
    assert [each["identifiers"] for each in logs if each["event"] == "rap_jobs_missing"] == [
        [gone["identifier"]]
    ]
    since = stored(db, request)[gone["identifier"]].missing_since
    assert since is not None
    run_round(context)
    assert stored(db, request)[gone["identifier"]].missing_since == since
    controller.jobs[request.identifier].append(gone)
    run_round(context)
    assert stored(db, request)[gone["identifier"]].missing_since is None


def test_a_finished_job_that_is_missing_is_marked_and_found_again(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled()
    gone, _ = controller.add(request.identifier, "succeeded", "running")
    run_round(context)
    controller.jobs[request.identifier].remove(gone)
    run_round(context)
    assert stored(db, request)[gone["identifier"]].missing_since is not None
    gone.update(status="running", status_code="executing")
    controller.jobs[request.identifier].append(gone)
    run_round(context)
    found = stored(db, request)[gone["identifier"]]
    assert (found.missing_since, found.status) == (None, "succeeded")


def test_a_request_with_jobs_that_is_not_known_any_more_keeps_them(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(created_at=utcnow() - HOUR_AGO)
    controller.add(request.identifier, "running")
    run_round(context)
    del controller.jobs[request.identifier]
    for _ in range(3):
        report = run_round(context)
    assert report.synced.unrecognised == [request.identifier]
    assert report.synced.failed == []
    request = reload(db, request)
    assert (request.status, request.jobs_running) == ("running", 1)
    assert all(each.missing_since for each in stored(db, request).values())


def test_an_accepted_request_that_is_not_known_fails_after_the_grace(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(created_at=utcnow() - sync.GRACE)
    report = run_round(context)
    assert (report.synced.failed, reload(db, request).status) == ([], "pending")
    report = run_round(context)
    assert report.synced.failed == [request.identifier]
    request = reload(db, request)
    assert (request.status, request.status_message) == ("failed", NOT_KNOWN)
    assert request.unrecognised_since is not None
    version = request.version
    run_round(context)
    assert reload(db, request).version == version


def test_a_young_request_does_not_fail_for_being_unknown(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(created_at=utcnow() - sync.GRACE + timedelta(seconds=20))
    for _ in range(3):
        run_round(context)
    assert reload(db, request).status == "pending"


def test_a_request_that_was_not_accepted_is_sent_again_instead_of_failing(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(
        created_at=utcnow() - HOUR_AGO,
        status="unknown_error_creating_jobs",
        settled_at=None,
        submit_attempts=1,
    )
    for _ in range(3):
        run_round(context)
    request = reload(db, request)
    assert (request.status, request.unrecognised_polls) == ("unknown_error_creating_jobs", 0)


def test_jobs_that_appear_open_a_failed_request_again(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(created_at=utcnow() - HOUR_AGO, will_notify=True)
    run_round(context)
    run_round(context)
    assert reload(db, request).status == "failed"
    controller.add(request.identifier, "running")
    run_round(context)
    request = reload(db, request)
    assert (request.status, request.status_message) == ("running", None)
    assert (request.unrecognised_since, request.unrecognised_polls) == (None, 0)
    controller.move(request.identifier, "succeeded")
    run_round(context)
    assert [name for name, _ in deferred(db, *MAILS)] == ["mail_request_ended"]


def test_one_bad_request_does_not_spoil_the_others(
    db: Session, context: Context, controller: Controller
) -> None:
    """Its job bears the identifier of a job of somebody else's request."""
    others = [settled() for _ in range(5)]
    foreign = f.JobFactory(job_request=settled(status="succeeded"), status="succeeded")
    bad = settled()
    late = settled()
    for request in [*others, late]:
        controller.add(request.identifier, "succeeded")
    controller.add(bad.identifier, "running")
    controller.jobs[bad.identifier].append(
        job(bad.identifier, "thief", "running", identifier=foreign.identifier)
    )
    for _ in range(2):
        with structlog.testing.capture_logs() as logs:
            report = run_round(context)
        assert not report.ok
        (fault,) = report.synced.faults
        assert bad.identifier in fault
        assert foreign.identifier in fault
        assert [each["job_request"] for each in logs if each["event"] == "rap_request_not_stored"] == [bad.id]
    assert {reload(db, request).status for request in [*others, late]} == {"succeeded"}
    assert reload(db, bad).status == "pending"
    assert stored(db, bad) == {}
    db.expire_all()
    assert db.get_one(Job, foreign.id).job_request_id != bad.id


def test_a_job_listed_twice_is_the_fault_of_its_request_only(
    db: Session, context: Context, controller: Controller
) -> None:
    good, bad = settled(), settled()
    controller.add(good.identifier, "running")
    controller.add(bad.identifier, "running")
    controller.jobs[bad.identifier] *= 2
    report = run_round(context)
    assert len(report.synced.faults) == 1
    assert (reload(db, good).status, reload(db, bad).status) == ("running", "pending")


def test_a_job_listed_under_two_requests_does_not_spoil_a_third(
    db: Session, context: Context, controller: Controller
) -> None:
    first, second, third = settled(), settled(), settled()
    controller.add(first.identifier, "running")
    controller.add(third.identifier, "running")
    (shared,) = controller.jobs[first.identifier]
    controller.jobs[second.identifier] = [{**shared, "rap_id": second.identifier}]
    report = run_round(context)
    assert len(report.synced.faults) == 1
    assert (reload(db, first).status, reload(db, third).status) == ("running", "running")
    assert reload(db, second).status == "pending"


@pytest.mark.parametrize("missing", ["action", "status"])
def test_a_new_job_without_an_essential_field_is_a_fault(
    db: Session, context: Context, controller: Controller, missing: str
) -> None:
    request = settled()
    (report,) = controller.add(request.identifier, "running")
    del report[missing]
    result = run_round(context)
    assert missing in result.synced.faults[0]
    assert stored(db, request) == {}


def test_an_ill_formed_job_is_not_taken_for_missing(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled()
    first, _ = controller.add(request.identifier, "running", "running")
    run_round(context)
    first["started_at"] = "yesterday"
    report = run_round(context)
    assert len(report.synced.faults) == 1
    assert stored(db, request)[first["identifier"]].missing_since is None


def test_an_answer_without_the_unrecognised_ids_is_stored_and_reported(
    db: Session, context: Context, controller: Controller
) -> None:
    request, silent = settled(), settled()
    jobs = controller.add(request.identifier, "running")
    controller.says["status"] = [json_reply({"jobs": jobs})]
    report = run_round(context)
    assert not report.ok
    assert reload(db, request).status == "running"
    assert reload(db, silent).unrecognised_polls == 0


def test_jobs_nobody_asked_for_are_left_alone(db: Session, context: Context, controller: Controller) -> None:
    request = settled()
    jobs = controller.add(request.identifier, "running")
    strange = job("zzzzzzzzzzzz2222", "strange", "running")
    controller.says["status"] = [json_reply({"jobs": [*jobs, strange], "unrecognised_rap_ids": []})]
    run_round(context)
    assert [each.identifier for each in db.scalars(select(Job))] == [jobs[0]["identifier"]]


@pytest.mark.parametrize("reply", [html_reply(502), html_reply(200), json_reply({"details": "no"}, 400)])
def test_a_controller_that_does_not_answer_changes_nothing(
    db: Session, context: Context, controller: Controller, reply: Any
) -> None:
    request = settled()
    controller.add(request.identifier, "running")
    controller.says["status"] = [reply]
    report = run_round(context)
    assert report.failure
    assert not report.ok
    assert reload(db, request).version == 1


def test_no_connection_is_reported(db: Session, context: Context) -> None:
    settled()
    context = replace(context, clients=replace(context.clients, rap=RapClient(refusing_url(), "t")))
    assert run_round(context).failure


def test_given_requests_are_looked_at_whatever_their_status(
    db: Session, context: Context, controller: Controller
) -> None:
    """Spec: rap 4.6."""
    request = settled(status="succeeded")
    other = settled()
    controller.add(request.identifier, "running")
    report = run_round(context, [request.identifier, "zzzzzzzzzzzz2222"])
    assert report.unknown_here == ["zzzzzzzzzzzz2222"]
    assert not report.ok
    assert controller.calls("status") == [{"rap_ids": [request.identifier]}]
    assert reload(db, request).status == "running"
    assert reload(db, other).status == "pending"


def test_a_request_with_a_new_job_that_cannot_be_read_does_not_end_without_it(
    db: Session, context: Context, controller: Controller
) -> None:
    """One job has succeeded; what became of the other nobody can tell yet, so the request stays active."""
    request = settled()
    jobs = controller.add(request.identifier, "succeeded", "succeeded")
    well_formed = dict(jobs[1])
    jobs[1]["completed_at"] = "yesterday"
    run_round(context)
    assert reload(db, request).status in {"pending", "unknown"}
    jobs[1].update(well_formed)
    run_round(context)
    assert reload(db, request).status == "succeeded"
