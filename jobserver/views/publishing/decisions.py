"""Deciding whether outputs become public, taking that back, asking again (spec: airlock 12.39).

Each act is a page of its own that says what will happen. What was decided meanwhile is said, never an error.
"""

from typing import Any

from pyramid.httpexceptions import HTTPForbidden, HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import publication as actions
from jobserver.actions.snapshots import CannotPublish
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.publishing import ReasonForm, WordsForm
from jobserver.models import utcnow
from jobserver.queries import publish_requests, release_pages, releases
from jobserver.queries.publish_requests import Wish
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import SnapshotResource
from jobserver.security.permissions import Permission
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.fields import texts
from jobserver.views.pages import pager_of
from jobserver.views.publishing.prepare import told

APPROVE = "jobserver:templates/publishing/approve.jinja2"
SAY_WHY = "jobserver:templates/publishing/say_why.jinja2"
WITHDRAW = "jobserver:templates/publishing/withdraw.jinja2"
ASK_AGAIN = "jobserver:templates/publishing/ask_again.jinja2"
NOTHING_WAITS = "Nobody’s request to publish these outputs waits for a decision. Nothing was changed."
NOT_PUBLIC = "These outputs are not public. Nothing was changed."


def act(name: str, method: str, permission: Permission, renderer: str) -> Any:
    """A page of a set of files on which something is decided about it."""
    return view_config(
        context=SnapshotResource, name=name, permission=permission, request_method=method, renderer=renderer
    )


@act("approve", "GET", Permission.SNAPSHOT_PUBLISH, APPROVE)
def look_before_approving(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Exactly what would be public, before it is."""
    wish = _pending(context, request)
    if wish is None:
        return _leave(context, request, NOTHING_WAITS)
    files = release_pages.of_snapshot(context.snapshot.id)
    counts = release_pages.counts(request.db, files)
    pager = pager_of(request, counts.files, release_pages.FILES_PAGE)
    return {
        **_frame(context, request, "Approve", wish),
        "files": release_pages.files_of(request.db, files, offset=pager.offset),
        "file_url": lambda file: view_url(request, context, file.id),
        "counts": counts,
        "pager": pager,
        "as_seen": actions.seen(context.snapshot),
    }


@act("approve", "POST", Permission.SNAPSHOT_PUBLISH, APPROVE)
def approve(context: SnapshotResource, request: Request) -> HTTPSeeOther:
    """Make it public, if it is what the person looked at."""
    as_seen = str(request.POST.get("seen", ""))
    try:
        changed = actions.publish(request.db, context.snapshot, request.identity, as_seen=as_seen)
    except CannotPublish:
        return _leave(context, request, NOTHING_WAITS)
    except ChangedMeanwhile:
        request.flash("warning", "It was changed since you opened the page. Nothing was published.")
        return HTTPSeeOther(view_url(request, context, "approve"))
    if not changed:
        return _leave(context, request, "These outputs are public already. Nothing was changed.")
    request.flash("success", "Published. Everybody can see these outputs now.")
    return HTTPSeeOther(view_url(request, context))


@act("reject", "GET", Permission.SNAPSHOT_PUBLISH, SAY_WHY)
def before_rejecting(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Why not?"""
    wish = _pending(context, request)
    if wish is None:
        return _leave(context, request, NOTHING_WAITS)
    return {**_frame(context, request, "Reject", wish), "act": "reject", "form": ReasonForm()}


@act("reject", "POST", Permission.SNAPSHOT_PUBLISH, SAY_WHY)
def reject(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Refuse it, with a reason."""
    form, wish = ReasonForm(texts(request.POST)), _pending(context, request)
    if wish is not None and not form.validate():
        return {**_frame(context, request, "Reject", wish), "act": "reject", "form": form}
    try:
        actions.reject(request.db, context.snapshot, request.identity, form.reason.data or "")
    except CannotPublish:
        return _leave(context, request, NOTHING_WAITS)
    return _leave(context, request, "Rejected. Whoever asked is told why.", "success")


@act("unpublish", "GET", Permission.SNAPSHOT_PUBLISH, SAY_WHY)
def before_unpublishing(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Why is it to be public no longer?"""
    if not context.publication.is_published:
        return _leave(context, request, NOT_PUBLIC)
    return {**_frame(context, request, "Unpublish"), "act": "unpublish", "form": ReasonForm()}


@act("unpublish", "POST", Permission.SNAPSHOT_PUBLISH, SAY_WHY)
def unpublish(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Have it be public no longer, with a reason."""
    form = ReasonForm(texts(request.POST))
    if context.publication.is_published and not form.validate():
        return {**_frame(context, request, "Unpublish"), "act": "unpublish", "form": form}
    try:
        actions.unpublish(request.db, context.snapshot, request.identity, form.reason.data or "")
    except CannotPublish:
        return _leave(context, request, NOT_PUBLIC)
    return _leave(context, request, "Unpublished: these outputs are a draft again.", "success")


@act("withdraw", "GET", Permission.SNAPSHOT_VIEW, WITHDRAW)
def before_withdrawing(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Is it no longer wanted?"""
    wish = _own(context, request)
    if wish is None:
        return _leave(context, request, NOTHING_WAITS)
    return _frame(context, request, "Withdraw", wish)


@act("withdraw", "POST", Permission.SNAPSHOT_VIEW, WITHDRAW)
def withdraw(context: SnapshotResource, request: Request) -> HTTPSeeOther:
    """Take the wish back."""
    if _own(context, request) is None:
        return _leave(context, request, NOTHING_WAITS)
    try:
        actions.withdraw(request.db, context.snapshot, request.identity)
    except CannotPublish:
        return _leave(context, request, NOTHING_WAITS)
    return _leave(context, request, "Withdrawn. You can ask again at any time.", "success")


@act("ask-again", "GET", Permission.SNAPSHOT_CREATE, ASK_AGAIN)
def before_asking_again(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """What to say of it this time."""
    row = context.snapshot
    return _asking(context, request, WordsForm(title=row.title, summary=row.summary))


@act("ask-again", "POST", Permission.SNAPSHOT_CREATE, ASK_AGAIN)
def ask_again(context: SnapshotResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Ask once more; without what was redacted since, which makes another set."""
    form = WordsForm(texts(request.POST))
    if not form.validate():
        return _asking(context, request, form)
    words = {"title": form.title.data or "", "summary": form.summary.data or ""}
    try:
        prepared = actions.ask_again(request.db, context.snapshot, request.identity, **words)
    except CannotPublish as refusal:
        return _leave(context, request, str(refusal))
    request.flash(*told(prepared))
    return HTTPSeeOther(view_url(request, context.__parent__, str(prepared.snapshot.id)))


def _asking(context: SnapshotResource, request: Request, form: WordsForm) -> dict[str, Any] | HTTPSeeOther:
    if context.publication.is_published or context.publication.is_pending:
        return _leave(context, request, "These outputs are public, or wait for a decision, already.")
    files = release_pages.of_snapshot(context.snapshot.id)
    wishes = publish_requests.wishes(request.db, context.snapshot.id)
    return {
        **_frame(context, request, "Ask again"),
        "form": form,
        "counts": release_pages.counts(request.db, files),
        "last": wishes[0] if wishes else None,
    }


def _pending(context: SnapshotResource, request: Request) -> Wish | None:
    """The wish that waits for a decision."""
    if not context.publication.is_pending:
        return None
    found = publish_requests.wishes(request.db, context.snapshot.id)
    return next((each for each in found if each.state == "pending"), None)


def _own(context: SnapshotResource, request: Request) -> Wish | None:
    """The waiting wish of the reader's own; what others wish is for others to take back."""
    wish = _pending(context, request)
    if request.identity is None or (wish is not None and wish.asked_by_id != request.identity.user_id):
        raise HTTPForbidden
    return wish


def _leave(context: SnapshotResource, request: Request, words: str, level: str = "info") -> HTTPSeeOther:
    """Go where the person may go: what is not public or no longer waits is not for every publisher."""
    request.flash(level, words)
    is_public = releases.publication(request.db, context.snapshot.id).is_published
    if is_public or request.has_permission(Permission.RELEASE_FILE_VIEW):
        return HTTPSeeOther(view_url(request, context))
    if request.has_permission(Permission.SNAPSHOT_PUBLISH):
        return HTTPSeeOther(page_url(request, "publish-requests"))
    return HTTPSeeOther(view_url(request, context.__parent__))


def _frame(
    context: SnapshotResource, request: Request, verb: str, wish: Wish | None = None
) -> dict[str, Any]:
    row = context.snapshot
    return {
        "snapshot": row,
        "name": row.title or f"Outputs {row.id}",
        "workspace": context.workspace,
        "wish": wish,
        "is_own": wish is not None and wish.asked_by_id == request.identity.user_id,
        "snapshot_url": view_url(request, context),
        "now": utcnow(),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Published outputs", view_url(request, context.__parent__)),
            (str(row.id), view_url(request, context)),
            (verb, None),
        ),
    }
