"""The lists of what was released and of what was published, from a workspace and from a project.

Spec: pages 16.1, 16.2 and 17.
"""

from collections.abc import Sequence
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.forms import narrowing
from jobserver.forms.narrowing import Field, Narrowing
from jobserver.models import utcnow
from jobserver.queries import output_lists, output_pages, release_lists, release_pages
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import Outputs, ReleaseResource, Releases
from jobserver.security.permissions import Permission
from jobserver.templating.pager import Pager, asked_page
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.pages import pager_of_narrowed
from jobserver.views.releases import access
from jobserver.views.tabs import tabs

RELEASES = "jobserver:templates/releases/list.jinja2"
OUTPUTS = "jobserver:templates/outputs/list.jinja2"
WITHHELD = "Only those who may see released files can filter by them. Remove this filter."
# So many files are named in a list; the page of the release has them all.
NAMED = 50

HERE: dict[str, Any] = {"permission": Permission.VIEW, "request_method": "GET"}


@view_config(**HERE, context=Releases, renderer=RELEASES)
@view_config(**HERE, context=ProjectResource, name="releases", renderer=RELEASES)
def releases(context: Releases | ProjectResource, request: Request) -> dict[str, Any]:
    """Everything that was released."""
    db, may_see = request.db, bool(request.has_permission(Permission.RELEASE_FILE_VIEW))
    place = release_pages.in_project(context.project.id)
    latest_url = None
    if isinstance(context, Releases):
        place = release_pages.in_workspace(context.workspace.id)
        if may_see and release_pages.has_readable(db, context.workspace.id):
            latest_url = page_url(request, *context.workspace.path, "outputs", "latest")
    facets = release_lists.facets(db, place)
    form = narrowing.read(
        request.GET.items(),
        [
            _of_files(Field("q", "File name"), may_see=may_see),
            _of_files(Field("state", "State", release_lists.STATES), may_see=may_see),
            Field("backend", "Backend", facets.backends.words, facets.backends.counts),
            Field("by", "Released by", facets.people.words, facets.people.counts),
            *_where_and_when(context, facets.workspaces),
        ],
    )
    ids: Sequence[str] = []
    total = 0
    if not form.faults:
        wanted = release_lists.Wanted(
            backends=form.chosen("backend"), people=form.chosen("by"), **_wanted(form)
        )
        chosen = release_lists.narrowed(place, wanted)
        ids, total = release_lists.find(db, chosen, asked_page(request.GET.get("page")))
    pager = pager_of_narrowed(request, form, total, release_pages.PAGE)
    return {
        **_frame(context, request, "Releases", form, pager),
        **access(context, request),
        "of": facets.total,
        "rows": release_pages.releases(db, release_pages.with_ids(ids), with_files=may_see) if ids else [],
        "may_see": may_see,
        "latest_url": latest_url,
        "download_url": lambda row: page_url(request, *row.path, "download"),
        "names_url": lambda row: page_url(request, *row.path, query={"names": "1"}),
    }


@view_config(
    context=ReleaseResource,
    request_param="names",
    permission=Permission.RELEASE_FILE_VIEW,
    request_method="GET",
    renderer="jobserver:templates/releases/names.jinja2",
)
def names(context: ReleaseResource, request: Request) -> dict[str, Any]:
    """The first files of a release by name, as a list of releases shows them when it is asked to."""
    files = release_pages.of_release(context.release.id)
    place = (*context.workspace.path, "releases", context.release.id)
    may_delete = bool(request.has_permission(Permission.RELEASE_FILE_DELETE))
    return {
        "files": release_pages.files_of(request.db, files, limit=NAMED),
        "total": release_pages.number_of_files(request.db, files),
        "release_url": page_url(request, *place),
        "file_url": lambda file: page_url(request, *place, file.id),
        "delete_url": lambda file: page_url(request, *place, file.id, "delete") if may_delete else None,
        "now": utcnow(),
    }


@view_config(**HERE, context=Outputs, renderer=OUTPUTS)
@view_config(**HERE, context=ProjectResource, name="outputs", renderer=OUTPUTS)
def outputs(context: Outputs | ProjectResource, request: Request) -> dict[str, Any]:
    """The sets of files that the reader may see: published ones, and drafts for those who may."""
    db, may_see = request.db, bool(request.has_permission(Permission.SNAPSHOT_VIEW))
    place = output_pages.in_project(context.project.id)
    latest_url = prepare_url = None
    if isinstance(context, Outputs):
        here = context.workspace
        place = output_pages.in_workspace(here.id)
        latest_url = view_url(request, context, "latest") if may_see else None
        if request.has_permission(Permission.SNAPSHOT_CREATE) and release_pages.has_readable(db, here.id):
            prepare_url = page_url(request, *here.path, "outputs", "latest", "prepare")
    place &= output_pages.visible(request.identity)
    facets = output_lists.facets(db, place)
    form = narrowing.read(
        request.GET.items(),
        [
            Field("q", "Search"),
            Field("state", "State", facets.states.words, facets.states.counts),
            *_where_and_when(context, facets.workspaces),
        ],
    )
    chosen = output_lists.narrowed(place, output_lists.Wanted(**_wanted(form)))
    total = facets.total
    if form.is_narrowed:
        total = 0 if form.faults else output_pages.number_of_snapshots(db, chosen)
    pager = pager_of_narrowed(request, form, total, output_pages.PAGE)
    return {
        **_frame(context, request, "Published outputs", form, pager),
        "of": facets.total,
        "rows": output_pages.snapshots(db, chosen, offset=pager.offset) if total else [],
        "latest_url": latest_url,
        "prepare_url": prepare_url,
        # Publishers see those drafts that wait for them.
        "shows_drafts": may_see or bool(request.has_permission(Permission.SNAPSHOT_PUBLISH)),
    }


def _of_files(field: Field, *, may_see: bool) -> Field:
    """A field about released files: only for those who may see them."""
    return field if may_see else narrowing.withheld(field.name, field.label, WITHHELD)


def _where_and_when(context: Any, workspaces: release_lists.Offer) -> list[Field]:
    """The last fields of both forms."""
    of_project = isinstance(context, ProjectResource)
    where = [Field("workspace", "Workspace", workspaces.words, workspaces.counts)] if of_project else []
    return [*where, *narrowing.days()]


def _wanted(form: Narrowing) -> dict[str, Any]:
    """What both lists can be narrowed by, by the names in their ``Wanted``."""
    return {
        "q": form.value("q"),
        "states": form.chosen("state"),
        "workspaces": form.chosen("workspace"),
        "since": form.day("from"),
        "until": form.day("to"),
    }


def _frame(context: Any, request: Request, kind: str, form: Narrowing, pager: Pager) -> dict[str, Any]:
    """What is about the list and not about its rows."""
    of_project = isinstance(context, ProjectResource)
    return {
        "scope": "project" if of_project else "workspace",
        "heading": context.project.title if of_project else context.workspace.name,
        "form": form,
        "pager": pager,
        "total": pager.total,
        "here": request.path,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(context, request, (kind, None)),
    }
