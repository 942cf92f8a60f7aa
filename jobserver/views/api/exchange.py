"""What all addresses of the API share: how a view is registered, a body read, an answer written.

Spec: airlock 1.4.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pyramid.httpexceptions import HTTPException, HTTPRequestEntityTooLarge, HTTPUnsupportedMediaType
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.forms.api.base import BodyRefused, Model, check

JSON = "application/json"
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# Ten thousand files with all that Airlock says of each.
LARGEST_BODY = 8 * 1024 * 1024
PARSES = (JSON, *sorted(FORMS))
# Levels of lists and objects. Far more than anybody sends, far fewer than what writes JSON can follow.
DEEPEST = 200


def endpoint(context: type, method: str, permission: str, **options: Any) -> Any:
    """Register a view of the API."""
    return view_config(
        context=context,
        request_method=method,
        permission=permission,
        require_csrf=False,
        endpoint=True,
        no_slash=not getattr(context, "ends_in_slash", False),
        **options,
    )


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The value as JSON without spaces."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    response = Response(body, status=status, content_type=JSON, charset=None)
    response.headers.update(headers or {})
    response.cache_control.no_store = True
    return response


def empty(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without a body and without a type."""
    response = Response(status=status)
    del response.content_type
    response.content_length = 0
    response.headers.update(headers or {})
    response.cache_control.no_store = True
    return response


class Refused(Exception):
    """The answer is this status with ``{"detail": …}``; nothing that the request did is kept."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


def read(request: Request, model: type[Model]) -> Model:
    """The request's body as its model. Raises :class:`BodyRefused`, or 415 for a type that is not read."""
    return check(model, value(request))


def value(request: Request) -> Any:
    """The request's body: JSON, or the fields of a form. Raises :class:`BodyRefused`."""
    if (request.content_length or 0) > LARGEST_BODY:
        raise HTTPRequestEntityTooLarge(f"The body is larger than {LARGEST_BODY:,} bytes.")
    # WebOb would put it into a file first, which nobody closes.
    request.body = request.body_file.read()
    if request.content_type in FORMS:
        return _form(request)
    if not request.content_type and not request.body:
        return {}
    if request.content_type != JSON:
        raise HTTPUnsupportedMediaType(f'Unsupported media type "{request.content_type}" in request.')
    try:
        found = json.loads(request.body, object_pairs_hook=_without_repeats, parse_constant=_no_number)
        _refuse_deeper(found, DEEPEST)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BodyRefused({"detail": f"JSON parse error - {reason}"}) from error
    return found


def _refuse_deeper(found: Any, levels: int) -> None:
    if not isinstance(found, list | dict):
        return
    if not levels:
        raise RecursionError
    for each in found.values() if isinstance(found, dict) else found:
        _refuse_deeper(each, levels - 1)


def _form(request: Request) -> dict[str, Any]:
    try:
        return {name: field for name, field in request.POST.items() if isinstance(field, str)}
    except (ValueError, LookupError, DeprecationWarning) as error:
        raise BodyRefused({"detail": "The form is not sent as UTF-8, or not as it says."}) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in pairs:
        if key in found:
            raise ValueError(f'the key "{key[:100]}" comes twice')
        found[key] = item
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def absolute(request: Request, path: str) -> str:
    """The path below the site's own address, whichever way the request came in."""
    return f"{request.registry['settings'].base_url.rstrip('/')}{path}"


def problem(error: HTTPException) -> str:
    """What an HTTP error says."""
    return str(error.detail or error.explanation)


View = Callable[[Any, Request], Response]
