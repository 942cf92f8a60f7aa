"""What is to be delivered, was, or could not be: ``/staff/tasks/``."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import tasks as actions
from jobserver.queries.path import as_id
from jobserver.queries.staff.tasks import KINDS, TASKS, failed_kinds, words_of
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffTasks
from jobserver.security.permissions import Permission
from jobserver.templating import numbers
from jobserver.views.staff.listing import TEMPLATE, listed


@view_config(
    context=StaffTasks, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def tasks(context: StaffTasks, request: Request) -> dict[str, Any] | Response:
    """Mails, posts, issues and what backends are told, newest first."""
    failed = failed_kinds(request.db) if request.GET.get("format") != "csv" else []
    return listed(request, TASKS, part="tasks", heading="Deliveries", failed=failed)


@view_config(context=StaffTasks, name="retry", permission=Permission.STAFF_AREA_ACCESS, request_method="POST")
def retry(context: StaffTasks, request: Request) -> HTTPSeeOther:
    """Have a failed one tried again, or with ``kind`` all failed ones of that kind."""
    kind = request.POST.get("kind")
    if kind:
        _retry_all(request, kind)
    else:
        _retry_one(request)
    return HTTPSeeOther(page_url(request, "staff", "tasks"))


def _retry_one(request: Request) -> None:
    id_ = as_id(request.POST.get("id", ""))
    words = TASKS.rows(request.db, [id_]) if id_ else []
    if id_ is None or not words:
        raise HTTPNotFound
    if actions.retry(request.db, id_, by=request.identity):
        request.flash("success", f"“{words[0].kind}” is tried again now.")
    else:
        request.flash(
            "info", f"“{words[0].kind}” had not failed, or is tried again already. Nothing was changed."
        )


def _retry_all(request: Request, kind: str) -> None:
    if kind not in KINDS:
        raise HTTPNotFound
    number = actions.retry_all(request.db, kind, by=request.identity)
    if number:
        request.flash(
            "success",
            f"“{words_of(kind)}”: {numbers.count(number, 'failed delivery', 'failed deliveries')} "
            "tried again now.",
        )
    else:
        request.flash("info", f"“{words_of(kind)}”: none has failed. Nothing was changed.")
