"""Addresses that older programs still ask (spec: rap 10, access 4.7, 8.3)."""

from datetime import datetime
from typing import Any

from pyramid.encode import urlencode
from pyramid.request import Request
from pyramid.response import Response

from jobserver.db import release_connection
from jobserver.forms.api.older import reported_jobs
from jobserver.models import utcnow
from jobserver.queries import older_endpoints
from jobserver.queries.older_endpoints import AskedFor
from jobserver.rap.context import Context
from jobserver.rap.pushed import store_reports
from jobserver.resources.api import (
    JobRequestsEndpoint,
    JobsEndpoint,
    UserEndpoint,
    WorkspaceStatuses,
    nothing_matches,
)
from jobserver.security import sessions
from jobserver.security.callers import BackendCaller
from jobserver.security.permissions import Permission
from jobserver.views.api.exchange import absolute, answer, empty, endpoint, value

PAGE, LARGEST_PAGE = 100, 1000


@endpoint(JobsEndpoint, "POST", Permission.JOB_UPDATE)
def jobs(context: JobsEndpoint, request: Request) -> Response:
    """Store what became of jobs of the backend's own requests."""
    reports = [job.as_reported_now() for job in reported_jobs(value(request))]
    registry = request.registry
    release_connection(request)
    store_reports(
        Context(registry["settings"], registry["session_factory"], request.clients),
        request.caller.id,
        reports,
    )
    return answer({"status": "success"})


@endpoint(JobRequestsEndpoint, "GET", Permission.VIEW)
def job_requests(context: JobRequestsEndpoint, request: Request) -> Response:
    """What may still run, newest first: of a backend its own, of somebody who is signed in everybody's."""
    limit = min(_number(request, "limit") or PAGE, LARGEST_PAGE)
    offset = _number(request, "offset")
    caller = request.caller
    count, found = older_endpoints.asked_for(
        request.db,
        backend_id=caller.id if isinstance(caller, BackendCaller) else None,
        now=utcnow(),
        limit=limit,
        offset=offset,
    )
    is_last, is_first = offset + limit >= count, offset == 0
    return answer(
        {
            "count": count,
            "next": None if is_last else _page(request, limit, offset + limit),
            "previous": None if is_first else _page(request, limit, max(offset - limit, 0)),
            "results": [_asked_for(each) for each in found],
        }
    )


def _number(request: Request, name: str) -> int:
    """The number in the query; 0 for what is none, or is larger than any list."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _page(request: Request, limit: int, offset: int) -> str:
    query = {"limit": limit, **({"offset": offset} if offset else {})}
    return absolute(request, f"{request.path_info}?{urlencode(query)}")


def _asked_for(each: AskedFor) -> dict[str, Any]:
    return {
        "backend": each.backend,
        "sha": each.sha,
        "identifier": each.identifier,
        "force_run_dependencies": each.force_run_dependencies,
        "requested_actions": each.requested_actions,
        "cancelled_actions": each.cancelled_actions,
        "created_by": each.created_by,
        "created_at": _time(each.created_at),
        "workspace": {
            "name": each.workspace,
            "repo": each.repo,
            "branch": each.branch,
            "created_by": each.workspace_created_by,
            "created_at": _time(each.workspace_created_at),
        },
        "database_name": "default",
        "project": each.project,
        "orgs": each.orgs,
        "codelists_ok": each.codelists_ok,
    }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


@endpoint(UserEndpoint, "GET", Permission.USER_ROLES_READ)
def user(context: UserEndpoint, request: Request) -> Response:
    """The roles of somebody with access to the backend, and what they allow."""
    person = sessions.person_named(request.db, context.__name__)
    if person is None or all(each.id != request.caller.id for each in person.backends):
        nothing_matches("User")
    projects = older_endpoints.roles_by_project(request.db, person)
    return answer(
        {
            "permissions": {
                "global": older_endpoints.permissions_of(person.roles),
                "projects": [
                    {"slug": slug, "permissions": older_endpoints.permissions_of(held)}
                    for slug, held in projects.items()
                ],
            },
            "roles": {
                "global": sorted(person.roles),
                "projects": [{"slug": slug, "roles": sorted(held)} for slug, held in projects.items()],
            },
        }
    )


@endpoint(WorkspaceStatuses, "GET", Permission.VIEW)
def statuses(context: WorkspaceStatuses, request: Request) -> Response:
    """How the newest job of each action stands, on any backend or on the one that is named."""
    if context.workspace is None:
        return empty(404)
    backend = request.GET.get("backend") or None
    return answer(older_endpoints.statuses(request.db, context.workspace.workspace.id, backend))
