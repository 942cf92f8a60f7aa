"""What has happened to a request or a job, in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from jobserver.models import HappeningKind, JobRequest
from jobserver.queries import job_requests as queries
from jobserver.queries.cancellations import CancellationRow
from jobserver.queries.happenings import HappeningRow
from jobserver.queries.job_requests import JobRow
from jobserver.templating.numbers import count
from jobserver.templating.sentences import job_sentence
from jobserver.templating.states import STATES, State, state_of
from jobserver.templating.times import clock, day, duration

# The end of a job is noticed within a minute or so; if it took longer, both times are told.
LATE = timedelta(minutes=10)

_MAILS = {"request_ended": "The mail about its end", "first_failure": "The mail about the first failure"}


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
    rows: Sequence[HappeningRow],
    cancelled: Sequence[CancellationRow],
    *,
    failed: Sequence[JobRow] = (),
    first: str | None = None,
    complete: bool = True,
) -> list[Happening]:
    """The rows in sentences, newest first.

    ``complete``: they are all there are, so what was never written down (the request is older than the
    history) is told as far as the request's row knows it. ``failed``: jobs to tell of then; ``first``: the
    action that started first.
    """
    wishes = {wish.id: wish for wish in cancelled}
    told = [_told(job_request, row, wishes) for row in rows]
    if not complete:
        return told
    kinds = {row.kind for row in rows}
    untold = [] if kinds & _ANSWERS else _answer(job_request)
    untold += [] if HappeningKind.JOB in kinds else _jobs(job_request, failed, first)
    # Of what has the same time, the asking comes first.
    return sorted([*told[:-1], *untold, *told[-1:]], key=lambda happening: happening.at, reverse=True)


_ANSWERS = {HappeningKind.ACCEPTED, HappeningKind.REFUSED, HappeningKind.NOTHING_TO_DO}


def _told(job_request: JobRequest, row: HappeningRow, wishes: dict[int, CancellationRow]) -> Happening:
    backend = job_request.backend.name
    if row.kind == HappeningKind.JOB:
        return of_transition(row, backend)
    if row.kind == "asked":
        return _asked(job_request)
    if row.kind == "ended":
        return _end(job_request, row.at)
    if row.cancellation_id:
        wish = wishes[row.cancellation_id]
        return _wish(wish, backend) if row.kind == "cancelling" else _wish_accepted(row.at, backend)
    return _of_asking(row, backend)


def _asked(job_request: JobRequest) -> Happening:
    who, what = job_request.created_by.username, names(job_request.requested_actions)
    return Happening(job_request.created_at, "paper-airplane", Markup("{} asked for {}").format(who, what))


_ASKING = {
    HappeningKind.SENT: ("paper-airplane", "Sent to {}"),
    HappeningKind.NO_ANSWER: (
        "question-mark-circle",
        "No clear answer from {}; asked again until there is one",
    ),
    HappeningKind.ACCEPTED: ("inbox-arrow-down", "{} accepted the request"),
    HappeningKind.REFUSED: ("x-circle", "{} made no jobs"),
    HappeningKind.NOTHING_TO_DO: ("minus-circle", "{} found nothing to do"),
}


def _of_asking(row: HappeningRow, backend: str) -> Happening:
    """What became of asking the controller, or of a mail."""
    if row.kind in _ASKING:
        icon, words = _ASKING[HappeningKind(row.kind)]
        return Happening(row.at, icon, Markup.escape(words).format(backend), None, row.note or None)
    mail = Markup.escape(_MAILS.get(row.note, "A mail"))
    if row.kind == HappeningKind.MAILED:
        return Happening(row.at, "envelope", mail + " was sent to the requester")
    # What somebody has chosen in their settings is nobody else's business.
    reason = {"refused": "The mail server refused it", "has_ended": "It had ended by then"}.get(
        row.status_code
    )
    return Happening(row.at, "envelope", mail + " was not sent", None, reason)


def of_transition(row: HappeningRow, backend: str, *, named: bool = True) -> Happening:
    """A change of a job; ``named``: with the action's name, for lists about more than one job."""
    state = state_of(row.status, row.status_code)
    words = _transition(row, state, backend)
    if named:
        # A step within one status is told after a colon: "table: running your code".
        colon = ":" if row.before.lower() == row.status.lower() else ""
        sentence = Markup("<code>{}</code>{} {}").format(row.action, colon, words)
    else:
        sentence = words[:1].upper() + words[1:]
    icon = "play" if words == _STARTED else state.icon
    return Happening(row.at, icon, sentence, state, _more(row, state))


_STARTED = Markup("started")


def _transition(row: HappeningRow, state: State, backend: str) -> Markup:
    """What happened to the job, to stand after its name."""
    before = row.before.lower()
    status = row.status.lower() or "pending"
    took = None
    if row.started_at and row.completed_at and row.completed_at > row.started_at:
        took = row.completed_at - row.started_at
    after = Markup(" after {}").format(duration(took)) if took else Markup()
    step = job_sentence(status, row.status_code, "", backend=backend)
    if row.status_code == "dependency_failed":
        return Markup("never started: something it needs failed")
    if state.kind == "cancelled":
        return Markup("was cancelled") + after
    if status in {"succeeded", "failed"}:
        return Markup.escape(status) + after
    if status == "running" and before != "running":
        return _STARTED
    if status == "pending" and before == "running":
        return Markup("stopped and waits again: ") + _lowered(step, state)
    if state.kind == "unknown":
        return Markup("is in a state that is not known here: {}").format(row.status)
    return _lowered(step, state)


def _lowered(step: Markup, state: State) -> Markup:
    """The sentence of a step, to stand within another; the names of backends stay as they are."""
    words = step or Markup.escape(state.word)
    first = words.split(" ")[0]
    return words if first.isupper() and len(first) > 1 else words[:1].lower() + words[1:]


def _more(row: HappeningRow, state: State) -> str | None:
    """The second line: the controller's words for a failure, and its time if we learnt of it late."""
    if row.status.lower() not in {"succeeded", "failed"}:
        return None
    said = (
        row.status_message or "" if state.kind == "failed" and row.status_code != "dependency_failed" else ""
    )
    late = ""
    if row.completed_at and row.at - row.completed_at > LATE:
        on = "" if day(row.completed_at) == day(row.at) else f" on {day(row.completed_at)}"
        late = f"It ended at {clock(row.completed_at)}{on}; word of it came later"
    return ". ".join(part for part in (said.rstrip("."), late) if part) or None


def _answer(job_request: JobRequest) -> list[Happening]:
    """How the controller answered, as far as the request's row tells."""
    phase = queries.phase(job_request)
    kind = {
        "refused": HappeningKind.REFUSED,
        "nothing_to_do": HappeningKind.NOTHING_TO_DO,
        "accepted": HappeningKind.ACCEPTED,
        "jobs": HappeningKind.ACCEPTED,
    }.get(phase)
    if job_request.settled_at is None or kind is None:
        return []
    backend = job_request.backend.name
    icon, words = _ASKING[kind]
    if phase == "jobs":
        what = count(job_request.jobs_total, "job")
        return [Happening(job_request.settled_at, icon, Markup("{} accepted {}").format(backend, what))]
    reason = job_request.status_message if kind != HappeningKind.ACCEPTED else None
    return [Happening(job_request.settled_at, icon, Markup.escape(words).format(backend), None, reason)]


def _jobs(job_request: JobRequest, failed: Sequence[JobRow], first: str | None) -> list[Happening]:
    """What the rows of jobs still tell of a request whose jobs' steps were not written down."""
    found = []
    if job_request.started_at:
        started = Markup("First job started") + (Markup(": <code>{}</code>").format(first) if first else "")
        found.append(Happening(job_request.started_at, "play", started, STATES["running"]))
    for row in failed:
        if row.ended_at and row.status_code != "dependency_failed":
            after = f" after {duration(took)}" if (took := row.took(row.ended_at)) else ""
            words = Markup("<code>{}</code> failed{}").format(row.action, after)
            found.append(
                Happening(row.ended_at, row.shown.icon, words, row.shown, row.status_message or None)
            )
    return found


def _end(job_request: JobRequest, at: datetime) -> Happening:
    tally = queries.counts(job_request)
    parts = [f"{number:,} {state}" for state, number in tally.items() if number]
    state = queries.shown_state(job_request)
    return Happening(at, state.icon, Markup("Ended: {}").format(", ".join(parts)), state)


def of_cancellations(rows: Sequence[CancellationRow], backend: str) -> list[Happening]:
    """Who asked for what to be cancelled, and what came of it."""
    found = [_wish(row, backend) for row in rows]
    return found + [_wish_accepted(row.sent_at, backend) for row in rows if row.sent_at]


def _wish(row: CancellationRow, backend: str) -> Happening:
    asked = Markup("{} asked to cancel {}").format(row.by, names(row.actions))
    refused = f"{backend} refused: {row.refusal}" if row.refusal else None
    return Happening(row.created_at, "no-symbol", asked, None, refused)


def _wish_accepted(at: datetime, backend: str) -> Happening:
    return Happening(at, "inbox-arrow-down", Markup("{} accepted the cancellation").format(backend))


def of_job(
    row: JobRow,
    cancelled: Sequence[CancellationRow],
    backend: str,
    sentence: Markup,
    now: datetime,
    noted: Sequence[HappeningRow] = (),
) -> list[Happening]:
    """What is known of a job, oldest first; ``noted``: its changes, where they were written down."""
    found = of_cancellations(cancelled, backend)
    found += [of_transition(each, backend, named=False) for each in noted] or _of_the_row(row, backend)
    found.sort(key=lambda happening: happening.at)
    if row.is_active and not noted:
        current = sentence or Markup.escape(row.shown.word)
        found.append(Happening(row.updated_at or now, row.shown.icon, current, row.shown))
    return found


def _of_the_row(row: JobRow, backend: str) -> list[Happening]:
    """What the row of a job tells, if its changes were not written down."""
    found = [Happening(row.created_at, "inbox-arrow-down", Markup("Accepted by {}").format(backend))]
    if row.started_at:
        waited = max((row.started_at - row.created_at).total_seconds(), 0)
        more = f"Waited {duration(waited, with_seconds=True)}" if waited else None
        found.append(Happening(row.started_at, "play", Markup("Started"), STATES["running"], more))
    if row.ended_at:
        found.append(Happening(row.ended_at, row.shown.icon, Markup.escape(row.shown.word), row.shown))
    return found


def being_cancelled(by: str) -> Markup:
    """Said of a job that somebody wants cancelled and that has not ended yet."""
    return Markup("Being cancelled, asked by {}").format(by)
