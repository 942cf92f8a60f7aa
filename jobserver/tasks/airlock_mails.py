"""Mails to the author of a release request: returned, approved, rejected, released (spec: airlock 8.3)."""

import structlog

from jobserver import locks
from jobserver.clients.mail import Message
from jobserver.models import utcnow
from jobserver.models.choices import AirlockEventType
from jobserver.queries.release_request_telling import Event
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.airlock_issues import load, record
from jobserver.tasks.links import link
from jobserver.tasks.retrying import NotYet

log = structlog.get_logger(__name__)

_NAMES = {
    AirlockEventType.APPROVED: "release_request_approved",
    AirlockEventType.RELEASED: "release_request_released",
    AirlockEventType.REJECTED: "release_request_rejected",
    AirlockEventType.RETURNED: "release_request_returned",
}
_SUBJECTS = {
    AirlockEventType.APPROVED: "Release request approved: {workspace}",
    AirlockEventType.RELEASED: "Files released: {workspace}",
    AirlockEventType.REJECTED: "Release request rejected: {workspace}, {request}",
    AirlockEventType.RETURNED: "Release request returned: {workspace}, {request}",
}


def mail_author(context: Context, *, event_id: int) -> None:
    """Tell the author what became of the request, once; it waits for nothing else."""
    with context.alone(locks.RELEASE_REQUEST_MAIL, event_id) as alone:
        if not alone:
            raise NotYet("another worker is sending this mail")
        event = load(context, event_id)
        if event.mail_at is not None:
            log.info("mail_sent_before", release_request=event.request_id, event_id=event.id)
            return
        if not event.author.email or event.author.is_disabled:
            reason = "disabled" if event.author.is_disabled else "no_address"
            log.info("user_not_notified", release_request=event.request_id, reason=reason)
            return
        sending.mail(context, message(event, context.settings.base_url))
        record(context, event.id, mail_at=utcnow())
    log.info("user_notified", release_request=event.request_id, event_type=event.type)


def message(event: Event, base_url: str) -> Message:
    """The mail of an event that has one."""
    workspace_url = link(base_url, *event.path)
    files_url = link(base_url, *event.path, "releases", event.request_id)
    return letters.write(
        _NAMES[event.type],
        to=event.author.email or "",
        subject=_SUBJECTS[event.type].format(workspace=event.workspace, request=event.request_id),
        fullname=event.author.fullname,
        workspace=event.workspace,
        request=event.request_id,
        updates=event.updates,
        workspace_url=workspace_url,
        request_url=link(base_url, *event.path, "release-requests", event.request_id),
        # Without a release of this id (a very old Airlock) the workspace is the nearest place.
        files_url=files_url if event.has_release else workspace_url,
    )
