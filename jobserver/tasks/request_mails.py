"""Sending the mails about job requests: each once, to those who want it at the moment of sending."""

import structlog
from sqlalchemy.orm import Session

from jobserver import locks
from jobserver.clients.mail import Message
from jobserver.models import Happening, HappeningKind, MailKind
from jobserver.queries import mail_preferences
from jobserver.queries.mail_preferences import NotMailed, Wanted
from jobserver.rap.context import Context
from jobserver.tasks import mails, sending
from jobserver.tasks.retrying import GiveUp, NotYet

log = structlog.get_logger(__name__)

_LOCKS = {MailKind.REQUEST_ENDED: locks.MAIL_REQUEST_ENDED, MailKind.FIRST_FAILURE: locks.MAIL_FIRST_FAILURE}


def mail_request_ended(context: Context, *, job_request_id: int) -> None:
    """Tell the requester how the request ended."""
    _once(context, job_request_id, MailKind.REQUEST_ENDED)


def mail_first_failure(context: Context, *, job_request_id: int) -> None:
    """Tell the requester that something failed while the rest goes on."""
    _once(context, job_request_id, MailKind.FIRST_FAILURE)


def _once(context: Context, job_request_id: int, kind: MailKind) -> None:
    # A worker taken for dead may still be sending what another has taken over.
    with context.alone(_LOCKS[kind], job_request_id) as alone:
        if not alone:
            raise NotYet("another worker is sending this mail")
        _send(context, job_request_id, kind)


def _send(context: Context, job_request_id: int, kind: MailKind) -> None:
    with context.transaction() as db:
        wanted = mail_preferences.wanted(db, job_request_id, kind)
        if wanted is None:
            raise GiveUp(f"there is no job request {job_request_id}")
        if wanted.is_settled:
            log.info("mail_sent_before", mail=kind, job_request=job_request_id)
            return
        message = None if wanted.why_not else _message(db, job_request_id, wanted, context.settings.base_url)
        if message is None:
            reason = wanted.why_not or NotMailed.NOTHING_FAILED
            _note(db, job_request_id, kind, HappeningKind.NOT_MAILED, reason)
            log.info("user_not_notified", user_id=wanted.user_id, job_request=job_request_id, reason=reason)
            return
    try:
        sending.mail(context, message)
    except GiveUp:
        with context.transaction() as db:
            _note(db, job_request_id, kind, HappeningKind.NOT_MAILED, NotMailed.REFUSED)
        raise
    with context.transaction() as db:
        _note(db, job_request_id, kind, HappeningKind.MAILED)
    log.info("user_notified", user_id=wanted.user_id, job_request=job_request_id)


def _message(db: Session, job_request_id: int, wanted: Wanted, base_url: str) -> Message | None:
    digest = mails.load(db, job_request_id, base_url)
    if wanted.kind is MailKind.REQUEST_ENDED:
        return mails.request_ended(digest)
    return mails.first_failure(digest, digest_follows=wanted.digest_follows and not wanted.has_ended)


def _note(
    db: Session, job_request_id: int, mail: MailKind, kind: HappeningKind, reason: NotMailed | None = None
) -> None:
    """The mail is named in ``note``, and why it was not sent in ``status_code``."""
    db.add(Happening(job_request_id=job_request_id, kind=kind, note=mail, status_code=reason or ""))
