"""Pages that show the mail that was sent."""

import json
import sqlite3
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.html import joined, page


def read(row: sqlite3.Row) -> dict[str, Any]:
    """A kept message: envelope, the usual headers, and the text and HTML parts."""
    message: EmailMessage = message_from_bytes(row["content"], policy=policy.default)
    parts = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
    return {
        "id": row["id"],
        "at": row["at"],
        "sender": row["sender"],
        "recipients": json.loads(row["recipients"]),
        "from": str(message.get("From", "")),
        "to": str(message.get("To", "")),
        "reply_to": str(message.get("Reply-To", "")),
        "subject": str(message.get("Subject", "")),
        "text": _content(parts["plain"]),
        "html": _content(parts["html"]),
    }


def _content(part: Any) -> str:
    """A part's text, with line ends as Python has them."""
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def messages(request: Request) -> Response:
    """All messages, newest first: as a page, or as JSON for those who accept that."""
    kept = [read(row) for row in request.world.store.rows("SELECT * FROM mails ORDER BY id DESC")]
    if "json" in request.headers.get("Accept", ""):
        return Response(json.dumps(kept).encode(), content_type="application/json", charset="utf-8")
    items = [
        Markup('<tr><td>{:%d %b %H:%M:%S} UTC<td>{}<td><a href="/mail/{}/">{}</a>').format(
            datetime.fromtimestamp(mail["at"], UTC),
            ", ".join(mail["recipients"]),
            mail["id"],
            mail["subject"] or "(no subject)",
        )
        for mail in kept
    ]
    empty = Markup("<p>No mail has been sent yet.")
    return page("Mail", Markup("<table>{}</table>").format(joined(items)) if items else empty)


def message(request: Request) -> Response:
    """One message: its text, and its HTML in a frame that may do nothing."""
    row = request.world.store.row("SELECT * FROM mails WHERE id = ?", int(request.matchdict["id"]))
    if row is None:
        return page("Mail", Markup("<p>There is no such message."), 404)
    mail = read(row)
    body = Markup(
        "<table><tr><th>From<td>{}<tr><th>To<td>{}<tr><th>Delivered to<td>{}</table>"
        "<h2>Text</h2><pre>{}</pre>{}"
    )
    frame = Markup('<h2>HTML</h2><iframe sandbox title="HTML part" srcdoc="{}"></iframe>').format(
        mail["html"]
    )
    shown = body.format(
        mail["from"], mail["to"], ", ".join(mail["recipients"]), mail["text"], frame if mail["html"] else ""
    )
    return page(mail["subject"] or "(no subject)", shown)


def includeme(config: Configurator) -> None:
    """Adds both pages."""
    config.add_route("mail:messages", "/mail/")
    config.add_view(messages, route_name="mail:messages")
    config.add_route("mail:message", "/mail/{id:[0-9]+}/")
    config.add_view(message, route_name="mail:message")
