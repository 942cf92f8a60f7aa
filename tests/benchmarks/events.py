"""Events of release requests, as fast as one Airlock can send them: none may be lost, each is told once."""

import json
import time
from http.client import HTTPConnection
from statistics import median

from sqlalchemy import Connection, create_engine, text

from jobserver.db import sqlalchemy_url
from jobserver.security import tokens
from tests.benchmarks.server import SECONDS
from tests.benchmarks.stack import Databases, served
from tests.benchmarks.table import print_line, verdict

EVENTS = 10_000
MOST_MS = 50.0
# A request's life, with what is deferred for each step: issue, post, mail.
LIFE = (
    ("request_submitted", 1),
    ("request_partially_reviewed", 2),
    ("request_reviewed", 2),
    ("request_approved", 3),
    ("request_released", 2),
)
_NAMES = text("""
SELECT workspace.name, "user".username, backend.id, "user".id FROM workspace, "user", backend
WHERE backend.slug = 'tpp' ORDER BY workspace.id, "user".id LIMIT 1
""")
_PREPARE = (
    "UPDATE backend SET token_digest = :digest, is_active = true WHERE id = :backend_id",
    "DELETE FROM procrastinate_jobs",
    """INSERT INTO backend_membership (backend_id, user_id, created_at)
    VALUES (:backend_id, :user_id, now()) ON CONFLICT DO NOTHING""",
)


def measure_events(databases: Databases, sample: str) -> bool:
    """Print how long an event takes; whether all of them were kept, and each of their tasks."""
    token = tokens.new_backend_token()
    with databases.copy(sample) as address:
        engine = create_engine(sqlalchemy_url(address), pool_size=1)
        try:
            with engine.begin() as connection:
                workspace, username = _prepare(connection, token)
            with served(address) as server:
                times, seconds = _send(server.port, token, workspace, username)
            with engine.begin() as connection:
                kept = connection.scalar(text("SELECT count(*) FROM release_request_event"))
                asked = connection.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
        finally:
            engine.dispose()
    wanted = EVENTS // len(LIFE) * sum(number for _, number in LIFE)
    print_line(verdict("events: one event, median", median(times) * 1000, MOST_MS, "ms"))
    print_line(
        f"events: {kept:,} of {EVENTS:,} kept, {asked:,} of {wanted:,} tasks asked for, "
        f"{EVENTS / seconds:,.0f} events in a second"
    )
    return (kept, asked) == (EVENTS, wanted)


def _prepare(connection: Connection, token: str) -> tuple[str, str]:
    workspace, username, backend_id, user_id = connection.execute(_NAMES).one()
    values = {"digest": tokens.digest(token), "backend_id": backend_id, "user_id": user_id}
    for statement in _PREPARE:
        connection.execute(text(statement), values)
    return workspace, username


def _send(port: int, token: str, workspace: str, username: str) -> tuple[list[float], float]:
    """Seconds that each event took in the server; seconds that all took."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": token, "Content-Type": "application/json"}
    times: list[float] = []
    began = time.perf_counter()
    for _ in range(EVENTS // len(LIFE)):
        told = {"workspace": workspace, "request_author": username, "user": username, "updates": None}
        told["request"] = tokens.new_ulid()
        for event_type, _tasks in LIFE:
            body = json.dumps({"event_type": event_type, **told})
            connection.request("POST", "/api/v2/airlock/events/", body, headers)
            answer = connection.getresponse()
            if answer.status != 201 or json.load(answer) != {"status": "ok"}:
                raise RuntimeError(f"an event was answered with {answer.status}")
            times.append(float(answer.headers[SECONDS]))
    return times, time.perf_counter() - began
