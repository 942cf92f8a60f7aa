"""What running a request again would ask for (spec: pages 30.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import Job, JobRequest
from jobserver.pipeline import RUN_ALL, Pipeline
from jobserver.queries.job_requests import CREATION_ERROR

Way = Literal["failed", "same"]


def outcomes(db: Session, job_request_id: int) -> Mapping[str, str]:
    """The actions that the request has jobs of, each with the job's state."""
    statement = (
        select(Job.action, Job.state)
        .where(Job.job_request_id == job_request_id, Job.action != CREATION_ERROR)
        .order_by(Job.id)
    )
    return {row.action: row.state for row in db.execute(statement)}


@dataclass(frozen=True)
class Again:
    """The actions to ask for, in file order; ``gone``: those that the file no longer has.

    ``force``: run what they need again, too, even if it succeeded.
    """

    actions: Sequence[str]
    gone: Sequence[str]
    force: bool


def ended_badly(states: Mapping[str, str]) -> list[str]:
    """The actions that failed, never started for that reason, or were cancelled."""
    return [action for action, state in states.items() if state in {"failed", "cancelled"}]


def again(way: Way, job_request: JobRequest, states: Mapping[str, str], pipeline: Pipeline) -> Again:
    """What to ask for.

    ``failed``: the actions that ended badly and those of the request's actions that depend on them; what
    else they need is used as it is if it has succeeded. ``same``: what was asked for, as it was asked for.
    """
    requested = list(job_request.requested_actions)
    if way == "same":
        wanted, force = requested, job_request.force_run_dependencies
    else:
        bad = ended_badly(states)
        wanted, force = [*bad, *pipeline.dependents_of(bad, {*states, *requested})], False
    offered, known = pipeline.requestable(), set(wanted)
    there = [name for name in offered if name in known]
    return Again(there, sorted(known - {*offered, RUN_ALL}), force)
