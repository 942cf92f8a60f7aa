"""Projects in the staff area: all of them, and making one (spec: staff 8.1, 8.3)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import projects as actions
from jobserver.actions.naming import Refused, Taken
from jobserver.actions.redirects import LeadsElsewhere
from jobserver.forms.staff.projects import CreateProjectForm
from jobserver.queries.staff import copilots
from jobserver.queries.staff import project_page as queries
from jobserver.queries.staff.projects import PROJECTS
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffProject, StaffProjects
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.listing import TEMPLATE, listed
from jobserver.views.staff.places import project_crumbs

CREATE = "jobserver:templates/staff/projects/create.jinja2"


@view_config(
    context=StaffProjects, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def projects(context: StaffProjects, request: Request) -> dict[str, Any] | Response:
    """Every project."""
    return listed(request, PROJECTS, part="projects", heading="Projects")


@view_config(
    context=StaffProjects,
    name="create",
    permission=Permission.PROJECT_CREATE,
    request_method="GET",
    renderer=CREATE,
)
def create(context: StaffProjects, request: Request) -> dict[str, Any]:
    """The form; ``org-slug`` names the organisation that is chosen already."""
    form = CreateProjectForm()
    _offer(request, form)
    form.choose(request.GET.get("org-slug", ""))
    return _page(request, form)


@view_config(
    context=StaffProjects,
    name="create",
    permission=Permission.PROJECT_CREATE,
    request_method="POST",
    renderer=CREATE,
    repeatable=("other_orgs",),
)
def save(context: StaffProjects, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Make the project."""
    form = CreateProjectForm(texts(request.POST))
    _offer(request, form)
    if not form.validate():
        return _page(request, form)
    try:
        project = actions.create(
            request.db,
            by=request.identity,
            name=form.name.data or "",
            number=form.number.data,
            org=form.lead,
            other_orgs=form.others,
            copilot=form.pilot,
            take_over=form.take_over.data,
        )
    except Refused as refused:
        form.refuse(refused)
        if isinstance(refused, Taken) and refused.field == "number":
            form.number.errors = [
                *form.number.errors,
                f"The next plain number is {queries.next_number(request.db)}.",
            ]
        return _page(request, form, leads_elsewhere=isinstance(refused, LeadsElsewhere))
    return HTTPSeeOther(page_url(request, "staff", "projects", project.slug, "created"))


@view_config(
    context=StaffProject,
    name="created",
    permission=Permission.PROJECT_CREATE,
    request_method="GET",
    renderer="jobserver:templates/staff/projects/created.jinja2",
)
def created(context: StaffProject, request: Request) -> dict[str, Any]:
    """What may come next, of pages that the reader may open."""
    project = context.thing
    here = ("staff", "projects", project.slug)
    return {
        "project": project,
        "people": queries.people(request.db, project),
        "is_announced": queries.is_announced(request.db, project),
        "channel": request.registry["settings"].copilot_support_slack_channel,
        "public_url": page_url(request, project.org.slug, project.slug),
        "staff_url": page_url(request, *here),
        "add_url": page_url(request, *here, "add-member"),
        "link_url": page_url(request, *here, "link-application"),
        "breadcrumbs": project_crumbs(request, project),
    }


def _offer(request: Request, form: CreateProjectForm) -> None:
    form.offer(queries.all_orgs(request.db), copilots.possible(request.db))


def _page(request: Request, form: CreateProjectForm, *, leads_elsewhere: bool = False) -> dict[str, Any]:
    return {
        "form": form,
        "next_number": queries.next_number(request.db),
        "asks_to_take_over": leads_elsewhere or form.take_over.data,
        "add_org_url": page_url(
            request, "staff", "orgs", "add", query={"next": page_url(request, "staff", "projects", "create")}
        ),
        "breadcrumbs": project_crumbs(request, None, "New project"),
    }
