"""One round of the status service over 300 active requests whose 3,000 jobs have all moved."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlalchemy import event, select, text

from jobserver.models import Job, JobRequest, utcnow
from jobserver.queries import active_requests
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from tests.benchmarks.stack import Databases, context_for
from tests.benchmarks.table import print_line, verdict

REQUESTS, JOBS_OF_EACH = 300, 10
MOST_SECONDS, MOST_STATEMENTS = 2.0, 200

# Copies of a request that has ended, with jobs that wait.
_MORE_REQUESTS = text("""
INSERT INTO job_request (identifier, backend_id, workspace_id, requested_actions, sha, branch, commit_message,
    project_definition, status, jobs_pending, settled_at, submit_attempts, last_submitted_at, created_at,
    created_by_id)
SELECT 'bench' || lpad(number::text, 11, '0'), backend_id, workspace_id, requested_actions, sha, branch,
    commit_message, project_definition, 'pending', :jobs, now(), 1, now(), now(), created_by_id
FROM (SELECT * FROM job_request WHERE status = 'succeeded' ORDER BY id DESC LIMIT 1) AS one,
    generate_series(1, :requests) AS number
""")
_MORE_JOBS = text("""
INSERT INTO job (job_request_id, workspace_id, backend_id, identifier, action, run_command, status, status_code,
    status_message, created_at, updated_at)
SELECT id, workspace_id, backend_id, substr(identifier, 6) || lpad(number::text, 5, '0'), 'action_' || number,
    'python:v2 python analysis/a.py --part ' || number, 'pending', 'created', 'Created', now(), now()
FROM job_request, generate_series(1, :jobs) AS number WHERE identifier LIKE 'bench%'
""")


def measure_round(databases: Databases, sample: str) -> bool:
    """Print time and statements of the round; whether it stored what it should."""
    with databases.copy(sample) as address:
        context = context_for(address, "http://127.0.0.1:9/")
        try:
            answer = _prepare(context)
        finally:
            context.engine.dispose()
        with _controller(answer) as controller:
            context = context_for(address, controller)
            try:
                return _measure(context)
            finally:
                context.engine.dispose()


def _measure(context: Context) -> bool:
    sent = 0

    def count(*_: Any) -> None:
        nonlocal sent
        sent += 1

    # What a service has done before: connections, statements already compiled.
    run_round(context, [])
    event.listen(context.engine, "before_cursor_execute", count)
    began = time.perf_counter()
    report = run_round(context)
    took = time.perf_counter() - began
    updated = len(report.synced.stored.updated)
    print_line(verdict("status service: round, time", took, MOST_SECONDS, "s"))
    print_line(verdict("status service: round, statements", sent, MOST_STATEMENTS, ""))
    if report.failure or updated != REQUESTS * JOBS_OF_EACH:
        print_line(f"status service: the round stored {updated} jobs {report.failure}")
        return False
    return True


def _prepare(context: Context) -> bytes:
    """Add the requests; what the controller will answer about them and the other active ones."""
    with context.transaction() as db:
        db.execute(_MORE_REQUESTS, {"requests": REQUESTS, "jobs": JOBS_OF_EACH})
        db.execute(_MORE_JOBS, {"jobs": JOBS_OF_EACH})
        asked = {each.id: each.identifier for each in active_requests.to_ask_about(db, utcnow())}
        jobs = list(db.scalars(select(Job).where(Job.job_request_id.in_(asked))))
        ours = set(db.scalars(select(JobRequest.id).where(JobRequest.identifier.like("bench%"))))
    with_jobs = {job.job_request_id for job in jobs}
    return json.dumps(
        {
            "jobs": [
                _report(job, asked[job.job_request_id], moved=job.job_request_id in ours) for job in jobs
            ],
            "unrecognised_rap_ids": [rap_id for id_, rap_id in asked.items() if id_ not in with_jobs],
        }
    ).encode()


def _report(job: Job, rap_id: str, *, moved: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: getattr(job, name)
        for name in (
            "identifier",
            "action",
            "run_command",
            "status",
            "status_code",
            "status_message",
            "metrics",
        )
    }
    times = ("created_at", "updated_at", "started_at", "completed_at")
    told |= {name: _written(getattr(job, name)) for name in times}
    told |= {"rap_id": rap_id, "trace_context": job.trace_context}
    if moved:
        now = _written(utcnow())
        told |= {"status": "running", "status_code": "executing", "started_at": now, "updated_at": now}
    return told


def _written(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None


@contextmanager
def _controller(answer: bytes) -> Iterator[str]:
    """A controller on loopback that gives this answer to every question."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
