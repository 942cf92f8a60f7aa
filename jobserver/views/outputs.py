"""A set of files, a draft or published, and the newest version of every file (spec: pages 17)."""

from collections.abc import Mapping
from typing import Any

from pyramid.httpexceptions import HTTPFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries.file_names import names_in_set
from jobserver.queries.viewer import SetFile, latest_files, of_this_snapshot
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import (
    LatestFilePath,
    LatestOutputs,
    SnapshotFilePath,
    SnapshotFileResource,
    SnapshotResource,
)
from jobserver.security.permissions import Permission
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.publishing.about import about_snapshot
from jobserver.views.releases import access
from jobserver.views.tabs import tabs
from jobserver.views.viewer import frame as viewer
from jobserver.views.viewer.addresses import Addresses

OF_SNAPSHOT: dict[str, Any] = {"permission": Permission.SNAPSHOT_VIEW, "request_method": "GET"}
OF_LATEST: dict[str, Any] = {"permission": Permission.RELEASE_FILE_VIEW, "request_method": "GET"}


@view_config(**OF_SNAPSHOT, context=SnapshotResource, renderer="jobserver:templates/outputs/snapshot.jinja2")
@view_config(**OF_SNAPSHOT, context=SnapshotFilePath, renderer="jobserver:templates/outputs/snapshot.jinja2")
def snapshot(context: SnapshotResource | SnapshotFilePath, request: Request) -> dict[str, Any]:
    """One set of files, a draft or published, and perhaps one of its files."""
    here: SnapshotResource = viewer.set_of(context)
    files = _of_snapshot(context, request)
    shown = viewer.page(context, request, files)
    return {
        **shown,
        **about_snapshot(request, here, files.values(), shown["counts"]),
        "workspace": context.workspace,
        "project": context.project,
        "state": here.publication.shown,
        "zip_url": view_url(request, here, "download") if shown["counts"].readable else None,
        **access(context, request),
        "tabs": tabs(request, here),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Published outputs", view_url(request, here.__parent__)),
            *viewer.crumbs(str(here.snapshot.id), shown),
        ),
    }


@view_config(**OF_SNAPSHOT, context=SnapshotResource, request_param="part", renderer=viewer.PART)
@view_config(**OF_SNAPSHOT, context=SnapshotFilePath, request_param="part", renderer=viewer.PART)
def part_of_snapshot(context: SnapshotResource | SnapshotFilePath, request: Request) -> dict[str, Any]:
    """A part of the tree."""
    return viewer.part(context, request, _of_snapshot(context, request))


@view_config(**OF_SNAPSHOT, context=SnapshotFileResource)
def file_of_snapshot(context: SnapshotFileResource, request: Request) -> Response:
    """One of its files, by its id: where the set shows it."""
    files = _of_snapshot(context.files, request)
    path = next(path for path, file in files.items() if file.id == context.file.id)
    return HTTPFound(Addresses(request, context.files).of(path, context.file.id))


def _of_snapshot(context: SnapshotResource | SnapshotFilePath, request: Request) -> Mapping[str, SetFile]:
    files = of_this_snapshot(request.db, viewer.set_of(context).snapshot.id)
    return dict(zip(names_in_set(files), files, strict=True))


@view_config(**OF_LATEST, context=LatestOutputs, renderer="jobserver:templates/outputs/latest.jinja2")
@view_config(**OF_LATEST, context=LatestFilePath, renderer="jobserver:templates/outputs/latest.jinja2")
def latest(context: LatestOutputs | LatestFilePath, request: Request) -> dict[str, Any]:
    """Of every released file the newest version that can be read, and perhaps one of them."""
    here: LatestOutputs = viewer.set_of(context)
    shown = viewer.page(context, request, _latest(context, request))
    may_prepare = shown["counts"].readable and request.has_permission(Permission.SNAPSHOT_CREATE)
    return {
        **shown,
        "workspace": context.workspace,
        "project": context.project,
        "zip_url": view_url(request, here, "download") if shown["counts"].readable else None,
        "prepare_url": view_url(request, here, "prepare") if may_prepare else None,
        **access(context, request),
        "tabs": tabs(request, here),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Releases", page_url(request, *shown["place"], "releases")),
            *viewer.crumbs("Latest outputs", shown),
        ),
    }


@view_config(**OF_LATEST, context=LatestOutputs, request_param="part", renderer=viewer.PART)
@view_config(**OF_LATEST, context=LatestFilePath, request_param="part", renderer=viewer.PART)
def part_of_latest(context: LatestOutputs | LatestFilePath, request: Request) -> dict[str, Any]:
    """A part of the tree."""
    return viewer.part(context, request, _latest(context, request))


def _latest(context: LatestOutputs | LatestFilePath, request: Request) -> Mapping[str, SetFile]:
    """By backend and name."""
    return {f"{file.backend}/{file.name}": file for file in latest_files(request.db, context.workspace.id)}
