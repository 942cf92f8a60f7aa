"""What older controllers send (spec: rap 10.1)."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from jobserver.forms.api.base import (
    NULL,
    Body,
    BodyRefused,
    FilledText,
    Moment,
    OptionalMoment,
    OptionalText,
    Text,
    check,
    refuse_unstorable,
)

# So many wrong jobs are told of; nobody reads more.
MOST_TOLD = 100


def _anything(value: object) -> object:
    refuse_unstorable(value)
    return value


Anything = Annotated[Any, BeforeValidator(_anything)]


class ReportedJob(Body):
    """A job as an older controller sees it."""

    job_request_id: FilledText
    identifier: FilledText
    status: FilledText
    action: Text
    status_code: Text
    status_message: Text
    run_command: OptionalText
    created_at: Moment
    updated_at: OptionalMoment
    started_at: OptionalMoment
    completed_at: OptionalMoment
    trace_context: Anything = None
    metrics: Anything = None

    def as_reported_now(self) -> dict[str, Any]:
        """The same in the words of today's controller (spec: rap 1.5)."""
        values = {
            name: _utc(value) if isinstance(value, datetime) else value
            for name, value in self
            if name in self.model_fields_set
        }
        if not values["action"]:
            # A job without an action is none that can be shown; of one that is known, it stays.
            del values["action"]
        return {**values, "rap_id": values.pop("job_request_id")}


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def reported_jobs(value: object) -> list[ReportedJob]:
    """The body of a report, or :class:`BodyRefused` with the errors by position, from 0, as text."""
    if not isinstance(value, list):
        kind = type(value).__name__
        raise BodyRefused({"non_field_errors": [f'Expected a list of items but got type "{kind}".']})
    jobs: list[ReportedJob] = []
    errors: dict[str, Any] = {}
    for position, each in enumerate(value):
        if len(errors) == MOST_TOLD:
            break
        if each is None:
            errors[str(position)] = [NULL]
            continue
        try:
            jobs.append(check(ReportedJob, each))
        except BodyRefused as refused:
            errors[str(position)] = refused.errors
    if errors:
        raise BodyRefused(errors)
    return jobs
