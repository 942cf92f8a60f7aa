"""Snapshots: asking that files become public, what is in them, and making them so (spec: airlock 6)."""

from typing import Any

from pyramid.httpexceptions import HTTPForbidden
from pyramid.request import Request
from pyramid.response import Response

from jobserver.actions import publication
from jobserver.actions.publication import AlreadyDecided
from jobserver.actions.snapshots import CannotPublish
from jobserver.forms.api.base import check
from jobserver.forms.api.publication import ChosenFiles
from jobserver.queries.outputs import files_of_snapshot
from jobserver.resources.api import SnapshotEndpoint, SnapshotPublication, Snapshots
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.views.api import file_index
from jobserver.views.api.exchange import FORMS, Refused, answer, empty, endpoint, value


# Clients are told what is wrong with their body before whether they may at all (spec: airlock 6.1).
@endpoint(Snapshots, "POST", Permission.VIEW)
def create(context: Snapshots, request: Request) -> Response:
    """Ask that files become public; the snapshot's page, new or not."""
    chosen = check(ChosenFiles, _body(request))
    allowed = request.has_permission(Permission.SNAPSHOT_CREATE, context)
    if not allowed:
        raise HTTPForbidden(result=allowed)
    workspace = context.workspace.workspace
    try:
        snapshot = publication.request_publication(request.db, workspace, chosen.file_ids, request.identity)
    except CannotPublish as refusal:
        raise Refused(400, str(refusal)) from refusal
    return answer({"url": _page(request, context, "outputs", snapshot.id)}, 201)


def _body(request: Request) -> Any:
    """The body; a form has the field once for each file."""
    body = value(request)
    if request.content_type in FORMS and "file_ids" in body:
        return {"file_ids": request.POST.getall("file_ids")}
    return body


@endpoint(SnapshotEndpoint, "GET", Permission.SNAPSHOT_VIEW)
def files(context: SnapshotEndpoint, request: Request) -> Response:
    """The files of a snapshot; those of a published one with the addresses at which everybody reads them."""
    found = files_of_snapshot(request.db, context.snapshot.id)
    is_published = context.page.publication.is_published
    return file_index.index(
        file_index.item(each, url=_page(request, context, "published", each.id) if is_published else None)
        for each in found
    )


def _page(request: Request, context: Snapshots | SnapshotEndpoint, *names: Any) -> str:
    """A page below the workspace."""
    return page_url(request, *context.workspace.workspace.path, *names)


@endpoint(SnapshotPublication, "POST", Permission.SNAPSHOT_PUBLISH)
def publish(context: SnapshotPublication, request: Request) -> Response:
    """Make the snapshot public, as somebody has asked; nothing if it is."""
    try:
        publication.publish(request.db, context.snapshot, request.identity)
    except AlreadyDecided as refusal:
        raise Refused(409, str(refusal)) from refusal
    return empty()
