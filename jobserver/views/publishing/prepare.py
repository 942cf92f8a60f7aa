"""Choosing files of a workspace to be made public, and asking for it (spec: pages 19, 30.12 no. 73).

Nothing is kept on the server until the end: what was chosen goes along in the form from step to step, so that
exactly what was looked at is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import publication as actions
from jobserver.actions.publication import Prepared
from jobserver.actions.snapshots import CannotPublish, publishable
from jobserver.forms.publishing import Choice, WordsForm
from jobserver.models import utcnow
from jobserver.queries import publication, release_pages
from jobserver.queries.outputs import of_latest
from jobserver.queries.release_pages import FileRow
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import LatestOutputs
from jobserver.security.permissions import Permission
from jobserver.templating.pager import Pager, page_number
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.fields import texts

TEMPLATE = "jobserver:templates/publishing/prepare.jinja2"
# So many check boxes are on a page, and so many names in the list of what was chosen.
PAGE = 250


@view_config(
    context=LatestOutputs,
    name="prepare",
    permission=Permission.SNAPSHOT_CREATE,
    request_method="GET",
    renderer=TEMPLATE,
)
def begin(context: LatestOutputs, request: Request) -> dict[str, Any]:
    """The files to choose from; those that ``file`` names are ticked."""
    return _choosing(context, request, Choice.read(request.GET), _suggested(context))


@view_config(
    context=LatestOutputs,
    name="prepare",
    permission=Permission.SNAPSHOT_CREATE,
    request_method="POST",
    renderer=TEMPLATE,
    repeatable=("file",),
)
def go_on(context: LatestOutputs, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Whatever step is wanted next; the last one asks."""
    choice, form = Choice.read(request.POST), WordsForm(texts(request.POST))
    if "title" not in request.POST:
        form = _suggested(context)
    if choice.verb not in {"review", "send"}:
        return _choosing(context, request, _changed(context, request, choice), form)
    try:
        if choice.verb == "send" and form.validate():
            return _send(context, request, choice, form)
        publishable(request.db, context.workspace, choice.ids, all_of_them=True)
    except CannotPublish as refusal:
        left = _readable(context, request, choice)
        fault = f"{refusal} Your choice is now without them." if left.ids != choice.ids else str(refusal)
        return _choosing(context, request, left, form, fault=fault)
    return _reviewing(context, request, choice, form)


def _suggested(context: LatestOutputs) -> WordsForm:
    return WordsForm(title=f"{context.project.name}: outputs of {context.workspace.name}"[:200])


def _readable(context: LatestOutputs, request: Request, choice: Choice) -> Choice:
    """What of the choice can be published."""
    mine = publication.these(context.workspace.id, choice.ids)
    return replace(choice, ids=frozenset(publication.readable(request.db, mine)))


def _changed(context: LatestOutputs, request: Request, choice: Choice) -> Choice:
    """What is chosen once everything that matches, or a whole folder, is added, or all is taken away."""
    here, matching = context.workspace.id, release_pages.named(choice.find)
    if choice.verb == "none":
        return replace(choice, ids=frozenset())
    if choice.verb == "page":
        return replace(choice, page=choice.about)
    if choice.verb == "find":
        return replace(choice, page="")
    added: Iterable[str] = ()
    if choice.verb == "all":
        added = publication.readable(request.db, of_latest(here) & matching)
    elif choice.verb == "folder":
        beside = publication.latest_beside(request.db, here, choice.about)
        added = publication.readable(request.db, beside & matching)
    return replace(choice, ids=choice.ids.union(added))


def _choosing(
    context: LatestOutputs, request: Request, choice: Choice, form: WordsForm, *, fault: str = ""
) -> dict[str, Any]:
    """A page of files with boxes."""
    db, here = request.db, context.workspace.id
    wanted = of_latest(here) & release_pages.named(choice.find)
    counts = release_pages.counts(db, wanted)
    # A page that is no more is the first one: what was ticked must not be lost.
    number = page_number(choice.page, counts.files, PAGE) or 1
    pager = Pager(number, counts.files, PAGE)
    rows = release_pages.files_of(db, wanted, limit=PAGE, offset=pager.offset)
    return {
        **_frame(context, request, choice, form),
        "step": "choose",
        "fault": fault,
        "counts": counts,
        "pager": pager,
        "groups": _by_folder(rows),
        "elsewhere": choice.without(row.id for row in rows),
    }


def _by_folder(rows: Sequence[FileRow]) -> dict[tuple[str, str], list[FileRow]]:
    """By backend and folder, in the order in which they come."""
    found: dict[tuple[str, str], list[FileRow]] = {}
    for row in rows:
        found.setdefault((row.backend, row.folder), []).append(row)
    return found


def _reviewing(context: LatestOutputs, request: Request, choice: Choice, form: WordsForm) -> dict[str, Any]:
    """Exactly what would be asked for, and the words that go with it."""
    chosen = publication.these(context.workspace.id, choice.ids)
    return {
        **_frame(context, request, choice, form),
        "step": "review",
        "files": release_pages.files_of(request.db, chosen, limit=PAGE),
        "file_url": lambda file: page_url(
            request, *context.workspace.path, "releases", file.release_id, file.id
        ),
        "elsewhere": choice.without(()),
    }


def _frame(context: LatestOutputs, request: Request, choice: Choice, form: WordsForm) -> dict[str, Any]:
    return {
        "workspace": context.workspace,
        "choice": choice,
        "form": form,
        "fault": "",
        "chosen": release_pages.counts(request.db, publication.these(context.workspace.id, choice.ids)),
        "action": view_url(request, context, "prepare"),
        "latest_url": view_url(request, context),
        "now": utcnow(),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Latest outputs", view_url(request, context)),
            ("Prepare a publication", None),
        ),
    }


def _send(context: LatestOutputs, request: Request, choice: Choice, form: WordsForm) -> HTTPSeeOther:
    prepared = actions.prepare(
        request.db,
        context.workspace,
        choice.ids,
        request.identity,
        title=form.title.data or "",
        summary=form.summary.data or "",
    )
    request.flash(*told(prepared))
    return HTTPSeeOther(page_url(request, *context.workspace.path, "outputs", prepared.snapshot.id))


def told(prepared: Prepared) -> tuple[str, str]:
    """The message after somebody asked."""
    words = " It keeps the title and summary that it had." if prepared.kept_words else ""
    if prepared.is_published:
        return "info", f"Exactly these files are public already. Nothing was changed.{words}"
    if not prepared.is_asked:
        return "info", f"Exactly these files wait for a decision already: it is one request.{words}"
    if prepared.is_new:
        return "success", "Asked for. The output publishers have been told; nothing is public yet."
    again = "Asked for again: exactly these files were prepared before. The output publishers have been told."
    return "success", again + words
