"""What the pages of a release, of the latest outputs and of a snapshot have in common."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.request import Request

from jobserver.models import utcnow
from jobserver.queries import file_tree, viewer
from jobserver.queries.versions import versions_of
from jobserver.queries.viewer import SetFile
from jobserver.resources.links import page_url
from jobserver.resources.outputs import FilePath, FilesResource, SnapshotResource
from jobserver.security.permissions import Permission
from jobserver.views.contents import contents_of
from jobserver.views.viewer import branches
from jobserver.views.viewer.kinds import ICONS, word_of
from jobserver.views.viewer.look import Look

PART = "jobserver:templates/viewer/part.jinja2"


def set_of(context: Any) -> Any:
    """The resource of the whole set, be that the context or one of its files."""
    return context.files if isinstance(context, FilePath) else context


def crumbs(title: str, shown: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The end of the way: the set, and of it the file or folder that is open."""
    if not shown["at"]:
        return [(title, None)]
    return [(title, shown["start_url"]), (shown["at"].rpartition("/")[2], None, "mono")]


def page(context: FilesResource | FilePath, request: Request, files: Mapping[str, SetFile]) -> dict[str, Any]:
    """Everything that ``viewer/page.jinja2`` shows, but for what is said of the set itself.

    ``files`` are all of the set, by their names in it. Raises HTTPNotFound for a name that it does not have.
    """
    look = Look(context, request, files)
    place = context.workspace.path
    sees_releases = bool(request.has_permission(Permission.RELEASE_FILE_VIEW))
    opened = _file(context, request, look, look.file, sees_releases=sees_releases) if look.file else {}
    return {
        **look.shown(),
        **_steps(look),
        "counts": viewer.counts(files.values()),
        "icons": ICONS,
        "start_url": look.addresses.of(),
        "now": utcnow(),
        "place": place,
        "url": lambda *names: page_url(request, *names),
        "sees_releases": sees_releases,
        "file": None,
        **opened,
    }


def part(context: FilesResource | FilePath, request: Request, files: Mapping[str, SetFile]) -> dict[str, Any]:
    """What ``viewer/part.jinja2`` shows: the tree, or one folder of it that the reader opens."""
    look = Look(context, request, files)
    shown = look.shown()
    folder = file_tree.folder_at(look.root, look.at) if request.GET["part"] == "folder" else None
    if folder:
        shown["branch"] = branches.opened(folder, look.order, look.at, look.piece)
    else:
        request.response.headers["HX-Replace-Url"] = look.here()
    return {
        **shown,
        **_steps(look),
        "is_folder": folder is not None,
        "counts": viewer.counts(files.values()),
        "now": utcnow(),
        "sees_releases": bool(request.has_permission(Permission.RELEASE_FILE_VIEW)),
    }


def _steps(look: Look) -> dict[str, Any]:
    """Where the files before and after the open one are; without one, the first as the next."""
    readable = (
        leaf for leaf in look.root.leaves(look.order) if leaf.file.is_readable or leaf.path == look.at
    )
    if look.file is None:
        before, after = None, next(readable, None)
    else:
        before, after = file_tree.neighbours(readable, look.at)
    return {
        "opens_file": look.file is not None,
        "previous_url": look.leaf_url(before) if before else None,
        "next_url": look.leaf_url(after) if after else None,
    }


def _file(
    context: FilesResource | FilePath, request: Request, look: Look, line: SetFile, *, sees_releases: bool
) -> dict[str, Any]:
    """The open file: its row, its content, and where else to go from it."""
    file = viewer.whole_file(request.db, line.id)
    place = context.workspace.path
    version = (*place, "releases", file.release_id, file.id)
    here = set_of(context)
    of_snapshot = isinstance(here, SnapshotResource)
    bytes_at = (*place, "outputs", here.__name__, file.id) if of_snapshot else version
    raw_url, download_url = (page_url(request, *bytes_at, way) for way in ("raw", "download"))
    forever = look.here(find="", by="") if of_snapshot else page_url(request, *version)
    may_delete = file.is_readable and request.has_permission(Permission.RELEASE_FILE_DELETE)
    contents = None
    if file.is_readable:
        contents = contents_of(request, file, raw_url=raw_url, download_url=download_url)
    return {
        "file": file,
        "line": line,
        "kind": word_of(file.name),
        "contents": contents,
        "raw_url": raw_url,
        "download_url": download_url,
        "forever_url": request.registry["settings"].base_url.rstrip("/") + forever,
        "release_url": page_url(request, *place, "releases", file.release_id) if sees_releases else None,
        "versions": versions_of(request.db, file) if sees_releases else [],
        "version_url": lambda each: page_url(request, *place, "releases", each.release_id, each.id),
        "compare_url": page_url(request, *version, "compare"),
        "delete_url": page_url(request, *version, "delete") if may_delete else None,
        "file_metadata": told(file.metadata_),
    }


def told(metadata: dict[str, Any] | None) -> Sequence[tuple[str, str]]:
    """What Airlock says of a release or a file, as labels and texts."""
    return [
        (key.replace("_", " ").strip().title() or "–", value if isinstance(value, str) else json.dumps(value))
        for key, value in (metadata or {}).items()
    ]
