"""Rows of job requests and everything that hangs on them."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from jobserver.models import AuditType, JobRequestStatus
from jobserver.scripts.sampling import words
from jobserver.scripts.sampling.jobs import STATES, Run, SampleJob, Tally, tally
from jobserver.scripts.sampling.people import NextId, Person, Place, Site
from jobserver.scripts.sampling.pipelines import SamplePipeline, pipeline
from jobserver.scripts.sampling.plan import WITHOUT_JOBS, Outcome, Planned
from jobserver.scripts.sampling.size import SPAN, Size
from jobserver.scripts.sampling.trail import event

# Of so large a part of the requests, the newest, it is known step by step what happened.
_FOLLOWED = 0.05
_AGAIN = 0.4

Rows = dict[str, list[dict[str, object]]]


@dataclass(slots=True)
class _Last:
    """What ran last in a workspace."""

    request: int
    backend: int
    sha: str
    message: str
    person: Person
    worth_repeating: bool


@dataclass
class Requests:
    """Makes the rows, request by request, in the order of time."""

    size: Size
    site: Site
    plan: Sequence[Planned]
    backends: Sequence[int]
    next_id: NextId
    random: Random
    actions: set[str] = field(default_factory=set)
    _last: dict[int, _Last] = field(default_factory=dict)

    def __post_init__(self) -> None:
        largest: dict[int, int] = {}
        for each in self.plan:
            largest[each.workspace] = max(largest.get(each.workspace, 4), each.jobs)
        self._pipelines = {number: pipeline(most, number) for number, most in largest.items()}
        self._followed_from = self.plan[int(len(self.plan) * (1 - _FOLLOWED))].at

    def chunks(self, length: int = 1_000) -> Iterator[Rows]:
        """Rows by table, for so many requests at a time."""
        for first in range(0, len(self.plan), length):
            rows: Rows = {}
            for planned in self.plan[first : first + length]:
                self._add(rows, planned)
            yield rows

    def _add(self, rows: Rows, planned: Planned) -> None:
        random = self.random
        place = self.site.places[planned.workspace]
        steps = self._pipelines[planned.workspace]
        number = planned.jobs or random.choice((1, 1, 2))
        start = random.randrange(len(steps.steps) - number + 1)
        jobs: list[SampleJob] = []
        if planned.outcome not in WITHOUT_JOBS:
            jobs = Run(steps, planned.at, start, number, self.size, random).become(planned.outcome)
        now = self._commit(place, again=bool(jobs))
        rerun_of = now.request if now.worth_repeating else None
        id_ = self.next_id("job_request")
        known = tally(jobs) if jobs else _without_jobs(planned.outcome, random)
        wanted = steps.wanted(start, number)
        cancelled = sorted(steps.steps[job.step].name for job in jobs if job.code == "cancelled_by_user")
        unsent = planned.outcome is Outcome.NO_ANSWER
        rows.setdefault("job_request", []).append(
            {
                "id": id_,
                "identifier": self._identifier(),
                "backend_id": now.backend,
                "workspace_id": place.id,
                "requested_actions": wanted,
                "cancelled_actions": cancelled,
                "force_run_dependencies": random.random() < 0.08,
                "sha": now.sha,
                "branch": place.branch,
                "commit_message": now.message,
                "project_definition": self._definition(steps, planned.at),
                "codelists_ok": random.random() < 0.98,
                "will_notify": random.random() < 0.4,
                "status": known.status,
                "status_message": known.message,
                **{f"jobs_{state}": count for state, count in known.counts.items()},
                "started_at": known.started,
                "completed_at": known.completed,
                "jobs_updated_at": known.updated,
                "version": 2 + len(jobs),
                "rerun_of_id": rerun_of,
                "settled_at": None if unsent else planned.at + timedelta(seconds=3),
                "submit_attempts": 3 if unsent else 1,
                "last_submitted_at": planned.at + timedelta(seconds=2),
                "created_at": planned.at,
                "created_by_id": now.person.id,
            }
        )
        self._add_jobs(rows, id_, place.id, now.backend, steps, jobs)
        if cancelled:
            self._add_cancellation(rows, id_, now.person, cancelled, jobs)
        rows.setdefault("auditable_event", []).append(
            event(
                AuditType.JOB_REQUEST_CREATED,
                planned.at,
                now.person,
                target=("JobRequest", id_),
                parent=("Workspace", place.id),
                new=",".join(sorted(wanted)),
            )
        )
        if planned.at >= self._followed_from:
            self._follow(
                rows,
                id_,
                planned,
                known,
                jobs,
                [row["id"] for row in rows["job"][-len(jobs) :]] if jobs else [],
            )
        now.request = id_
        now.worth_repeating = planned.outcome in {Outcome.FAILED, Outcome.CANCELLED}
        self._last[planned.workspace] = now

    def _commit(self, place: Place, *, again: bool) -> _Last:
        """Who asks for which commit on which backend; ``worth_repeating``: as the last time."""
        random = self.random
        last = self._last.get(place.number)
        if last and last.worth_repeating and again and random.random() < _AGAIN:
            return last
        backend = self.backends[place.number % len(self.backends)]
        if random.random() < 0.15:
            backend = random.choice(self.backends)
        person = self.site.people[random.choice(place.developers)]
        if last and random.random() < 0.3:
            return _Last(0, backend, last.sha, last.message, person, False)
        return _Last(0, backend, random.randbytes(20).hex(), random.choice(words.COMMITS), person, False)

    def _definition(self, steps: SamplePipeline, at: datetime) -> str:
        return steps.newest if at > self.size.since + 0.7 * SPAN else steps.older

    def _identifier(self) -> str:
        return base64.b32encode(self.random.randbytes(10)).decode().lower()

    def _add_jobs(
        self,
        rows: Rows,
        request: int,
        workspace: int,
        backend: int,
        steps: SamplePipeline,
        jobs: Sequence[SampleJob],
    ) -> None:
        made = rows.setdefault("job", [])
        for job in jobs:
            step = steps.steps[job.step]
            self.actions.add(step.name)
            made.append(
                {
                    "id": self.next_id("job"),
                    "job_request_id": request,
                    "workspace_id": workspace,
                    "backend_id": backend,
                    "identifier": self._identifier(),
                    "action": step.name,
                    "run_command": step.command,
                    "status": job.status,
                    "status_code": job.code,
                    "status_message": job.message,
                    "created_at": job.created,
                    "updated_at": job.updated,
                    "started_at": job.started,
                    "completed_at": job.completed,
                    "trace_context": self._trace(job),
                    "metrics": self._metrics(job, step.memory),
                }
            )

    def _trace(self, job: SampleJob) -> str | None:
        if job.created < self.size.since + 0.8 * SPAN:
            return None
        return json.dumps(
            {"traceparent": f"00-{self.random.randbytes(16).hex()}-{self.random.randbytes(8).hex()}-01"}
        )

    def _metrics(self, job: SampleJob, memory: float) -> str | None:
        if job.started is None:
            return None
        grown = memory * (0.5 + (job.created - self.size.since) / SPAN)
        cpu = self.random.uniform(20, 380)
        mean, peak = (
            round(grown * self.random.uniform(0.5, 0.8)),
            round(grown * self.random.uniform(0.9, 1.3)),
        )
        return (
            f'{{"cpu_mean":{cpu:.1f},"cpu_peak":{cpu * 1.3:.1f},"mem_mb_mean":{mean},"mem_mb_peak":{peak}}}'
        )

    def _add_cancellation(
        self, rows: Rows, request: int, person: Person, cancelled: list[str], jobs: Sequence[SampleJob]
    ) -> None:
        at = min(job.updated for job in jobs if job.code == "cancelled_by_user")
        rows.setdefault("cancellation", []).append(
            {
                "id": self.next_id("cancellation"),
                "job_request_id": request,
                "actions": cancelled,
                "sent_actions": cancelled,
                "sent_at": at,
                "created_at": at - timedelta(seconds=1),
                "created_by_id": person.id,
            }
        )
        rows.setdefault("auditable_event", []).append(
            event(
                AuditType.JOB_REQUEST_CANCELLED,
                at,
                person,
                target=("JobRequest", request),
                new=",".join(cancelled),
            )
        )

    def _follow(
        self,
        rows: Rows,
        request: int,
        planned: Planned,
        known: Tally,
        jobs: Sequence[SampleJob],
        ids: Sequence[object],
    ) -> None:
        """What was noticed of the request, in the order of time."""
        asked = planned.at + timedelta(seconds=2)
        kind = {
            Outcome.NO_ANSWER: "no_answer",
            Outcome.REFUSED: "refused",
            Outcome.NOTHING_TO_DO: "nothing_to_do",
        }.get(planned.outcome, "accepted")
        seen: list[tuple[datetime, object, str, str, str, str]] = [
            (asked, None, "sent", "", "", ""),
            (asked + timedelta(seconds=1), None, kind, "", "", (known.message or "") if not jobs else ""),
        ]
        for id_, job in zip(ids, jobs, strict=True):
            seen.append((job.created, id_, "job", "pending", "created", ""))
            if job.started:
                seen.append((job.started, id_, "job", "running", "executing", ""))
            if job.completed:
                seen.append((job.completed, id_, "job", job.status, job.code, ""))
        seen.sort(key=lambda each: each[0])
        rows.setdefault("happening", []).extend(
            {
                "id": self.next_id("happening"),
                "job_request_id": request,
                "job_id": job_id,
                "at": at,
                "kind": what,
                "status": status,
                "status_code": code,
                "note": note,
            }
            for at, job_id, what, status, code, note in seen
        )


def _without_jobs(outcome: Outcome, random: Random) -> Tally:
    status, message = {
        Outcome.NOTHING_TO_DO: (JobRequestStatus.NOTHING_TO_DO, words.NOTHING_TO_DO),
        Outcome.REFUSED: (JobRequestStatus.FAILED, random.choice(words.REFUSALS)),
        Outcome.ACCEPTED: (JobRequestStatus.PENDING, None),
        Outcome.NO_ANSWER: (JobRequestStatus.UNKNOWN_ERROR_CREATING_JOBS, None),
    }[outcome]
    return Tally(dict.fromkeys(STATES, 0), status, message, None, None, None)
