"""The Atom feed of a workspace: releases, publications and finished job requests, for everybody.

Spec: pages 30.6 no. 62 and 30.4 no. 50.
"""

import hashlib
from typing import Any
from urllib.parse import urlsplit

from pyramid.events import BeforeRender, subscriber
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries import feed as queries
from jobserver.queries.event_logs import RequestRow
from jobserver.queries.output_pages import SnapshotRow
from jobserver.queries.release_pages import ReleaseRow
from jobserver.resources import JobRequestResource, JobResource, WorkspaceResource
from jobserver.resources.links import page_url
from jobserver.resources.outputs import InWorkspace
from jobserver.security.permissions import Permission
from jobserver.templating.atom import CONTENT_TYPE, Entry, Feed, atom, tag
from jobserver.templating.numbers import count, filesize

NAME = "feed.atom"
# So many actions of a request are named.
NAMED = 5


@view_config(
    context=WorkspaceResource, name=NAME, permission=Permission.VIEW, request_method="GET", no_slash=True
)
def feed(context: WorkspaceResource, request: Request) -> Response:
    """The newest of it; a 304 for a reader that has it as it is."""
    if request.subpath:
        raise HTTPNotFound
    body = atom(_feed(context, request))
    response = Response(
        body=body,
        content_type=CONTENT_TYPE,
        charset="utf-8",
        conditional_response=True,
        etag=hashlib.sha256(body).hexdigest()[:32],
    )
    # The same for everybody, and asked for anew each time.
    response.headers["Cache-Control"] = "no-cache"
    return response


@subscriber(BeforeRender)
def announce(event: BeforeRender) -> None:
    """Tell all pages of a workspace where its feed is."""
    context = getattr(event.get("request"), "context", None)
    if isinstance(context, (WorkspaceResource, JobRequestResource, JobResource, InWorkspace)):
        event.setdefault("feed_url", _path(context, context.request))


def _path(context: Any, request: Request) -> str:
    return page_url(request, *context.workspace.path) + NAME


def _feed(context: WorkspaceResource, request: Request) -> Feed:
    db, workspace = request.db, context.workspace
    maker = _Maker(request)
    entries = [
        *map(maker.released, queries.released(db, workspace.id)),
        *map(maker.published, queries.published(db, workspace.id)),
        *map(maker.finished, queries.finished(db, workspace.id)),
    ]
    entries = sorted(entries, key=lambda entry: entry.updated, reverse=True)[: queries.TOLD]
    return Feed(
        id=tag(maker.host, workspace.created_at, "workspace", workspace.id),
        title=f"{workspace.name} – Job server",
        subtitle=f"Releases, published outputs and finished job requests of {workspace.name}, "
        f"{context.project.title}.",
        link=maker.url(*workspace.path),
        own_link=maker.base + _path(context, request),
        updated=max((entry.updated for entry in entries), default=workspace.created_at),
        entries=entries,
    )


class _Maker:
    """Entries out of rows. Addresses are of the site's own name, whatever name it was asked by."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.base: str = request.registry["settings"].base_url.rstrip("/")
        self.host = urlsplit(self.base).hostname or ""

    def url(self, *names: Any) -> str:
        """The whole address of a page."""
        return self.base + page_url(self.request, *names)

    def released(self, row: ReleaseRow) -> Entry:
        """A release; its own page is not for everybody."""
        who = row.user or row.username
        return Entry(
            id=tag(self.host, row.created_at, "release", row.id),
            kind="release",
            title=f"Outputs released from {row.backend}",
            summary=f"Released by {who} from {row.backend}.",
            author=who,
            link=f"{self.url(*row.path[:-1])}#release-{row.id}",
            published=row.created_at,
            updated=row.created_at,
        )

    def published(self, row: SnapshotRow) -> Entry:
        """A set of files that was made public; made public again it is another entry."""
        at = row.published_at or row.created_at
        who = row.published_by or row.created_by
        return Entry(
            id=tag(self.host, at, "outputs", row.id),
            kind="publication",
            title=f"Published: {row.name}",
            summary=f"{count(row.files, 'file').capitalize()}, {filesize(row.size)}, published by {who}.",
            author=who,
            link=self.url(*row.path),
            published=at,
            updated=at,
        )

    def finished(self, row: RequestRow) -> Entry:
        """A job request that has ended."""
        who = row.user or row.username
        actions = ", ".join(row.requested_actions[:NAMED])
        more = len(row.requested_actions) - NAMED
        rest = f" and {more:,} more" if more > 0 else ""
        return Entry(
            id=tag(self.host, row.created_at, "job-request", row.id),
            kind="request",
            title=f"Request {row.id} on {row.backend}: {row.shown.word}",
            summary=f"{actions}{rest}. Asked for by {who}.",
            author=who,
            link=self.url(*row.path),
            published=row.created_at,
            updated=row.completed_at or row.created_at,
        )
