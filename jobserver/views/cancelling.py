"""Asking for jobs to be stopped (spec: pages 12, rap 5 and 11)."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import cancelling
from jobserver.models import JobRequest
from jobserver.queries.cancellations import actions_of
from jobserver.resources import JobRequestResource, JobResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.templating.numbers import count


@view_config(
    context=JobRequestResource,
    name="cancel",
    permission=Permission.JOB_CANCEL,
    request_method="POST",
    repeatable=("actions",),
)
def cancel_job_request(context: JobRequestResource, request: Request) -> HTTPSeeOther:
    """Cancel all jobs that are still going on, or those of the actions that were chosen."""
    chosen = list(dict.fromkeys(request.POST.getall("actions")))
    unknown = sorted(set(chosen) - actions_of(request.db, context.job_request.id)) if chosen else []
    if unknown:
        request.flash("warning", f"This request has no job called {unknown[0][:100]}. Nothing was cancelled.")
    elif not chosen and "only" in request.POST:
        request.flash("warning", "No job was ticked, so nothing was cancelled. Tick the jobs to cancel.")
    else:
        ask(request, context.job_request, chosen or None)
    return HTTPSeeOther(view_url(request, context))


@view_config(context=JobResource, name="cancel", permission=Permission.JOB_CANCEL, request_method="POST")
def cancel_job(context: JobResource, request: Request) -> HTTPSeeOther:
    """Cancel this job."""
    ask(request, context.job_request, [context.job.action])
    return HTTPSeeOther(view_url(request, context))


def ask(request: Request, job_request: JobRequest, actions: list[str] | None = None) -> None:
    """Have all that goes on cancelled, or these actions; the next page says what came of it."""
    try:
        asked = cancelling.ask(request.db, job_request, request.identity, actions)
    except cancelling.NothingKnownYet as refusal:
        request.flash("warning", str(refusal))
    except cancelling.NothingToCancel as refusal:
        request.flash("info", str(refusal))
    else:
        what = asked.actions[0] if len(asked.actions) == 1 else count(len(asked.actions), "job")
        backend = job_request.backend.name
        request.flash("success", f"Asked {backend} to cancel {what}; it confirms within a minute.")
