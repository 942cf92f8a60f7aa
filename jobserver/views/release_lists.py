"""The lists of what was released from a workspace and from a project (spec: pages 16.1 and 16.2)."""

from collections.abc import Sequence
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.forms import narrowing
from jobserver.forms.narrowing import Field, Narrowing
from jobserver.models import utcnow
from jobserver.queries import release_lists as lists
from jobserver.queries import release_pages as queries
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url
from jobserver.resources.outputs import ReleaseResource, Releases
from jobserver.security.permissions import Permission
from jobserver.templating.pager import Pager, page_number
from jobserver.views.job_requests import breadcrumbs
from jobserver.views.releases import access
from jobserver.views.tabs import tabs

LIST = "jobserver:templates/releases/list.jinja2"
WITHHELD = "Only those who may see released files can filter by them. Remove this filter."
# So many files are named in a list; the page of the release has them all.
NAMED = 50


@view_config(context=Releases, permission=Permission.VIEW, request_method="GET", renderer=LIST)
def releases_of_workspace(context: Releases, request: Request) -> dict[str, Any]:
    """Everything that was released from a workspace."""
    listed = _listed(context, request, queries.in_workspace(context.workspace.id), "workspace")
    has_latest = listed["may_see"] and queries.has_readable(request.db, context.workspace.id)
    names = (context.org.slug, context.project.slug, context.workspace.name)
    return {
        **listed,
        "heading": context.workspace.name,
        "latest_url": page_url(request, *names, "outputs", "latest") if has_latest else None,
        "breadcrumbs": breadcrumbs(context, request, ("Releases", None)),
    }


@view_config(
    context=ProjectResource, name="releases", permission=Permission.VIEW, request_method="GET", renderer=LIST
)
def releases_of_project(context: ProjectResource, request: Request) -> dict[str, Any]:
    """Everything that was released from the workspaces of a project."""
    return {
        **_listed(context, request, queries.in_project(context.project.id), "project"),
        "heading": context.project.title,
        "latest_url": None,
        "breadcrumbs": breadcrumbs(context, request, ("Releases", None)),
    }


def _listed(context: Any, request: Request, place: Any, scope: str) -> dict[str, Any]:
    """One page of the releases that the address lets through, and the form that says so."""
    db, may_see = request.db, bool(request.has_permission(Permission.RELEASE_FILE_VIEW))
    facets = lists.facets(db, place)
    form = narrowing.read(request.GET.items(), _fields(facets, scope, may_see=may_see))
    ids: Sequence[str] = []
    total = 0
    if not form.faults:
        ids, total = lists.find(db, lists.narrowed(place, _wanted(form)), _page(request))
    pager = pager_of(request, form, total, queries.PAGE)
    return {
        "scope": scope,
        "form": form,
        "pager": pager,
        "total": total,
        "of": facets.total,
        "rows": queries.releases(db, queries.with_ids(ids), with_files=may_see) if ids else [],
        "may_see": may_see,
        "here": request.path,
        "download_url": lambda row: page_url(request, *row.path, "download"),
        "names_url": lambda row: page_url(request, *row.path, query={"names": "1"}),
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "tabs": tabs(request, context),
        **access(context, request),
    }


def _page(request: Request) -> int | None:
    """The page that is asked for, None for the last; whatever is no number is refused afterwards."""
    asked = request.GET.get("page", "")
    if asked == "last":
        return None
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 1


def pager_of(request: Request, form: Narrowing, total: int, size: int) -> Pager:
    """The page that the address asks for; 404 if the narrowed list does not have it."""
    number = 1 if form.faults else page_number(request.GET.get("page"), total, size)
    if number is None:
        raise HTTPNotFound
    return Pager(number, total, size, form.kept)


def _fields(facets: lists.Facets, scope: str, *, may_see: bool) -> list[Field]:
    """What the list can be narrowed by; what is known of the files only for those who may see them."""
    found = [
        Field("q", "File name") if may_see else narrowing.withheld("q", "File name", WITHHELD),
        Field("state", "State", lists.STATES) if may_see else narrowing.withheld("state", "State", WITHHELD),
        Field("backend", "Backend", facets.backends.words, facets.backends.counts),
        Field("by", "Released by", facets.people.words, facets.people.counts),
    ]
    if scope == "project":
        found.append(Field("workspace", "Workspace", facets.workspaces.words, facets.workspaces.counts))
    return [*found, *narrowing.days()]


def _wanted(form: Narrowing) -> lists.Wanted:
    return lists.Wanted(
        q=form.value("q"),
        states=form.chosen("state"),
        backends=form.chosen("backend"),
        people=form.chosen("by"),
        workspaces=form.chosen("workspace"),
        since=form.day("from"),
        until=form.day("to"),
    )


@view_config(
    context=ReleaseResource,
    request_param="names",
    permission=Permission.RELEASE_FILE_VIEW,
    request_method="GET",
    renderer="jobserver:templates/releases/names.jinja2",
)
def names(context: ReleaseResource, request: Request) -> dict[str, Any]:
    """The first files of a release by name, as a list of releases shows them when it is asked to."""
    files = queries.of_release(context.release.id)
    place = (context.org.slug, context.project.slug, context.workspace.name, "releases", context.release.id)
    may_delete = bool(request.has_permission(Permission.RELEASE_FILE_DELETE))
    return {
        "files": queries.files_of(request.db, files, limit=NAMED),
        "total": queries.number_of_files(request.db, files),
        "release_url": page_url(request, *place),
        "file_url": lambda file: page_url(request, *place, file.id),
        "delete_url": lambda file: page_url(request, *place, file.id, "delete") if may_delete else None,
        "now": utcnow(),
    }
