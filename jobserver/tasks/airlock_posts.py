"""Telling output checkers in Slack that a release request has moved on (spec: airlock 8.3, 8.5)."""

from datetime import timedelta

import structlog

from jobserver import locks
from jobserver.models import utcnow
from jobserver.queries.release_request_telling import Event
from jobserver.rap.context import Context
from jobserver.tasks import airlock_words, sending
from jobserver.tasks.airlock_issues import load, record
from jobserver.tasks.retrying import GiveUp, NotYet

log = structlog.get_logger(__name__)

# So long the message waits for the comment that it links to.
PATIENCE = timedelta(minutes=10)
SHORTEST_WAIT = timedelta(seconds=2)


def post_to_slack(context: Context, *, event_id: int) -> None:
    """Post the event, linked to its comment on GitHub if there is one in time."""
    with context.alone(locks.RELEASE_REQUEST_POST, event_id) as alone:
        if not alone:
            raise NotYet("another worker is posting this event")
        event = load(context, event_id)
        if event.slack_at is not None:
            log.info("release_request_posted_before", release_request=event.request_id, event_id=event.id)
            return
        _wait_for_github(event)
        try:
            sending.post(context, event.channel, airlock_words.post(event, event.comment_url))
        except GiveUp as error:
            log.exception("output_checking_channel_unusable", channel=event.channel, reason=str(error))
            raise
        record(context, event.id, slack_at=utcnow())
    log.info("release_request_posted", release_request=event.request_id, event_type=event.type)


def _wait_for_github(event: Event) -> None:
    now, deadline = utcnow(), event.at + PATIENCE
    if event.comment_url or now >= deadline:
        return
    # The older the event, the longer the pauses.
    pause = max(SHORTEST_WAIT, (now - event.at) / 2)
    raise NotYet("GitHub does not show the event yet", until=min(deadline, now + pause))
