"""What Airlock tells of release requests (spec: airlock 8)."""

import structlog
from pyramid.request import Request
from pyramid.response import Response

from jobserver.actions import release_requests
from jobserver.actions.release_requests import EventRefused
from jobserver.forms.api import events
from jobserver.forms.api.base import BodyRefused
from jobserver.resources.api import AirlockEvents
from jobserver.security.permissions import Permission
from jobserver.views.api.errors import failure
from jobserver.views.api.exchange import answer, endpoint, value

log = structlog.get_logger(__name__)


@endpoint(AirlockEvents, "POST", Permission.AIRLOCK_NOTIFY)
def keep(_context: AirlockEvents, request: Request) -> Response:
    """Store the event; people are told of it afterwards, by the worker."""
    body = value(request)
    try:
        told = events.told(body)
        is_new = release_requests.keep_event(request.db, request.caller, told)
    except events.UnknownEventType as error:
        log.warning("airlock_event_unknown", event_type=str(error), backend=request.caller.slug)
        return answer({"status": "error", "message": f"event_type: There is no event “{error}”."}, 201)
    except BodyRefused as refusal:
        return _refused(request, events.message(refusal.errors))
    except EventRefused as refusal:
        return _refused(request, str(refusal))
    log.info(
        "airlock_event_kept" if is_new else "airlock_event_repeated",
        event_type=told.event_type,
        release_request=told.request,
        backend=request.caller.slug,
    )
    return answer({"status": "ok"}, 201)


def _refused(request: Request, message: str) -> Response:
    log.warning("airlock_event_refused", reason=message, backend=request.caller.slug)
    return failure(request, 400, {"status": "error", "message": message})
