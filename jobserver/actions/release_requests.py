"""Keeping what Airlock tells of release requests, and having people told of it.

Each event is stored in one short transaction together with the tasks that tell of it: nothing that GitHub,
Slack or the mail server do reaches Airlock. Spec: airlock 8 and 12.43 to 12.50.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.models import (
    BackendMembership,
    Release,
    ReleaseRequest,
    ReleaseRequestEvent,
    User,
    Workspace,
    utcnow,
)
from jobserver.models.choices import AirlockEventType, ReleaseRequestState, ReleaseStatus
from jobserver.queries.release_requests import STEPS, Channel, Whose, channels_of, whose_turn
from jobserver.queue import Task
from jobserver.security import tokens
from jobserver.security.callers import BackendCaller
from jobserver.security.sessions import goes_on


class EventRefused(Exception):
    """The event cannot be kept; ``key`` is the part of it that is wrong."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"{key}: {reason}")


@dataclass(frozen=True)
class Told:
    """An event as Airlock tells it (spec: airlock 8.1). ``checking_repo`` is ``owner/name``, or empty.

    Without ``request`` it is of the author's newest request in the workspace: Airlock has one at a time.
    """

    event_type: AirlockEventType
    workspace: str
    request: str
    request_author: str
    user: str
    updates: Sequence[Mapping[str, Any]] = ()
    checking_repo: str = ""


@dataclass(frozen=True)
class _Names:
    """The rows behind the names of an event."""

    workspace_id: int
    author_id: int
    user_id: int
    # The keys whose users have no access to the backend.
    outsiders: tuple[str, ...]


_TASKS = {
    Channel.ISSUE: Task.RELEASE_REQUEST_ISSUE,
    Channel.SLACK: Task.RELEASE_REQUEST_POST,
    Channel.MAIL: Task.RELEASE_REQUEST_MAIL,
}
_RELEASE_STATUS = {
    AirlockEventType.APPROVED: ReleaseStatus.APPROVED,
    AirlockEventType.RELEASED: ReleaseStatus.APPROVED,
    AirlockEventType.REJECTED: ReleaseStatus.REJECTED,
}
_State = ReleaseRequestState
# Within a turn a request only goes forward, however late an event comes.
_RANKS = {
    _State.SUBMITTED: 0,
    _State.PARTIALLY_REVIEWED: 1,
    _State.REVIEWED: 2,
    _State.RETURNED: 3,
    _State.APPROVED: 4,
    _State.RELEASED: 5,
    _State.REJECTED: 5,
    _State.WITHDRAWN: 5,
}


def keep_event(db: Session, backend: BackendCaller, told: Told) -> bool:
    """Store the event, move the request on, and ask for the notifications; False for a repeat.

    A resubmission begins a new turn unless it repeats the newest event; everything else happens once in a
    turn. Raises :class:`EventRefused`, after which the transaction must be rolled back.
    """
    names = _names(db, backend, told)
    told = told if told.request else replace(told, request=_unnamed(db, backend, told, names))
    request = _locked(db, told.request)
    if request is None:
        request = _new_request(db, backend, told, names)
    if request is None:
        request = _locked(db, told.request)
    if request is None:
        raise RuntimeError("a release request was there, and is not")
    _check_same(request, backend, told, names)
    newest = _newest(db, request.id)
    turn = request.turn
    if told.event_type is AirlockEventType.RESUBMITTED and newest and newest != told.event_type:
        turn += 1
    event_id = _new_event(db, request.id, turn, told, names.user_id)
    if event_id is None:
        return False
    _advance(request, told, turn)
    db.flush()
    _set_release(db, request, told.event_type)
    for channel in channels_of(told.event_type, is_first=newest is None):
        place = f"release_request:{request.id}:{channel}"
        queue.defer(db, _TASKS[channel], key=str(event_id), in_order_of=place, event_id=event_id)
    return True


def _names(db: Session, backend: BackendCaller, told: Told) -> _Names:
    wanted = {told.request_author.lower(), told.user.lower()}
    has_access = exists().where(
        BackendMembership.backend_id == backend.id,
        BackendMembership.user_id == User.id,
        goes_on(BackendMembership),
    )
    username = func.lower(User.username)
    found = {
        row[0]: row for row in db.execute(select(username, User.id, has_access).where(username.in_(wanted)))
    }
    workspace_id = db.scalar(select(Workspace.id).where(Workspace.name == told.workspace))
    if workspace_id is None:
        _unknown("workspace", "workspace", told.workspace)
    named = {"request_author": told.request_author, "user": told.user}
    for key, name in named.items():
        if name.lower() not in found:
            _unknown(key, "user", name)
    rows = {key: found[name.lower()] for key, name in named.items()}
    outsiders = tuple(key for key, row in rows.items() if not row[2])
    return _Names(workspace_id, rows["request_author"][1], rows["user"][1], outsiders)


def _unknown(key: str, kind: str, name: str) -> NoReturn:
    raise EventRefused(key, f"There is no {kind} “{name[:100]}”.")


def _unnamed(db: Session, backend: BackendCaller, told: Told, names: _Names) -> str:
    """The id of the request of an event that names none; a submission begins one if none goes on."""
    newest = db.execute(
        select(ReleaseRequest.id, ReleaseRequest.state)
        .where(
            ReleaseRequest.author_id == names.author_id,
            ReleaseRequest.workspace_id == names.workspace_id,
            ReleaseRequest.backend_id == backend.id,
        )
        .order_by(ReleaseRequest.created_at.desc(), ReleaseRequest.id.desc())
        .limit(1)
    ).one_or_none()
    is_over = newest is not None and whose_turn(newest.state) is Whose.NOBODY
    if newest is None or (is_over and told.event_type is AirlockEventType.SUBMITTED):
        return tokens.new_ulid()
    return str(newest.id)


def _locked(db: Session, id_: str) -> ReleaseRequest | None:
    return db.scalar(
        select(ReleaseRequest)
        .where(ReleaseRequest.id == id_)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _new_request(db: Session, backend: BackendCaller, told: Told, names: _Names) -> ReleaseRequest | None:
    """The request, which was not heard of before; None if another event has just made it."""
    for key in names.outsiders:
        raise EventRefused(key, f"This user has no access to the backend {backend.slug}.")
    now = utcnow()
    return db.scalar(
        insert(ReleaseRequest)
        .values(
            id=told.request,
            workspace_id=names.workspace_id,
            backend_id=backend.id,
            author_id=names.author_id,
            state=STEPS[told.event_type].state,
            created_at=now,
            state_since=now,
            checking_repo=told.checking_repo,
        )
        .on_conflict_do_nothing()
        .returning(ReleaseRequest)
    )


def _check_same(request: ReleaseRequest, backend: BackendCaller, told: Told, names: _Names) -> None:
    if request.backend_id != backend.id:
        raise EventRefused("request", "The request of this id is another backend's.")
    if request.workspace_id != names.workspace_id:
        raise EventRefused("workspace", f"The request {told.request} is for another workspace.")
    if request.author_id != names.author_id:
        raise EventRefused("request_author", f"The request {told.request} has another author.")


def _newest(db: Session, request_id: str) -> str | None:
    """The kind of the newest event."""
    return db.scalar(
        select(ReleaseRequestEvent.event_type)
        .where(ReleaseRequestEvent.release_request_id == request_id)
        .order_by(ReleaseRequestEvent.id.desc())
        .limit(1)
    )


def _new_event(db: Session, request_id: str, turn: int, told: Told, user_id: int) -> int | None:
    return db.scalar(
        insert(ReleaseRequestEvent)
        .values(
            release_request_id=request_id,
            event_type=told.event_type,
            turn=turn,
            updates=[dict(each) for each in told.updates],
            created_at=utcnow(),
            created_by_id=user_id,
        )
        .on_conflict_do_nothing()
        .returning(ReleaseRequestEvent.id)
    )


def _advance(request: ReleaseRequest, told: Told, turn: int) -> None:
    state = STEPS[told.event_type].state
    begins_turn = turn != request.turn
    if begins_turn or (_RANKS[state] >= _RANKS[_State(request.state)] and state != request.state):
        request.state, request.state_since = state, utcnow()
    request.turn = turn
    if told.checking_repo and not request.issue_repo:
        request.checking_repo = told.checking_repo


def _set_release(db: Session, request: ReleaseRequest, event_type: AirlockEventType) -> None:
    """Give the release of the request, if there is one, the status that the event means."""
    status = _RELEASE_STATUS.get(event_type)
    if status is None:
        return
    found = db.execute(
        update(Release)
        .where(Release.id == request.id)
        .values(status=status)
        .returning(Release.backend_id, Release.workspace_id)
    ).one_or_none()
    if found is None:
        return
    if found.backend_id != request.backend_id:
        raise EventRefused("request", "The release of this id came from another backend.")
    if found.workspace_id != request.workspace_id:
        raise EventRefused("workspace", "The release of this id belongs to another workspace.")
