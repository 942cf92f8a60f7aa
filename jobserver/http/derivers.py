"""Rules that every view is wrapped in without its author writing a line.

- The path ends in ``/``, unless the view says ``no_slash=True``.
- Nothing follows the view's name in the path, unless the view says ``subpath=True``.
- No form field comes twice, unless the view names it in ``repeatable=(...)``.
- No form field is a file, unless the view names it in ``files=(...)``: another counts as left empty.
- The view names a permission, or says that it is ``public=True``: otherwise it does not load.

A view of the JSON API, ``endpoint=True``, reads its body itself and has no ``/`` unless it says so.
"""

from collections import Counter
from typing import Any

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPMovedPermanently,
    HTTPNotAcceptable,
    HTTPNotFound,
    HTTPPermanentRedirect,
    HTTPRequestEntityTooLarge,
)
from pyramid.request import Request

MAX_FIELDS = 4000


def named_permission(view: Any, info: Any) -> Any:
    """Refuse to load a view that names no permission and does not say it is public."""
    options = info.options
    if options.get("public") or options.get("permission") or options.get("exception_only"):
        return view
    context = options.get("context")
    if isinstance(context, type) and issubclass(context, Exception):
        return view
    if getattr(info.original_view, "__module__", "").startswith("pyramid."):
        return view
    raise ConfigurationError(f"{info.original_view} names no permission and is not public=True")


named_permission.options = ("public",)  # type: ignore[attr-defined]


def exact_path(view: Any, info: Any) -> Any:
    """Redirect to the path with its final slash; 404 for anything after the view's name."""
    options = info.options
    if options.get("no_slash") or options.get("exception_only") or options.get("route_name"):
        return _without_slash(view) if options.get("endpoint") else view
    takes_subpath = bool(options.get("subpath_allowed"))

    def wrapper(context: Any, request: Request) -> Any:
        if isinstance(context, Exception):
            return view(context, request)
        if getattr(request, "subpath", ()) and not takes_subpath:
            raise HTTPNotFound
        if not request.path_info.endswith("/"):
            location = request.path + "/" + (f"?{request.query_string}" if request.query_string else "")
            if request.method in {"GET", "HEAD"}:
                raise HTTPMovedPermanently(location)
            raise HTTPPermanentRedirect(location)
        return view(context, request)

    return wrapper


def _without_slash(view: Any) -> Any:
    def wrapper(context: Any, request: Request) -> Any:
        if request.path_info.endswith("/"):
            raise HTTPNotFound
        return view(context, request)

    return wrapper


exact_path.options = ("no_slash", "subpath_allowed")  # type: ignore[attr-defined]


def single_fields(view: Any, info: Any) -> Any:
    """Refuse forms with too many fields, or with a field twice that is to come once; empty odd files."""
    if info.options.get("endpoint"):
        return view
    repeatable = frozenset(info.options.get("repeatable") or ())
    files = frozenset(info.options.get("files") or ())

    def wrapper(context: Any, request: Request) -> Any:
        if request.method == "POST" and not isinstance(context, Exception):
            names = _field_names(request)
            if len(names) > MAX_FIELDS:
                raise HTTPRequestEntityTooLarge("The form has more than 4,000 fields. Select fewer items.")
            twice = sorted(
                name for name, times in Counter(names).items() if times > 1 and name not in repeatable
            )
            if twice:
                raise HTTPBadRequest(f"The form field {twice[0]} came more than once.")
            _empty_files(request, but=files)
        return view(context, request)

    return wrapper


def _field_names(request: Request) -> list[str]:
    try:
        return list(request.POST)
    except UnicodeDecodeError:
        raise
    except (ValueError, LookupError, DeprecationWarning) as error:
        # Multipart without its boundary, or a character set that is not UTF-8, which WebOb answers so.
        raise HTTPBadRequest("The form is not sent as UTF-8, or not in the way that it says.") from error


def _empty_files(request: Request, *, but: frozenset[str]) -> None:
    """Views take every field for a text. The field stays: that it is there may mean something."""
    for name in {name for name, value in request.POST.items() if not isinstance(value, str)} - but:
        request.POST[name] = ""


single_fields.options = ("repeatable", "files", "endpoint")  # type: ignore[attr-defined]


def acceptable(view: Any, info: Any) -> Any:
    """Answer 406 to who takes neither JSON nor what browsers ask for (spec: airlock 1.4, access 8.5.61)."""
    if not info.options.get("endpoint") or info.options.get("any_type"):
        return view

    def wrapper(context: Any, request: Request) -> Any:
        if not request.accept.acceptable_offers(["application/json", "text/html"]):
            raise HTTPNotAcceptable("Could not satisfy the request Accept header.")
        return view(context, request)

    return wrapper


acceptable.options = ("any_type",)  # type: ignore[attr-defined]


def includeme(config: Configurator) -> None:
    """Register the rules; forgery protection and permissions are Pyramid's own."""
    config.add_view_deriver(named_permission)
    config.add_view_deriver(single_fields, over="csrf_view", under="secured_view")
    config.add_view_deriver(exact_path, under="single_fields", over="csrf_view")
    config.add_view_deriver(acceptable, under="secured_view")
