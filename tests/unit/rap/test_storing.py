"""Storing what the controller reports: jobs, counts and status together (spec: rap 3.1, 4.1, 4.2, 11)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.actions.job_status import ALL_CANCELLED, JOB_FAILED
from jobserver.models import utcnow
from jobserver.queries import active_requests
from jobserver.rap import round as rap_round
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from tests import factories as f
from tests.unit.rap.conftest import reload, settled, stored
from tests.unit.rap.controller import Controller


def test_every_field_of_a_job_is_stored(db: Session, context: Context, controller: Controller) -> None:
    request = settled()
    (report,) = controller.add(
        request.identifier, "running", status_message="Running in the backend", new_field="of tomorrow"
    )
    run_round(context)
    found = stored(db, request)[report["identifier"]]
    assert (found.action, found.run_command) == ("action_0", "python:v2 python action_0.py")
    assert (found.status, found.status_code, found.state) == ("running", "executing", "running")
    assert found.status_message == "Running in the backend"
    assert found.created_at == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 1, 5, 9, 31, tzinfo=UTC)
    assert found.started_at == datetime(2026, 1, 5, 9, 30, 40, tzinfo=UTC)
    assert found.completed_at is None
    assert found.trace_context == report["trace_context"]
    assert found.metrics == {"cpu_mean": 97.1}
    assert (found.workspace_id, found.backend_id) == (request.workspace_id, request.backend_id)


def test_nulls_are_stored_as_such(db: Session, context: Context, controller: Controller) -> None:
    request = settled()
    (report,) = controller.add(request.identifier, "running")
    run_round(context)
    report.update(
        trace_context=None, metrics=None, started_at=None, updated_at=None, run_command=None, action=None
    )
    run_round(context)
    found = stored(db, request)[report["identifier"]]
    assert found.trace_context is None
    assert found.metrics is None
    assert (found.started_at, found.updated_at) == (None, None)
    assert found.run_command == ""
    assert found.action == "action_0"
    assert reload(db, request).started_at is None


def test_a_field_that_is_left_out_keeps_its_value(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled()
    (report,) = controller.add(request.identifier, "running")
    run_round(context)
    for name in ("metrics", "started_at", "status_code", "run_command"):
        del report[name]
    report["status_message"] = "later"
    run_round(context)
    found = stored(db, request)[report["identifier"]]
    assert (found.metrics, found.status_code) == ({"cpu_mean": 97.1}, "executing")
    assert found.started_at is not None
    assert (found.run_command, found.status_message) == ("python:v2 python action_0.py", "later")


STATUSES = [
    (["running"], "running", None),
    (["pending", "pending"], "pending", None),
    (["", "pending"], "pending", None),
    (["pending", "succeeded"], "running", None),
    (["running", "failed"], "running", None),
    (["pending", "odd"], "running", None),
    (["succeeded", "Succeeded"], "succeeded", None),
    (["failed", "succeeded"], "failed", JOB_FAILED),
    (["cancelled", "succeeded"], "failed", ALL_CANCELLED),
    (["cancelled", "failed"], "failed", JOB_FAILED),
    (["odd"], "unknown", None),
    (["odd", "succeeded"], "unknown", None),
    (["odd", "failed"], "unknown", None),
]


@pytest.mark.parametrize(("states", "status", "message"), STATUSES)
def test_the_status_follows_from_the_jobs(
    db: Session,
    context: Context,
    controller: Controller,
    states: list[str],
    status: str,
    message: str | None,
) -> None:
    """Spec: rap 3.1."""
    request = settled()
    controller.add(request.identifier, *states)
    run_round(context)
    request = reload(db, request)
    assert (request.status, request.status_message) == (status, message)
    counts = {"pending": states.count("pending") + states.count(""), "cancelled": states.count("cancelled")}
    assert (request.jobs_pending, request.jobs_cancelled) == tuple(counts.values())
    assert request.jobs_total == len(states)


def test_words_that_nobody_knows_do_not_keep_a_request_going(
    db: Session, context: Context, controller: Controller
) -> None:
    """Domain 13.3: asked about until every such job has its end."""
    request = settled()
    controller.add(request.identifier, "odd", "succeeded")
    run_round(context)
    assert len(active_requests.to_ask_about(db, utcnow())) == 1
    controller.jobs[request.identifier][0]["completed_at"] = "2026-01-05T10:00:00Z"
    run_round(context)
    assert reload(db, request).status == "unknown"
    assert active_requests.to_ask_about(db, utcnow()) == []


def test_times_are_taken_from_the_jobs(db: Session, context: Context, controller: Controller) -> None:
    """Domain 13.7: a job without an end does not hide the others' ends."""
    request = settled()
    jobs = controller.add(request.identifier, "succeeded", "succeeded", "succeeded")
    jobs[0].update(started_at="2026-01-05T09:00:00Z", updated_at="2026-01-05T12:00:00Z")
    jobs[1].update(completed_at=None)
    jobs[2].update(completed_at="2026-01-05T11:00:00Z")
    run_round(context)
    request = reload(db, request)
    assert request.started_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert request.completed_at == datetime(2026, 1, 5, 11, tzinfo=UTC)
    assert request.jobs_updated_at == datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_a_running_request_has_no_end(db: Session, context: Context, controller: Controller) -> None:
    request = settled()
    controller.add(request.identifier, "succeeded", "running")
    run_round(context)
    assert reload(db, request).completed_at is None


def test_a_round_without_news_writes_nothing(
    db: Session, context: Context, controller: Controller, count_statements: Callable[[], Any]
) -> None:
    requests = [settled() for _ in range(3)]
    for request in requests:
        controller.add(request.identifier, "running", "pending", "succeeded")
    run_round(context)
    versions = [reload(db, request).version for request in requests]
    with count_statements() as statements:
        run_round(context)
    assert statements.writes == []
    assert [each for each in statements if "FOR " in each] == []
    assert len(statements) == 2
    assert [reload(db, request).version for request in requests] == versions


def test_only_changed_jobs_are_written(db: Session, context: Context, controller: Controller) -> None:
    request = settled()
    controller.add(request.identifier, "running", "pending")
    run_round(context)
    controller.jobs[request.identifier][1]["status_code"] = "waiting_on_workers"
    report = run_round(context)
    assert report.synced.stored.created == []
    (changed,) = report.synced.stored.updated
    assert changed[1] == controller.jobs[request.identifier][1]["identifier"]
    assert reload(db, request).version == 3


def test_the_number_of_statements_does_not_grow_with_jobs(
    db: Session, context: Context, controller: Controller, count_statements: Callable[[], Any]
) -> None:
    for number in range(30):
        controller.add(settled().identifier, *["running"] * (number % 5 + 1))
    with count_statements() as statements:
        report = run_round(context)
    assert len(report.synced.stored.created) == 90
    assert len(statements) <= 8


def test_identifiers_are_asked_for_in_portions(
    db: Session, context: Context, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rap_round, "IDS_AT_ONCE", 2)
    requests = [settled() for _ in range(5)]
    for request in requests:
        controller.add(request.identifier, "running")
    run_round(context)
    assert [len(each["rap_ids"]) for each in controller.calls("status")] == [2, 2, 1]
    assert {reload(db, request).status for request in requests} == {"running"}


def test_without_anything_to_ask_nothing_is_asked(context: Context, controller: Controller) -> None:
    assert run_round(context).ok
    assert controller.asked == []


def test_project_definitions_are_not_read(
    db: Session, context: Context, controller: Controller, count_statements: Callable[[], Any]
) -> None:
    controller.add(settled(project_definition="version: 5").identifier, "running")
    with count_statements() as statements:
        run_round(context)
    assert not [each for each in statements if "project_definition" in each]


# Which requests are asked about (spec: rap 4.1 and 11).


@pytest.mark.parametrize(
    ("values", "states", "asked"),
    [
        ({"status": "pending"}, [], True),
        ({"status": "running"}, ["running"], True),
        ({"status": "unknown_error_creating_jobs", "settled_at": None}, [], True),
        ({"status": "unknown", "settled_at": None, "last_submitted_at": None}, [], False),
        ({"status": "succeeded"}, ["succeeded"], False),
        ({"status": "succeeded"}, ["running"], True),
        ({"status": "nothing_to_do"}, [], False),
        ({"status": "failed"}, [], False),
        ({"status": "failed", "submit_attempts": 2}, [], True),
        ({"status": "failed", "unrecognised_since": datetime(2026, 1, 1, tzinfo=UTC)}, [], True),
        ({"status": "pending", "created_at": utcnow() - timedelta(weeks=53)}, [], False),
        ({"status": "pending", "created_at": utcnow() - timedelta(weeks=53)}, ["pending"], True),
    ],
)
def test_what_may_have_news_is_asked_about(
    db: Session, values: dict[str, Any], states: list[str], asked: bool
) -> None:
    request = settled(**values)
    for state in states:
        f.JobFactory(job_request=request, status=state)
    assert bool(active_requests.to_ask_about(db, utcnow())) == asked


def test_three_thousand_changed_jobs_take_few_statements(
    db: Session, context: Context, controller: Controller, count_statements: Callable[[], Any]
) -> None:
    shared = {"workspace": f.WorkspaceFactory(), "backend": f.BackendFactory(), "created_by": f.UserFactory()}
    for _ in range(300):
        controller.add(settled(**shared).identifier, *["pending"] * 10)
    with count_statements() as first:
        assert len(run_round(context).synced.stored.created) == 3000
    for rap_id in controller.jobs:
        controller.move(rap_id, *["running"] * 10)
    with count_statements() as second:
        assert len(run_round(context).synced.stored.updated) == 3000
    assert len(first) <= 20
    assert len(second) <= 20
