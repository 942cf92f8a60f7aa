"""Which action needs which, as the ``project.yaml`` of a request says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import JobRequest
from jobserver.pipeline import PipelineInvalid, parse
from jobserver.pipeline.glance import needs_at_a_glance
from jobserver.queries.job_requests import JobRow

# Reading a longer file as YAML would keep a page waiting.
LONGEST = 30_000

Needs = Mapping[str, tuple[str, ...]]


def definition(db: Session, job_request_id: int) -> str:
    """The text of the request's ``project.yaml``, a column that nothing else loads; "" if none is kept."""
    return db.scalar(select(JobRequest.project_definition).where(JobRequest.id == job_request_id)) or ""


def needs_of_request(db: Session, job_request_id: int) -> Needs:
    """What each action of the request needs; empty if the file is missing, faulty or long."""
    return needs_in(definition(db, job_request_id))


@lru_cache(maxsize=64)
def needs_in(text: str) -> Needs:
    """What each action of this file needs, by name, sorted. A file does not change while its request runs."""
    if len(text) > LONGEST:
        return needs_at_a_glance(text)
    try:
        pipeline = parse(text)
    except PipelineInvalid:
        return {}
    return {name: action.needs for name, action in pipeline.actions.items()}


@dataclass(frozen=True)
class Waits:
    """What one job waits for, or failed for: names of actions, and how many it needs in all."""

    names: Sequence[str] = ()
    needs: int = 0


def waits(rows: Iterable[JobRow], jobs: Iterable[JobRow], needs: Needs) -> Mapping[str, Waits]:
    """For the rows that wait or never started: the actions that they wait for, by action.

    ``jobs`` are all jobs of the request.
    """
    states = {row.action: row.state for row in jobs}
    found = {}
    for row in rows:
        if row.status_code not in {"waiting_on_dependencies", "dependency_failed"}:
            continue
        failed_for = row.status_code == "dependency_failed"
        holding = {"failed", "cancelled"} if failed_for else {"pending", "running", "unknown"}
        wanted = needs.get(row.action, ())
        found[row.action] = Waits([name for name in wanted if states.get(name) in holding], len(wanted))
    return found
