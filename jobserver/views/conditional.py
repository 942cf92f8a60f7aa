"""Answers that a browser already has: fragments that refresh themselves, as conditional requests.

A live region asks every few seconds and mostly nothing has changed. Its view says what the answer is made
of; if the browser's copy was made of the same, it gets a 304 and nothing is rendered.
"""

import hashlib
from datetime import datetime
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from jobserver.models import JobRequest

MINUTE, HOUR = 60, 3600


def not_modified(request: Request, *parts: Any) -> Response | None:
    """A 304 if the caller's copy was made of these parts; None if the page has to be made.

    ``parts`` are everything that the answer depends on besides who asks: versions, counts, times as they
    are shown. Their ``repr`` must be the same for the same content. For fragments only: a whole page also
    carries flashes, alerts and the names of the built files.
    """
    identity = request.identity
    made_of = repr((identity.user_id if identity else None, request.path_qs, parts))
    etag = hashlib.sha256(made_of.encode()).hexdigest()[:32]
    if etag in request.if_none_match:
        response = Response(status=304)
        _mark(response, etag)
        return response
    _mark(request.response, etag)
    return None


def job_request_unchanged(
    request: Request, job_request: JobRequest, ticking: datetime | None, *parts: Any
) -> Response | None:
    """:func:`not_modified` for the page of a request or of one of its jobs.

    ``ticking``: now, while durations grow and "9 min ago" becomes 10; None once all has ended.
    """
    backend = job_request.backend
    minute = int(ticking.timestamp() // MINUTE) if ticking else None
    made_of = (job_request.version, backend.is_in_maintenance_mode, backend.is_paused, minute)
    return not_modified(request, *made_of, *parts)


def _mark(response: Response, etag: str) -> None:
    response.etag = etag
    # Kept by this browser only, and never shown without asking first.
    response.headers["Cache-Control"] = "private, no-cache"


def interval(youngest: datetime | None, now: datetime) -> int | None:
    """Seconds until a live region asks again, by the age of the youngest thing that still moves.

    5 in its first minute, 10 in its first hour, then 30; None when nothing moves.
    """
    if youngest is None:
        return None
    age = (now - youngest).total_seconds()
    return 5 if age < MINUTE else 10 if age < HOUR else 30
