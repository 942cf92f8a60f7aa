"""What has happened to a request or a job, as a line of events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from jobserver.models import JobRequest
from jobserver.queries import job_requests as queries
from jobserver.queries.cancellations import CancellationRow
from jobserver.queries.job_requests import JobRow
from jobserver.templating.numbers import count
from jobserver.templating.states import STATES, State
from jobserver.templating.times import duration


@dataclass(frozen=True)
class Happening:
    """One event: when, a glyph, a sentence, perhaps a state and a second line."""

    at: datetime
    icon: str
    sentence: Markup
    state: State | None = None
    more: str | None = None


def names(actions: Sequence[str], most: int = 3) -> Markup:
    """Names of actions in a sentence; of many, only the number."""
    if len(actions) > most:
        return Markup.escape(count(len(actions), "action"))
    return Markup(", ").join(Markup("<code>{}</code>").format(name) for name in actions)


def of_request(
    job_request: JobRequest,
    failed: Sequence[JobRow],
    cancelled: Sequence[CancellationRow],
    now: datetime,
    first: str | None,
) -> list[Happening]:
    """What is known of a request, newest first. ``first``: the action that started first, if known."""
    backend = job_request.backend.name
    asked = Markup("{} asked for {}").format(
        job_request.created_by.username, names(job_request.requested_actions)
    )
    found = [Happening(job_request.created_at, "paper-airplane", asked)]
    found += _answer(job_request, backend)
    if job_request.started_at:
        started = Markup("First job started") + (Markup(": <code>{}</code>").format(first) if first else "")
        found.append(Happening(job_request.started_at, "play", started, STATES["running"]))
    found += [
        _failure(row, row.ended_at, now)
        for row in failed
        if row.ended_at and row.status_code != "dependency_failed"
    ]
    found += of_cancellations(cancelled, backend)
    if job_request.completed_at and not queries.is_followed(job_request):
        found.append(_end(job_request, job_request.completed_at))
    found.sort(key=lambda happening: happening.at)
    return found[::-1]


def _answer(job_request: JobRequest, backend: str) -> Iterable[Happening]:
    if job_request.settled_at is None:
        return
    said = {
        "refused": Markup("{} refused the request"),
        "nothing_to_do": Markup("{} found nothing to do"),
        "accepted": Markup("{} accepted the request"),
        "jobs": Markup("{} accepted {}"),
    }.get(queries.phase(job_request))
    if said:
        jobs = count(job_request.jobs_total, "job")
        icon = "x-circle" if queries.phase(job_request) == "refused" else "inbox-arrow-down"
        yield Happening(job_request.settled_at, icon, said.format(backend, jobs))


def _failure(row: JobRow, at: datetime, now: datetime) -> Happening:
    took = row.took(now)
    after = f" after {duration(took)}" if took else ""
    return Happening(
        at,
        row.shown.icon,
        Markup("<code>{}</code> failed{}").format(row.action, after),
        row.shown,
        row.status_message or None,
    )


def _end(job_request: JobRequest, at: datetime) -> Happening:
    tally = queries.counts(job_request)
    parts = [f"{number:,} {state}" for state, number in tally.items() if number]
    state = queries.shown_state(job_request)
    return Happening(at, state.icon, Markup("Ended: {}").format(", ".join(parts)), state)


def of_cancellations(rows: Sequence[CancellationRow], backend: str) -> list[Happening]:
    """Who asked for what to be cancelled, and what came of it."""
    found = []
    for row in rows:
        asked = Markup("{} asked to cancel {}").format(row.by, names(row.actions))
        refused = f"{backend} refused: {row.refusal}" if row.refusal else None
        found.append(Happening(row.created_at, "no-symbol", asked, None, refused))
        if row.sent_at:
            accepted = Markup("{} accepted the cancellation").format(backend)
            found.append(Happening(row.sent_at, "inbox-arrow-down", accepted))
    return found


def of_job(
    row: JobRow, cancelled: Sequence[CancellationRow], backend: str, sentence: Markup, now: datetime
) -> list[Happening]:
    """What is known of a job, oldest first."""
    states = STATES
    found = [
        Happening(row.created_at, "inbox-arrow-down", Markup("Accepted by {}").format(backend)),
        *of_cancellations(cancelled, backend),
    ]
    if row.started_at:
        waited = max((row.started_at - row.created_at).total_seconds(), 0)
        more = f"Waited {duration(waited, with_seconds=True)}" if waited else None
        found.append(Happening(row.started_at, "play", Markup("Started"), states["running"], more))
    if row.ended_at:
        found.append(Happening(row.ended_at, row.shown.icon, Markup.escape(row.shown.word), row.shown))
    found.sort(key=lambda happening: happening.at)
    if row.is_active:
        current = sentence or Markup.escape(row.shown.word)
        found.append(Happening(row.updated_at or now, row.shown.icon, current, row.shown))
    return found


def being_cancelled(by: str) -> Markup:
    """Said of a job that somebody wants cancelled and that has not ended yet."""
    return Markup("Being cancelled, asked by {}").format(by)
