"""Releases for programs: made, listed, read, reviewed (spec: airlock 4.2, 5, 7)."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from jobserver.actions import releases as actions
from jobserver.actions.releases import Announced, ReleaseConflict, Review
from jobserver.forms.api import releases as forms
from jobserver.queries import outputs, releases
from jobserver.resources.api import (
    FileEndpoint,
    ReleaseEndpoint,
    ReleaseReviews,
    WorkspaceReleases,
    nothing_matches,
)
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.views.api.exchange import Refused, absolute, answer, empty, endpoint, value
from jobserver.views.api.file_index import index, item
from jobserver.views.files import file_answer

# Older clients compare the answer with exactly this.
NOT_YET = "File not yet uploaded"


@endpoint(WorkspaceReleases, "POST", Permission.RELEASE_FILE_UPLOAD)
def create(context: WorkspaceReleases, request: Request) -> Response:
    """Announce a release; its files follow one by one."""
    body = forms.new_release(value(request), request.registry["settings"].release_file_size_limit)
    place = context.workspace
    try:
        release_id = actions.create(
            request.db,
            workspace=place.workspace,
            backend_id=request.caller.backend.id,
            files=[_announced(each) for each in body.files],
            by=request.caller.person,
            id_=body.airlock_id,
            metadata=body.other_metadata,
        )
    except ReleaseConflict as conflict:
        raise Refused(409, str(conflict)) from conflict
    page = page_url(request, *place.workspace.path, "releases", release_id)
    told = {"release_id": release_id, "release_url": absolute(request, page)}
    return answer(told, 201, {"Release-Id": release_id})


def _announced(file: forms.AnnouncedFile) -> Announced:
    review = file.review.model_dump() if file.review else None
    return Announced(file.name, file.url, file.size, file.sha256, file.date, file.metadata, review)


@endpoint(WorkspaceReleases, "GET", Permission.RELEASE_FILE_VIEW)
def latest(context: WorkspaceReleases, request: Request) -> Response:
    """The newest version of each file that came out of the workspace; names begin with the backend's."""
    found = outputs.latest_files(request.db, context.workspace.workspace.id)
    return index(item(each, name=f"{each.backend_slug}/{each.name}") for each in found)


@endpoint(ReleaseEndpoint, "GET", Permission.RELEASE_FILE_VIEW)
def files(context: ReleaseEndpoint, request: Request) -> Response:
    """The files of a release."""
    return index(item(each) for each in outputs.files_of_release(request.db, context.release.id))


@endpoint(FileEndpoint, "GET", Permission.RELEASE_FILE_VIEW, any_type=True)
def file(context: FileEndpoint, request: Request) -> Response:
    """The bytes of a file."""
    if context.file.uploaded_at is None:
        return answer(NOT_YET)
    try:
        return file_answer(request, context.file)
    except HTTPNotFound:
        nothing_matches("ReleaseFile")


@endpoint(ReleaseReviews, "POST", Permission.RELEASE_FILE_UPLOAD)
def review(context: ReleaseReviews, request: Request) -> Response:
    """Keep what a checker thought of files of the release, which are named with their hashes."""
    body = forms.reviews(value(request))
    known = releases.file_ids(request.db, context.release.id)
    names = {name for name, _ in known}
    strange = [(place, each) for place, each in enumerate(body.files) if each.key not in known]
    forms.refuse_files({place: NOT_OF_RELEASE for place, each in strange if each.name not in names}, "name")
    forms.refuse_files(dict.fromkeys([place for place, _ in strange], OTHER_CONTENT), "sha256")
    reviews = [Review(known[each.key], each.review.status, each.review.comments) for each in body.files]
    place = context.workspace.workspace
    actions.review(request.db, context.release, place, reviews, body.review, request.caller.person)
    return empty()


NOT_OF_RELEASE = "The release has no file of this name."
OTHER_CONTENT = "The file of this name in the release has another SHA-256."
