"""What operators' actions on a backend leave to the worker: asking for cancellations, and telling people."""

from collections.abc import Sequence

import structlog

from jobserver.actions import backend_operations
from jobserver.clients.mail import Message
from jobserver.models import Backend, SiteAlert, User
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp
from jobserver.templating.markdown import markdown

log = structlog.get_logger(__name__)


def cancel_requests(context: Context, *, backend_id: int, request_ids: Sequence[int], user_id: int) -> None:
    """Ask for the cancellation of what goes on of these requests of a backend, in the name of this user."""
    with context.transaction() as db:
        user = db.get(User, user_id)
        if user is None:
            raise GiveUp(f"there is no user {user_id}")
        asked = backend_operations.cancel_batch(db, backend_id, request_ids, by=user)
    log.info("cancellations_asked_for", backend_id=backend_id, listed=len(request_ids), asked=asked)


def mail_announcement(context: Context, *, user_id: int, alert_id: int, backend_id: int) -> None:
    """Tell somebody what a site alert says of a backend, as it is now; nothing if it was withdrawn."""
    with context.transaction() as db:
        user, backend = db.get(User, user_id), db.get(Backend, backend_id)
        alert = db.get(SiteAlert, alert_id)
    if user is None or backend is None:
        raise GiveUp(f"there is no user {user_id} or no backend {backend_id}")
    if alert is None or not user.email or user.disabled_at:
        log.info("announcement_not_mailed", user_id=user_id, alert_id=alert_id)
        return
    sending.mail(context, announcement(user, backend, alert, context.settings.base_url))
    log.info("announcement_mailed", user_id=user_id, alert_id=alert_id)


def announcement(user: User, backend: Backend, alert: SiteAlert, base_url: str) -> Message:
    """The mail to somebody with a request that goes on at the backend."""
    return letters.write(
        "announcement",
        to=user.email or "",
        subject=f"{backend.name}: {alert.title}",
        fullname=user.fullname,
        backend=backend.name,
        title=alert.title,
        message=alert.message,
        formatted=markdown(alert.message),
        status_url=link(base_url, "status"),
        requests_url=link(base_url, "users", user.username, "logs"),
    )
