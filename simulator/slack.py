"""The part of Slack's web API that posts messages, and a page that shows what was posted."""

import json
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.html import joined, page


def post_message(request: Request) -> Response:
    """``chat.postMessage``; refusals have status 200 and ``ok`` false, as Slack's have."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    body = _body(request)
    if scheme != "Bearer" and "token" not in body:
        return _answer({"ok": False, "error": "not_authed"})
    if (token or body.get("token")) not in request.world.config.simulator.slack_tokens:
        return _answer({"ok": False, "error": "invalid_auth"})
    if not body.get("channel"):
        return _answer({"ok": False, "error": "channel_not_found"})
    if not body.get("text") and not body.get("blocks"):
        return _answer({"ok": False, "error": "no_text"})
    now = request.world.clock.now()
    statement = "INSERT INTO posts (at, channel, text, body) VALUES (?, ?, ?, ?)"
    text = str(body.get("text", ""))
    request.world.store.run(statement, now, body["channel"], text, json.dumps(body))
    message = {"type": "message", "text": text, "ts": f"{now:.6f}", "bot_id": "B0SIMULATED"}
    return _answer({"ok": True, "channel": body["channel"], "ts": message["ts"], "message": message})


def posts(request: Request) -> Response:
    """What was posted, newest first: as a page, or as JSON for those who accept that."""
    rows = request.world.store.rows("SELECT * FROM posts ORDER BY id DESC")
    if "json" in request.headers.get("Accept", ""):
        return _answer([{"channel": row["channel"], "text": row["text"], "at": row["at"]} for row in rows])
    items = [
        Markup("<tr><td>{:%d %b %H:%M:%S} UTC<td>#{}<td>{}").format(
            datetime.fromtimestamp(row["at"], UTC), row["channel"], row["text"]
        )
        for row in rows
    ]
    empty = Markup("<p>Nothing has been posted yet.")
    return page("Slack", Markup("<table>{}</table>").format(joined(items)) if items else empty)


def _body(request: Request) -> dict[str, Any]:
    if "json" not in (request.content_type or ""):
        return dict(request.POST)
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _answer(body: Any) -> Response:
    return Response(json.dumps(body).encode(), content_type="application/json", charset="utf-8")


def includeme(config: Configurator) -> None:
    """Adds both."""
    config.add_route("slack:post", "/slack/api/chat.postMessage")
    config.add_view(post_message, route_name="slack:post", request_method="POST")
    config.add_route("slack:posts", "/slack/")
    config.add_view(posts, route_name="slack:posts")
