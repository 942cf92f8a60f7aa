"""Saying where a project stands: ``/<org>/<project>/edit/`` (spec: pages 14.2)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import changes
from jobserver.actions import projects as actions
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.projects import EditProjectForm
from jobserver.models import AuditType
from jobserver.queries.changes import Change, last_change
from jobserver.resources import ProjectResource
from jobserver.resources.links import view_url
from jobserver.security.next_url import safe_next
from jobserver.security.permissions import Permission
from jobserver.templating.states import PROJECT_STATES
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.fields import texts

TEMPLATE = "jobserver:templates/project/edit.jinja2"


@view_config(
    context=ProjectResource,
    name="edit",
    permission=Permission.PROJECT_MANAGE,
    request_method="GET",
    renderer=TEMPLATE,
)
def edit(context: ProjectResource, request: Request) -> dict[str, Any]:
    """The form with what is stored. ``next`` may say where to go afterwards."""
    project = context.project
    form = EditProjectForm(status=project.status, status_description=project.status_description)
    form.next.data = request.GET.get("next", "")
    return _page(context, request, form)


@view_config(
    context=ProjectResource,
    name="edit",
    permission=Permission.PROJECT_MANAGE,
    request_method="POST",
    renderer=TEMPLATE,
)
def save(context: ProjectResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Keep status and description, unless somebody else has changed them since the form was opened."""
    project = context.project
    form = EditProjectForm(texts(request.POST))
    if not form.validate():
        return _page(context, request, form, seen=form.version.data)
    try:
        actions.edit_status(
            request.db,
            project,
            status=form.chosen,
            description=form.status_description.data or "",
            seen=form.version.data or "",
            by=request.identity,
        )
    except ChangedMeanwhile:
        fields = ["status", "status_description"]
        change = last_change(request.db, project, AuditType.PROJECT_UPDATED, fields=fields)
        who = change.who if change else "Somebody"
        form.form_errors.append(f"{who} has changed this since you opened this page. Nothing was saved.")
        return _page(context, request, form, conflict=True, change=change)
    request.flash("success", f"Saved the status of {project.name}.")
    return HTTPSeeOther(safe_next(form.next.data, view_url(request, context)))


def _page(
    context: ProjectResource,
    request: Request,
    form: EditProjectForm,
    *,
    seen: str | None = None,
    conflict: bool = False,
    change: Change | None = None,
) -> dict[str, Any]:
    project = context.project
    form.version.data = seen or changes.version(project, "status", "status_description")
    form.next.data = safe_next(form.next.data, "")
    return {
        "form": form,
        "project": project,
        "conflict": conflict,
        "change": change,
        "status": PROJECT_STATES[project.status].word,
        "project_url": safe_next(form.next.data, view_url(request, context)),
        "breadcrumbs": breadcrumbs(context, request, ("Edit", None)),
    }
