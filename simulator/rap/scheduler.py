"""How jobs get on: the controller's loop, and the agents that run what it hands out (spec: rap 3.3)."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from simulator.config import Config, Workers
from simulator.rap import jobs
from simulator.rap.jobs import Job
from simulator.store import Store

# Share of a job's seconds at which its agent reports each code.
STAGES = (
    ("finalized", 0.97),
    ("finalizing", 0.9),
    ("executed", 0.87),
    ("executing", 0.15),
    ("prepared", 0.12),
    ("preparing", 0.04),
)
OUTCOMES = {
    "succeeded",
    "excluded_files",
    "nonzero_exit",
    "unmatched_patterns",
    "job_error",
    "internal_error",
}
SENT_BACK = {"waiting_on_new_task", "waiting_on_reboot"}
REFRESH_AFTER = 60


@dataclass(frozen=True)
class BackendState:
    """What the controller knows of a backend. Times are seconds since 1970, None if never."""

    slug: str
    last_seen: float | None
    agent: bool
    paused: bool
    paused_since: float | None
    maintenance: str | None
    maintenance_since: float | None

    def shown(self) -> dict[str, Any]:
        """The backend as the status endpoint shows it."""
        return {
            "slug": self.slug,
            "last_seen": jobs.microseconds(self.last_seen),
            "paused": {
                "status": "on" if self.paused else "off",
                "since": jobs.microseconds(self.paused_since),
            },
            "db_maintenance": {
                "status": "on" if self.maintenance else "off",
                "since": jobs.microseconds(self.maintenance_since),
                "type": self.maintenance,
            },
        }


class UnknownJob(Exception):
    """There is no such active job, or it is in no state to do that; the text says which."""


class Scheduler:
    """The controller's loop and its agents, one pass at a time; see ``Clock`` for what calls it."""

    def __init__(self, store: Store, config: Config) -> None:
        self.store = store
        self.config = config
        for backend in config.backends:
            store.run("INSERT OR IGNORE INTO backends (slug) VALUES (?)", backend.slug)

    def backends(self) -> list[BackendState]:
        """All backends in configured order."""
        rows = {row["slug"]: row for row in self.store.rows("SELECT * FROM backends")}
        return [_state(rows[backend.slug]) for backend in self.config.backends]

    def backend(self, slug: str) -> BackendState:
        """One backend. Raises KeyError if it is not configured."""
        found = next((state for state in self.backends() if state.slug == slug), None)
        if found is None:
            raise KeyError(slug)
        return found

    def pause(self, slug: str, on: bool, now: float) -> None:
        """Stops or allows new starts."""
        self.store.run("UPDATE backends SET paused = ?, paused_since = ? WHERE slug = ?", on, now, slug)

    def maintain(self, slug: str, kind: str | None, now: float) -> None:
        """Begins database maintenance of a kind (``scheduled``, ``manual``) or ends it (None)."""
        self.store.run(
            "UPDATE backends SET maintenance = ?, maintenance_since = ? WHERE slug = ?", kind, now, slug
        )

    def connect_agent(self, slug: str, on: bool) -> None:
        """Lets the backend's agent ask for work, or cuts it off."""
        self.store.run("UPDATE backends SET agent = ? WHERE slug = ?", on, slug)

    def run(self, seconds: float, now: float, only: str | None = None) -> None:
        """One pass: agents work for so many seconds, then the controller looks at every active job."""
        with self.store.transaction():
            for backend in self.backends():
                if only in {None, backend.slug}:
                    self._run_backend(backend, seconds, now)

    def _run_backend(self, backend: BackendState, seconds: float, now: float) -> None:
        active = jobs.select(self.store, "status IN ('pending', 'running') AND backend = ?", backend.slug)
        if backend.agent:
            # A write each second is enough: agents ask for work about that often.
            if now - (backend.last_seen or 0) >= 1 or not seconds:
                self.store.run("UPDATE backends SET last_seen = ? WHERE slug = ?", now, backend.slug)
            for job in active:
                if job.status == "running" and not job.cancelled:
                    self._work(job, seconds, now)
        for job in active:
            if job.active:
                self._look_at(job, backend, active, now)
                if job.active and now - job.updated_at > REFRESH_AFTER:
                    job.updated_at = now
            jobs.save(self.store, job)

    def _work(self, job: Job, seconds: float, now: float) -> None:
        job.progress += seconds
        if job.progress >= job.seconds:
            self._end(job, job.outcome, now, job.outcome_message)
            return
        share = job.progress / job.seconds
        code = next((code for code, from_share in STAGES if share >= from_share), job.code)
        job.move(code, now, job.message)

    def _end(self, job: Job, outcome: str, now: float, message: str | None) -> None:
        if outcome == "excluded_files":
            outcome, message = "succeeded", message or jobs.EXCLUDED_FILES
        job.metrics = jobs.made_up_metrics(job.identifier, job.seconds)
        job.move(outcome, now, message)

    def _look_at(self, job: Job, backend: BackendState, active: list[Job], now: float) -> None:
        if job.cancelled:
            job.move("cancelled_by_user", now)
        elif job.status == "running":
            if backend.maintenance and job.requires_db:
                job.move("waiting_db_maintenance", now)
        else:
            reason = self._reason_to_wait(job, backend, active)
            if reason is None and backend.agent:
                job.move("initiated", now)
            elif reason:
                job.move(reason, now)

    def _reason_to_wait(self, job: Job, backend: BackendState, active: list[Job]) -> str | None:
        needed = self._states_of(job.wait_for)
        if "failed" in needed:
            return "dependency_failed"
        if needed - {"succeeded"}:
            return "waiting_on_dependencies"
        if backend.paused:
            return "paused"
        if backend.maintenance and job.requires_db:
            return "waiting_db_maintenance"
        workers = self.config.simulator.workers.get(backend.slug, Workers())
        busy = sum(other.status == "running" and other.requires_db == job.requires_db for other in active)
        if busy >= (workers.db_jobs if job.requires_db else workers.jobs):
            return "waiting_on_db_workers" if job.requires_db else "waiting_on_workers"
        return None

    def _states_of(self, identifiers: list[str]) -> set[str]:
        if not identifiers:
            return set()
        marks = ", ".join("?" * len(identifiers))
        rows = self.store.rows(f"SELECT status FROM jobs WHERE identifier IN ({marks})", *identifiers)  # noqa: S608
        return {row["status"] for row in rows}

    def cancel(self, found: list[Job], now: float) -> None:
        """Marks jobs as cancelled; the loop ends those still active, those that had ended are forgotten."""
        for job in found:
            job.cancelled, job.completed_at = True, now
            jobs.save(self.store, job)

    def report(self, rap_id: str, action: str, code: str, now: float, details: dict[str, Any]) -> Job:
        """Has the backend's agent report a code for a job at once, whatever the clock says.

        ``details`` may give ``message`` and ``metrics``. Raises UnknownJob.
        """
        with self.store.transaction():
            found = jobs.select(self.store, "rap_id = ? AND action = ?", rap_id, action)
            if not found or not found[0].active:
                raise UnknownJob(f"There is no active job of action {action!r} in job request {rap_id!r}.")
            job = found[0]
            if code in OUTCOMES:
                self._end(job, code, now, details.get("message"))
            elif code in SENT_BACK or dict(STAGES).get(code):
                job.progress = job.seconds * dict(STAGES).get(code, 0)
                job.move(code, now, details.get("message"))
            else:
                raise UnknownJob(f"No agent reports the code {code!r}.")
            if "metrics" in details:
                job.metrics = details["metrics"]
            jobs.save(self.store, job)
        return job


def _state(row: sqlite3.Row) -> BackendState:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
    return BackendState(**values | {"agent": bool(row["agent"]), "paused": bool(row["paused"])})
