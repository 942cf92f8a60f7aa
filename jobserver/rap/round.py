"""One round: ask the controller about requests, store the answers, and repeat what did not get through."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from opentelemetry import trace
from opentelemetry.trace import Span

from jobserver.clients.rap import RapError
from jobserver.models import utcnow
from jobserver.queries import active_requests
from jobserver.queries.active_requests import Asked
from jobserver.rap import cancel, submit
from jobserver.rap.context import Context
from jobserver.rap.sync import Synced, store_answer

log = structlog.get_logger(__name__)
tracer = trace.get_tracer("rap_commands")

# The controller's limit is the size of a body; ours is the time that one answer takes.
IDS_AT_ONCE = 500
# Seconds of a round for submitting requests again: following those that run comes first.
SUBMITTING = 20.0


@dataclass
class RoundReport:
    """What one round did. ``failure`` is set when the controller could not be asked."""

    asked: list[str] = field(default_factory=list)
    unknown_here: list[str] = field(default_factory=list)
    synced: Synced = field(default_factory=Synced)
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything asked for is known here and stored."""
        return not (self.failure or self.unknown_here or self.synced.faults)


def run_round(context: Context, rap_ids: Iterable[str] | None = None) -> RoundReport:
    """Learn how requests are, and store it: all of which there may be news, or those given (spec: rap 4).

    Faults of the controller and of single requests are in the report. Only the database's are raised.
    """
    report = RoundReport()
    with tracer.start_as_current_span("rap_status_update") as span:
        with context.transaction() as db:
            if rap_ids is None:
                asked = active_requests.to_ask_about(db, utcnow())
            else:
                wanted = list(dict.fromkeys(rap_ids))
                asked = active_requests.by_identifier(db, wanted)
                report.unknown_here = sorted(set(wanted) - {each.identifier for each in asked})
        if report.unknown_here:
            log.warning("rap_unknown_here", rap_ids=report.unknown_here)
        report.asked = [each.identifier for each in asked]
        log.info("rap_asking", rap_ids=report.asked)
        for start in range(0, len(asked), IDS_AT_ONCE):
            if not _ask(context, asked[start : start + IDS_AT_ONCE], report):
                break
        _describe(report, span)
    return report


def _ask(context: Context, asked: Sequence[Asked], report: RoundReport) -> bool:
    """Whether the controller answered."""
    try:
        answer = context.clients.rap.status([each.identifier for each in asked])
    except RapError as error:
        report.failure = str(error)
        log.warning("rap_status_unavailable", reason=report.failure)
        return False
    report.synced.add(store_answer(context, asked, answer))
    return True


def _describe(report: RoundReport, span: Span) -> None:
    stored = report.synced.stored
    if stored.created or stored.updated:
        lists = {"created": stored.created, "updated": stored.updated}
        ids = {f"{verb}_job_ids": [id_ for id_, _ in jobs] for verb, jobs in lists.items()}
        names = {f"{verb}_job_identifiers": [name for _, name in jobs] for verb, jobs in lists.items()}
        log.info("rap_jobs_stored", **ids, **names)
        for key, values in (ids | names).items():
            span.set_attribute(f"rap_status.{key}", _joined(values))
        span.set_attribute("rap_status.created_job_count", len(stored.created))
        span.set_attribute("rap_status.updated_job_count", len(stored.updated))
        span.set_attribute("rap_status.affected_job_count", len(stored.created) + len(stored.updated))
    for key, values in {
        "unrecognised_job_identifiers": stored.missing,
        "unrecognised_rap_ids": report.synced.unrecognised,
        "failed_rap_ids": report.synced.failed,
    }.items():
        if values:
            span.set_attribute(f"rap_status.{key}", _joined(values))


def _joined(values: Iterable[object]) -> str:
    return ",".join(str(value) for value in values)


def repeat_what_failed(context: Context, *, at_once: bool = False) -> None:
    """Send again what the controller has not got: cancellations first, then requests, oldest first.

    ``at_once``: without waiting for the pauses between attempts, because the controller is back. Ends
    at the first sign that it is not, and after 20 seconds; the rest is left to the next round.
    """
    until = time.monotonic() + SUBMITTING
    with context.transaction() as db:
        cancellations = active_requests.to_cancel(db, utcnow())
        requests = active_requests.to_submit(db, utcnow(), at_once=at_once)
    for id_ in cancellations:
        if cancel.send(context, id_) is cancel.Outcome.UNKNOWN:
            break
    unknown_in_a_row = 0
    for id_ in requests:
        outcome = submit.submit(context, id_)
        unknown_in_a_row = unknown_in_a_row + 1 if outcome is submit.Outcome.UNKNOWN else 0
        # One request may be at fault by itself; two in a row are the controller's.
        if unknown_in_a_row == 2 or time.monotonic() > until:
            break
