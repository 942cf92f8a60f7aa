"""Spans and log lines that operators know (spec: rap 4.5)."""

from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobserver.models import JobRequest, utcnow
from jobserver.rap import round as rap_round
from jobserver.rap import submit as rap_submit
from jobserver.rap import sync
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from tests import factories as f
from tests.unit.rap.conftest import deferred
from tests.unit.rap.controller import Controller


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(rap_round, "tracer", provider.get_tracer("rap_commands"))
    monkeypatch.setattr(rap_submit, "tracer", provider.get_tracer("job_requests"))
    return exporter


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    spans.clear()
    return span


def attributes(spans: InMemorySpanExporter) -> dict[str, Any]:
    return {key.removeprefix("rap_status."): value for key, value in (only(spans).attributes or {}).items()}


def followed(**more: Any) -> JobRequest:
    request: JobRequest = f.JobRequestFactory(status="pending", settled_at=utcnow(), **more)
    return request


def test_a_round_says_what_it_stored(
    db: Session, context: Context, controller: Controller, spans: InMemorySpanExporter
) -> None:
    first, second = controller.add(followed().identifier, "running", "pending")
    with structlog.testing.capture_logs() as logs:
        run_round(context)
    said = attributes(spans)
    identifiers = [first["identifier"], second["identifier"]]
    assert sorted(said["created_job_identifiers"].split(",")) == sorted(identifiers)
    assert sorted(said["created_job_ids"].split(",")) == ["1", "2"]
    assert (said["updated_job_ids"], said["updated_job_identifiers"]) == ("", "")
    counts = ("affected_job_count", "created_job_count", "updated_job_count")
    assert [said[name] for name in counts] == [2, 2, 0]
    assert [each["log_level"] for each in logs if each["event"] in {"rap_asking", "rap_jobs_stored"}] == [
        "info",
        "info",
    ]
    run_round(context)
    assert attributes(spans) == {}


def test_a_round_says_what_is_missing_unrecognised_and_failed(
    db: Session, context: Context, controller: Controller, spans: InMemorySpanExporter
) -> None:
    request = followed()
    gone, _ = controller.add(request.identifier, "running", "running")
    lost = followed(created_at=utcnow() - sync.GRACE * 2)
    run_round(context)
    spans.clear()
    controller.jobs[request.identifier].remove(gone)
    run_round(context)
    said = attributes(spans)
    assert said["unrecognised_job_identifiers"] == gone["identifier"]
    assert said["unrecognised_rap_ids"] == lost.identifier
    assert said["failed_rap_ids"] == lost.identifier


def test_a_create_call_has_its_span(
    db: Session, context: Context, controller: Controller, spans: InMemorySpanExporter
) -> None:
    request = f.JobRequestFactory(requested_actions=["a", "b"])
    rap_submit.submit(context, request.id)
    span = only(spans)
    assert span.name == "create_rap"
    assert dict(span.attributes or {}) == {
        "rap_id": request.identifier,
        "requested_actions": ("a", "b"),
    }


def test_a_lost_connection_is_not_taken_for_the_fault_of_a_request(
    db: Session, context: Context, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(8):
        controller.add(followed(will_notify=True).identifier, "succeeded")
    real, calls = sync.store, []

    def interrupted(session: Session, *rest: Any) -> Any:
        calls.append(rest)
        db.execute(
            text("SELECT pg_terminate_backend(:pid)"),
            {"pid": session.scalar(text("SELECT pg_backend_pid()"))},
        )
        return real(session, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(sync, "store", interrupted)
        with pytest.raises(OperationalError):
            run_round(context)
    assert len(calls) == 1
    assert deferred(db) == []
    assert run_round(context).ok
    assert len(deferred(db)) == 8
