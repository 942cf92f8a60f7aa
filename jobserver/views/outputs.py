"""What was published of a workspace, drafts, and the newest version of every file (spec: pages 17)."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import output_pages as queries
from jobserver.queries import release_pages
from jobserver.queries.outputs import newer_versions, of_latest
from jobserver.queries.release_pages import FileRow
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import LatestOutputs, Outputs, SnapshotResource
from jobserver.security.permissions import Permission
from jobserver.views.job_requests import breadcrumbs
from jobserver.views.releases import access, files_table, pager_of
from jobserver.views.tabs import tabs


@view_config(
    context=Outputs,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/outputs/list.jinja2",
)
def outputs(context: Outputs, request: Request) -> dict[str, Any]:
    """The sets of files that the reader may see: published ones, and drafts for those who may."""
    may_see = bool(request.has_permission(Permission.SNAPSHOT_VIEW))
    chosen = queries.visible(request.identity, context.workspace.id)
    total = queries.number_of_snapshots(request.db, chosen)
    pager = pager_of(request, total, queries.PAGE)
    return {
        "workspace": context.workspace,
        "may_see": may_see,
        "total": total,
        "pager": pager,
        "rows": queries.snapshots(request.db, chosen, offset=pager.offset),
        "snapshot_url": lambda row: view_url(request, context, str(row.id)),
        "latest_url": view_url(request, context, "latest") if may_see else None,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(context, request, ("Published outputs", None)),
    }


@view_config(
    context=SnapshotResource,
    permission=Permission.SNAPSHOT_VIEW,
    request_method="GET",
    renderer="jobserver:templates/outputs/snapshot.jinja2",
)
def snapshot(context: SnapshotResource, request: Request) -> dict[str, Any]:
    """One set of files, a draft or published."""
    row = queries.snapshot(request.db, context.snapshot.id)
    files, now = release_pages.of_snapshot(row.id), utcnow()
    counts = release_pages.counts(request.db, files)
    table = files_table(context, request, files, counts.files, now)
    if row.is_published:
        table["file_url"] = lambda file: page_url(request, *table["place"], "published", file.id)
    return {
        "workspace": context.workspace,
        "project": context.project,
        "org": context.org,
        "snapshot": row,
        "counts": counts,
        "download_url": view_url(request, context, "download") if counts.readable else None,
        **table,
        **access(context, request),
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Published outputs", view_url(request, context.__parent__)),
            (str(row.id), None),
        ),
    }


@view_config(
    context=LatestOutputs,
    permission=Permission.RELEASE_FILE_VIEW,
    request_method="GET",
    renderer="jobserver:templates/outputs/latest.jinja2",
)
def latest(context: LatestOutputs, request: Request) -> dict[str, Any]:
    """Of every released file the newest version that can be read."""
    db, here = request.db, context.workspace.id
    names = (context.org.slug, context.project.slug, context.workspace.name)
    counts = release_pages.counts(db, of_latest(here))
    table = files_table(context, request, of_latest(here), counts.files, utcnow())
    return {
        "workspace": context.workspace,
        "counts": counts,
        "newer": _newer(request, here, table["files"]),
        "download_url": view_url(request, context, "download") if counts.readable else None,
        **table,
        **access(context, request),
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Releases", page_url(request, *names, "releases")),
            ("All outputs", None),
        ),
    }


def _newer(request: Request, workspace_id: int, shown: Sequence[FileRow]) -> Mapping[str, FileRow]:
    """Of the files on the page that are not the newest version: that one, which cannot be read."""
    newest = newer_versions(request.db, workspace_id)
    wanted = {file.id: newest[file.id] for file in shown if file.id in newest}
    rows = release_pages.files_of(request.db, release_pages.these(wanted.values()), limit=len(wanted))
    by_id = {row.id: row for row in rows}
    return {id_: by_id[newer_id] for id_, newer_id in wanted.items()}
