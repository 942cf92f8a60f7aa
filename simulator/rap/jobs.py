"""The controller's jobs: their states, how they are stored and how they are shown (spec: rap 1.5, 9)."""

import base64
import hashlib
import json
import sqlite3
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from simulator.store import Store

ACTIVE = ("pending", "running")
RUNNING_MESSAGE = "Job executing on the backend"

# Code: state, sentence. The sentences are the controller's own where recordings show them.
CODES = {
    "created": ("pending", "Created"),
    "waiting_on_dependencies": ("pending", "Waiting on dependencies"),
    "waiting_on_workers": ("pending", "Waiting on available workers"),
    "waiting_on_db_workers": ("pending", "Waiting on available database workers"),
    "paused": (
        "pending",
        "Backend is currently paused for maintenance, job will start once this is completed",
    ),
    "waiting_db_maintenance": ("pending", "Waiting for database to finish maintenance"),
    "waiting_on_reboot": ("pending", "Job was stopped for a planned restart and will start again by itself"),
    # The missing space is the controller's.
    "waiting_on_new_task": ("pending", "This job returned an error that could be retriedwith a new task."),
    "initiated": ("running", RUNNING_MESSAGE),
    "preparing": ("running", RUNNING_MESSAGE),
    "prepared": ("running", RUNNING_MESSAGE),
    "executing": ("running", RUNNING_MESSAGE),
    "executed": ("running", RUNNING_MESSAGE),
    "finalizing": ("running", RUNNING_MESSAGE),
    "finalized": ("running", RUNNING_MESSAGE),
    "succeeded": ("succeeded", "Completed successfully"),
    "dependency_failed": ("failed", "Not starting as dependency failed"),
    "nonzero_exit": ("failed", "Job exited with an error"),
    "cancelled_by_user": ("failed", "Cancelled by user"),
    "unmatched_patterns": (
        "failed",
        "Outputs matching expected patterns were not found. See job log for details.",
    ),
    "internal_error": ("failed", "Internal error"),
    "job_error": ("failed", "Job errored on the backend"),
}
EXCLUDED_FILES = (
    "Completed successfully, but some file(s) marked as moderately_sensitive were excluded. "
    "See job log for details."
)


@dataclass
class Job:
    """One run of one action. Times are seconds since 1970; ``wait_for`` holds identifiers of jobs."""

    identifier: str
    rap_id: str
    backend: str
    workspace: str
    repo_url: str
    commit_sha: str
    action: str
    run_command: str
    requires_db: bool
    wait_for: list[str]
    created_at: float
    updated_at: float
    seconds: float
    outcome: str
    outcome_message: str | None
    traceparent: str
    status: str = "pending"
    code: str = "created"
    message: str = CODES["created"][1]
    started_at: float | None = None
    completed_at: float | None = None
    cancelled: bool = False
    progress: float = 0
    metrics: dict[str, Any] | None = None

    @property
    def active(self) -> bool:
        """Whether it is still pending or running."""
        return self.status in ACTIVE

    def move(self, code: str, now: float, message: str | None = None) -> None:
        """Takes on a code with its state and sentence; going back to pending forgets the start."""
        state, sentence = CODES[code]
        if code != self.code:
            self.updated_at = now
        if state == "running" and self.started_at is None:
            self.started_at = now
        if state == "pending" and self.status == "running":
            self.started_at, self.progress, self.metrics = None, 0, None
        if state in {"succeeded", "failed"} and not self.cancelled:
            self.completed_at = now
        self.status, self.code, self.message = state, code, message or sentence

    def shown(self) -> dict[str, Any]:
        """The job as the status endpoint shows it."""
        return {
            "identifier": self.identifier,
            "rap_id": self.rap_id,
            "backend": self.backend,
            "action": self.action,
            "run_command": self.run_command,
            "status": self.status,
            "status_code": self.code,
            "status_message": self.message,
            "created_at": whole_seconds(self.created_at),
            "updated_at": whole_seconds(self.updated_at),
            "started_at": whole_seconds(self.started_at),
            "completed_at": whole_seconds(self.completed_at),
            "trace_context": {"traceparent": self.traceparent},
            "metrics": self.metrics or {},
            "requires_db": self.requires_db,
        }


def identifier(rap_id: str, action: str) -> str:
    """The same 16 characters for the same action of the same job request, whenever asked."""
    digest = hashlib.sha256(f"{rap_id}\n{action}".encode()).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def traceparent(of: str) -> str:
    """A W3C trace context made from a job's identifier."""
    digest = hashlib.sha256(of.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-03"


def made_up_metrics(of: str, seconds: float) -> dict[str, Any]:
    """Plausible measurements of a job that ran that many seconds; the same for the same job."""
    digest = hashlib.sha256(of.encode()).digest()
    cpu, memory = 60 + digest[0] / 4, 200 + digest[1] * 8.0
    return {
        "cpu_sample": round(cpu * 1.02, 1),
        "cpu_cumsum": round(cpu * seconds, 1),
        "cpu_mean": round(cpu, 1),
        "cpu_peak": round(cpu * 1.8, 1),
        "mem_mb_sample": round(memory, 1),
        "mem_mb_cumsum": round(memory * seconds, 1),
        "mem_mb_mean": round(memory * 0.97, 1),
        "mem_mb_peak": round(memory * 1.2, 1),
        "container_id": digest[:6].hex(),
    }


def whole_seconds(at: float | None) -> str | None:
    """A job's time as the controller writes it."""
    return None if at is None else f"{datetime.fromtimestamp(int(at), UTC):%Y-%m-%dT%H:%M:%SZ}"


def microseconds(at: float | None) -> str | None:
    """A backend's time as the controller writes it."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


_COLUMNS = [column.name for column in fields(Job)]


def _loaded(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in _COLUMNS}
    values["wait_for"] = json.loads(values["wait_for"])
    values["metrics"] = json.loads(values["metrics"])
    values["requires_db"] = bool(values["requires_db"])
    values["cancelled"] = bool(values["cancelled"])
    return Job(**values)


def select(store: Store, where: str, *values: object) -> list[Job]:
    """Jobs that a condition holds for, oldest first."""
    rows = store.rows(f"SELECT * FROM jobs WHERE {where} ORDER BY seq", *values)  # noqa: S608
    return [_loaded(row) for row in rows]


def save(store: Store, job: Job) -> None:
    """Stores a job, new or changed."""
    values = asdict(job) | {"wait_for": json.dumps(job.wait_for), "metrics": json.dumps(job.metrics or {})}
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    changes = ", ".join(f"{name} = excluded.{name}" for name in values if name != "identifier")
    store.run(
        f"INSERT INTO jobs ({names}) VALUES ({marks}) "  # noqa: S608
        f"ON CONFLICT (identifier) DO UPDATE SET {changes}",
        *values.values(),
    )
