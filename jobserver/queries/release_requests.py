"""What happened to a release request, as Airlock told it, and what each kind of event does.

Spec: airlock 8.3, 12.48, 12.50.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from jobserver.models import ReleaseRequest, ReleaseRequestEvent, User
from jobserver.models.choices import AirlockEventType, ReleaseRequestState


class IssueStep(StrEnum):
    """What an event does to the request's issue on GitHub."""

    CREATE = "create"
    UPDATE = "update"
    CLOSE = "close"


class Whose(StrEnum):
    """Who has to act next on a release request."""

    AUTHOR = "author"
    CHECKERS = "checkers"
    AIRLOCK = "airlock"
    NOBODY = "nobody"


class Channel(StrEnum):
    """Where people are told of an event."""

    ISSUE = "issue"
    SLACK = "slack"
    MAIL = "mail"


PENDING_REVIEW = "Pending review"
UNDER_REVIEW = "Under review"
WITH_REQUESTER = "With requester"
STATUS_LABELS = (PENDING_REVIEW, UNDER_REVIEW, WITH_REQUESTER)


@dataclass(frozen=True)
class Step:
    """What an event means: the state it leads to, its words, what it does to the issue, who gets mail.

    ``label`` is the status label that the issue has afterwards; an update is posted to Slack as well.
    """

    state: ReleaseRequestState
    words: str
    issue: IssueStep
    label: str = ""
    mails_author: bool = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Where the event is told, the issue first."""
        slack = (Channel.SLACK,) if self.issue is IssueStep.UPDATE else ()
        return (Channel.ISSUE, *slack, *((Channel.MAIL,) if self.mails_author else ()))


_State, _Type, _Issue = ReleaseRequestState, AirlockEventType, IssueStep

STEPS: Mapping[AirlockEventType, Step] = {
    _Type.SUBMITTED: Step(_State.SUBMITTED, "Submitted", _Issue.CREATE, PENDING_REVIEW),
    _Type.RESUBMITTED: Step(_State.SUBMITTED, "Submitted again", _Issue.UPDATE, PENDING_REVIEW),
    _Type.PARTIALLY_REVIEWED: Step(
        _State.PARTIALLY_REVIEWED, "First review handed in", _Issue.UPDATE, UNDER_REVIEW
    ),
    _Type.REVIEWED: Step(_State.REVIEWED, "Second review handed in", _Issue.UPDATE, UNDER_REVIEW),
    _Type.RETURNED: Step(_State.RETURNED, "Returned", _Issue.UPDATE, WITH_REQUESTER, mails_author=True),
    _Type.APPROVED: Step(_State.APPROVED, "Approved", _Issue.UPDATE, mails_author=True),
    _Type.RELEASED: Step(_State.RELEASED, "Released", _Issue.CLOSE, mails_author=True),
    _Type.REJECTED: Step(_State.REJECTED, "Rejected", _Issue.CLOSE, mails_author=True),
    _Type.WITHDRAWN: Step(_State.WITHDRAWN, "Withdrawn", _Issue.CLOSE),
}

_TURNS = {
    _State.SUBMITTED: Whose.CHECKERS,
    _State.PARTIALLY_REVIEWED: Whose.CHECKERS,
    _State.REVIEWED: Whose.CHECKERS,
    _State.RETURNED: Whose.AUTHOR,
    _State.APPROVED: Whose.AIRLOCK,
}


def whose_turn(state: str) -> Whose:
    """Who acts next: the author, the checkers, Airlock (which uploads approved files), or nobody."""
    return _TURNS.get(ReleaseRequestState(state), Whose.NOBODY)


def update_line(update: Mapping[str, Any]) -> str:
    """An update that came with an event as one line (spec: airlock 8.1)."""
    group = f" (filegroup {update['group']})" if update.get("group") else ""
    user = f" by user {update['user']}" if update.get("user") else ""
    return f"{update['update']}{group}{user}"


@dataclass(frozen=True)
class Notification:
    """Where an event is told: since ``at``, or not yet. ``url``: the comment on GitHub, if there is one."""

    channel: Channel
    at: datetime | None
    url: str = ""


@dataclass(frozen=True)
class HistoryEvent:
    """One event: what, when, by whom, the lines that came with it, and who has been told."""

    id: int
    event_type: AirlockEventType
    turn: int
    at: datetime
    username: str
    fullname: str
    updates: tuple[str, ...]
    notifications: tuple[Notification, ...]

    @property
    def words(self) -> str:
        """What happened: "First review handed in"."""
        return STEPS[self.event_type].words

    @property
    def state(self) -> ReleaseRequestState:
        """Where the event brought the request."""
        return STEPS[self.event_type].state


def history(db: Session, release_request_id: str) -> list[HistoryEvent]:
    """Everything that happened to the request, oldest first, by one statement."""
    author = aliased(User)
    gets_mail = author.email.is_not(None) & author.disabled_at.is_(None)
    rows = db.execute(
        select(ReleaseRequestEvent, User.username, User.fullname, gets_mail)
        .join(User, User.id == ReleaseRequestEvent.created_by_id)
        .join(ReleaseRequest, ReleaseRequest.id == ReleaseRequestEvent.release_request_id)
        .join(author, author.id == ReleaseRequest.author_id)
        .where(ReleaseRequestEvent.release_request_id == release_request_id)
        .order_by(ReleaseRequestEvent.id)
    )
    return [
        HistoryEvent(
            id=event.id,
            event_type=AirlockEventType(event.event_type),
            turn=event.turn,
            at=event.created_at,
            username=username,
            fullname=fullname,
            updates=tuple(update_line(each) for each in event.updates),
            notifications=_notifications(event, is_first=number == 0, gets_mail=mailed),
        )
        for number, (event, username, fullname, mailed) in enumerate(rows)
    ]


def _notifications(
    event: ReleaseRequestEvent, *, is_first: bool, gets_mail: bool
) -> tuple[Notification, ...]:
    told = {
        Channel.ISSUE: Notification(Channel.ISSUE, event.issue_at, event.comment_url),
        Channel.SLACK: Notification(Channel.SLACK, event.slack_at),
        Channel.MAIL: Notification(Channel.MAIL, event.mail_at),
    }
    channels = channels_of(event.event_type, is_first=is_first)
    return tuple(told[each] for each in channels if each is not Channel.MAIL or gets_mail or event.mail_at)


def channels_of(event_type: str, *, is_first: bool) -> tuple[Channel, ...]:
    """Where the event is told. Withdrawing what was never submitted closes nothing (spec: airlock 12.47)."""
    found = STEPS[AirlockEventType(event_type)].channels
    if is_first and event_type == AirlockEventType.WITHDRAWN:
        return ()
    return found
