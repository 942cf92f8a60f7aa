"""The jobs of one request: which actions, when they ran, how they ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from jobserver.actions.job_status import ALL_CANCELLED, JOB_FAILED, state_of
from jobserver.scripts.sampling.pipelines import SamplePipeline
from jobserver.scripts.sampling.plan import Outcome
from jobserver.scripts.sampling.size import SPAN, Size

STATES = ("pending", "running", "succeeded", "failed", "cancelled", "unknown")
_PENDING = ("created", "waiting_on_workers", "waiting_on_db_workers", "waiting_db_maintenance")
_MESSAGES = {
    "created": "Created",
    "waiting_on_dependencies": "Waiting on dependencies",
    "waiting_on_workers": "Waiting on available workers",
    "waiting_on_db_workers": "Waiting on available database workers",
    "waiting_db_maintenance": "Waiting for database to finish maintenance",
    "executing": "Executing",
    "succeeded": "Completed successfully",
    "nonzero_exit": "Job exited with an error",
    "unmatched_patterns": "Outputs matching expected pattern were not found",
    "dependency_failed": "Not starting as dependency failed",
    "cancelled_by_user": "Cancelled by user",
}


@dataclass(slots=True)
class SampleJob:
    """One job; ``step`` is the position of its action in the pipeline."""

    step: int
    created: datetime
    started: datetime | None
    completed: datetime | None
    updated: datetime
    status: str = "succeeded"
    code: str = "succeeded"

    @property
    def message(self) -> str:
        """The controller's sentence."""
        return _MESSAGES.get(self.code, "")

    def end(self, status: str, code: str, at: datetime) -> None:
        """It ended so, then."""
        self.status, self.code, self.completed, self.updated = status, code, at, at

    def never_start(self, status: str, code: str, at: datetime) -> None:
        """It ended so without having begun."""
        self.started = None
        self.end(status, code, at)

    def wait(self, code: str, at: datetime) -> None:
        """It has not begun yet."""
        self.started = self.completed = None
        self.status, self.code, self.updated = "pending", code, at

    def run(self, at: datetime) -> None:
        """It has not ended yet."""
        self.completed = None
        self.status, self.code, self.updated = "running", "executing", at


@dataclass(slots=True)
class Tally:
    """What a request's row says of its jobs: derived as :mod:`jobserver.actions.job_status` does."""

    counts: dict[str, int]
    status: str
    message: str | None
    started: datetime | None
    completed: datetime | None
    updated: datetime | None


@dataclass
class Run:
    """The jobs of one request, from the time at which it was made."""

    pipeline: SamplePipeline
    at: datetime
    start: int
    number: int
    size: Size
    random: Random
    jobs: list[SampleJob] = field(default_factory=list)

    def become(self, outcome: Outcome) -> list[SampleJob]:
        """Make the jobs with this outcome."""
        self._run_all()
        match outcome:
            case Outcome.FAILED | Outcome.FAILED_AND_CANCELLED:
                self._fail()
                if outcome is Outcome.FAILED_AND_CANCELLED:
                    self._cancel()
            case Outcome.CANCELLED:
                self._cancel()
            case Outcome.OLD_WORDS:
                self._use_old_words()
            case Outcome.RUNNING:
                self._stop_at(self.size.until)
            case Outcome.STALE:
                self._stop_at(self.at + timedelta(minutes=5))
            case Outcome.WAITING:
                code = self.random.choice(_PENDING)
                for job in self.jobs:
                    needs_another = any(need >= self.start for need in self.pipeline.steps[job.step].needs)
                    job.wait("waiting_on_dependencies" if needs_another else code, self.size.until)
        return self.jobs

    def _run_all(self) -> None:
        """Each action begins when those that it needs have ended, and everything succeeds."""
        growth = 0.5 + (self.at - self.size.since) / SPAN
        created = self.at + timedelta(seconds=20)
        begins: list[float] = []
        ends: dict[int, float] = {}
        for index in range(self.start, self.start + self.number):
            step = self.pipeline.steps[index]
            ready = max((ends[need] for need in step.needs if need in ends), default=0.0)
            begins.append(ready + self.random.expovariate(1 / 40))
            ends[index] = begins[-1] + step.seconds * growth * self.random.lognormvariate(0, 0.4)
        # What was asked for shortly before the end of time is hurried.
        left = (self.size.until - created).total_seconds()
        pace = min(1.0, 0.98 * left / max(ends.values()))
        for index, began in zip(ends, begins, strict=True):
            started = created + timedelta(seconds=round(began * pace, 3))
            completed = max(started, created + timedelta(seconds=round(ends[index] * pace, 3)))
            self.jobs.append(SampleJob(index, created, started, completed, completed))

    def _fail(self) -> None:
        """Some fail by themselves, and with them what needs them."""
        victims = set(self.random.sample(range(self.number), 1 + self.number // 40))
        failed: dict[int, datetime] = {}
        for place, job in enumerate(self.jobs):
            at = max(
                (failed[need] for need in self.pipeline.steps[job.step].needs if need in failed), default=None
            )
            if at is not None:
                job.never_start("failed", "dependency_failed", at + timedelta(seconds=1))
            elif place in victims:
                code = "nonzero_exit" if self.random.random() < 0.85 else "unmatched_patterns"
                job.end("failed", code, job.updated)
            else:
                continue
            failed[job.step] = job.updated

    def _cancel(self) -> None:
        """Somebody stops what is not at its end by then; there is always something."""
        last = max(job.updated for job in self.jobs)
        at = self.jobs[0].created + self.random.uniform(0.05, 0.9) * (last - self.jobs[0].created)
        for job in self.jobs:
            if job.updated <= at:
                continue
            if job.started is None or job.started > at:
                job.never_start("failed", "cancelled_by_user", at)
            else:
                job.end("failed", "cancelled_by_user", at)

    def _use_old_words(self) -> None:
        word = self.random.choice(("Succeeded", "Failed", "0"))
        for job in self.jobs:
            job.status, job.code = word, ""

    def _stop_at(self, now: datetime) -> None:
        """It is this time now: what ends later still runs, what begins later waits."""
        for job in self.jobs:
            if job.started is None or job.started >= now:
                job.wait("waiting_on_dependencies", now)
            elif job.updated > now:
                job.run(now)
        if all(job.completed for job in self.jobs):
            self.jobs[-1].run(now)


def tally(jobs: Sequence[SampleJob]) -> Tally:
    """What the request's row says."""
    counts = dict.fromkeys(STATES, 0)
    for job in jobs:
        counts[state_of(job.status, job.code)] += 1
    going_on = counts["pending"] + counts["running"] > 0
    if going_on:
        status = "pending" if counts["pending"] == len(jobs) else "running"
    elif counts["failed"] + counts["cancelled"]:
        status = "failed"
    else:
        status = "unknown" if counts["unknown"] else "succeeded"
    message = (JOB_FAILED if counts["failed"] else ALL_CANCELLED) if status == "failed" else None
    ends = [job.completed for job in jobs if job.completed]
    return Tally(
        counts,
        status,
        message,
        min((job.started for job in jobs if job.started), default=None),
        max(ends, default=None) if not going_on else None,
        max(job.updated for job in jobs),
    )
