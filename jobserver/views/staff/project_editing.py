"""Editing a project by staff (spec: staff 8.5, 17.30)."""

from datetime import UTC
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import project_editing as actions
from jobserver.actions.naming import Refused, Taken
from jobserver.actions.project_editing import Wanted
from jobserver.actions.redirects import LeadsElsewhere
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.projects import EditProjectForm
from jobserver.models import AuditType, Project
from jobserver.queries import projects as public
from jobserver.queries.changes import last_change
from jobserver.queries.staff import copilots
from jobserver.queries.staff import project_page as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffProject
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict, overtaken, say_saved
from jobserver.views.staff.places import project_crumbs

TEMPLATE = "jobserver:templates/staff/projects/edit.jinja2"


@view_config(
    context=StaffProject,
    name="edit",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer=TEMPLATE,
)
def edit(context: StaffProject, request: Request) -> dict[str, Any]:
    """The form with what is stored."""
    project = context.thing
    return _page(request, project, _stored(request, project))


@view_config(
    context=StaffProject,
    name="edit",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
    renderer=TEMPLATE,
    repeatable=("other_orgs",),
)
def save(context: StaffProject, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Keep what was sent, unless somebody else has changed the project since the form was opened."""
    project = context.thing
    form = EditProjectForm(texts(request.POST))
    _offer(request, project, form)
    if not form.validate():
        return _page(request, project, form)
    try:
        changed = actions.edit(
            request.db,
            project,
            _wanted(form),
            seen=form.version.data or "",
            by=request.identity,
            reason=form.reason.data or "",
            take_over=form.take_over.data,
        )
    except ChangedMeanwhile:
        change = last_change(request.db, project, AuditType.PROJECT_UPDATED)
        conflict = overtaken(form, _stored(request, project), change)
        return _page(request, project, form, conflict=conflict)
    except Refused as refused:
        form.refuse(refused)
        if isinstance(refused, Taken) and refused.field == "number":
            next_number = queries.next_number(request.db)
            form.number.errors = [*form.number.errors, f"The next plain number is {next_number}."]
        return _page(request, project, form, leads_elsewhere=isinstance(refused, LeadsElsewhere))
    say_saved(request, changed, project.name)
    return HTTPSeeOther(page_url(request, "staff", "projects", project.slug))


def _wanted(form: EditProjectForm) -> Wanted:
    return Wanted(
        name=form.name.data or "",
        slug=form.slug.data or "",
        number=form.number.data,
        org=form.lead,
        other_orgs=form.others,
        copilot=form.pilot,
        copilot_support_ends_at=form.support_ends_at,
        copilot_notes=form.copilot_notes.data or "",
        status=form.status.data,
        status_description=form.status_description.data or "",
        category=form.category.data,
    )


def _stored(request: Request, project: Project) -> EditProjectForm:
    orgs = public.orgs_of(request.db, project.id)
    copilot = queries.people(request.db, project).copilot
    ends_at = project.copilot_support_ends_at
    form = EditProjectForm(
        name=project.name,
        slug=project.slug,
        number=project.number or "",
        org=next((org.slug for org in orgs if org.is_lead), ""),
        other_orgs=[org.slug for org in orgs if not org.is_lead],
        copilot=copilot.username if copilot else "",
        copilot_support_ends_at=ends_at.astimezone(UTC).date() if ends_at else None,
        copilot_notes=project.copilot_notes,
        status=project.status,
        status_description=project.status_description,
        category=project.category,
        version=actions.version(request.db, project),
    )
    _offer(request, project, form)
    return form


def _offer(request: Request, project: Project, form: EditProjectForm) -> None:
    # Whoever helps now may go on, whatever their roles have become.
    people = copilots.possible(request.db, also=project.copilot_id)
    form.offer(queries.all_orgs(request.db), people)


def _page(
    request: Request,
    project: Project,
    form: EditProjectForm,
    *,
    leads_elsewhere: bool = False,
    conflict: Conflict | None = None,
) -> dict[str, Any]:
    return {
        "form": form,
        "project": project,
        "asks_to_take_over": leads_elsewhere or form.take_over.data,
        "conflict": conflict,
        "project_url": page_url(request, "staff", "projects", project.slug),
        "breadcrumbs": project_crumbs(request, project, "Edit"),
    }
