"""Redacting a released file, after a question (spec: airlock 5.4, 12.19, 12.34; pages 16.5, 30.75)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import redaction as actions
from jobserver.actions.naming import Malformed
from jobserver.clients.storage import FileMissing
from jobserver.forms.redaction import RedactForm, to_type
from jobserver.models import ReleaseFile, utcnow
from jobserver.queries import output_pages, redactions
from jobserver.resources.links import page_url
from jobserver.resources.outputs import ReleaseFileResource
from jobserver.security.permissions import Permission
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.fields import texts
from jobserver.views.releases import title

PAGE = "jobserver:templates/releases/delete.jinja2"


@view_config(
    context=ReleaseFileResource,
    name="delete",
    permission=Permission.RELEASE_FILE_DELETE,
    request_method="GET",
    renderer=PAGE,
)
def confirm(context: ReleaseFileResource, request: Request) -> dict[str, Any]:
    """The question, with what would go and what would stay."""
    return _page(context, request, RedactForm())


@view_config(
    context=ReleaseFileResource,
    name="delete",
    permission=Permission.RELEASE_FILE_DELETE,
    request_method="POST",
    renderer=PAGE,
)
def redact(context: ReleaseFileResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Redact the file. Whoever was too late is told who was quicker."""
    form = RedactForm(texts(request.POST))
    form.expect(context.file.name)
    if _why_not(request, context.file) or not form.validate():
        return _page(context, request, form)
    try:
        actions.redact(request.db, context.file, request.identity, form.reason.data or "")
    except Malformed as fault:
        form.reason.errors = [str(fault)]
        return _page(context, request, form)
    except actions.CannotRedact:
        return _page(context, request, form)
    said = f"Redacted {to_type(context.file.name)}. Its name stays listed."
    request.flash("success", said, _url(context, request, "releases", context.release.id), "Its release")
    return HTTPSeeOther(_url(context, request, "releases"))


def _url(context: ReleaseFileResource, request: Request, *names: Any) -> str:
    return page_url(request, *context.workspace.path, *names)


def _why_not(request: Request, file: ReleaseFile) -> str:
    """Why the file cannot be redacted: "redacted", "waiting" or "missing"; empty if it can."""
    if file.deleted_at is not None:
        return "redacted"
    if file.uploaded_at is None:
        return "waiting"
    try:
        request.clients.storage.open(file.path).close()
    except FileMissing:
        return "missing"
    return ""


def _page(context: ReleaseFileResource, request: Request, form: RedactForm) -> dict[str, Any]:
    """The question; or, with 404, why there is none."""
    db, file, release = request.db, context.file, context.release
    why_not = _why_not(request, file)
    if why_not:
        request.response.status_code = 404
    having = redactions.having(file.id)
    return {
        "file": file,
        "to_type": to_type(file.name),
        "release": release,
        "title": title(release.created_at),
        "why_not": why_not,
        "redacted_by": redactions.redacted_by(db, file),
        "form": form,
        "sets": [] if why_not else output_pages.snapshots(db, having),
        "number_of_sets": 0 if why_not else output_pages.number_of_snapshots(db, having),
        "copies": [] if why_not else redactions.copies(db, file),
        "told": len(redactions.developers(db, context.project.id)),
        "now": utcnow(),
        "url": lambda *names: _url(context, request, *names),
        "release_url": _url(context, request, "releases", release.id),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Releases", _url(context, request, "releases")),
            (title(release.created_at), _url(context, request, "releases", release.id)),
            ("Redact a file", None),
        ),
    }
