"""Issues of the simulated GitHub: output checking and sign-off live in them (spec: operations 4.4, 5.1)."""

import json
import re
import sqlite3
from datetime import UTC, datetime
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.github import api, shapes
from simulator.github.http import (
    API_PATH,
    GitHubError,
    api_url,
    json_body,
    not_found,
    paged,
    repository,
    respond,
    token,
)
from simulator.repositories import Repository


def labels(request: Request) -> Response:
    """The labels that issues of the repository can have."""
    found = repository(request)
    return paged(request, [_label(name) for name in found.plan.labels])


def issues(request: Request) -> Response:
    """The repository's issues, newest first; or a new one."""
    found, store = repository(request), request.world.store
    if request.method == "GET":
        rows = store.rows("SELECT * FROM issues WHERE repository = ? ORDER BY number DESC", found.name)
        state, since = request.GET.get("state", "open"), _since(request)
        shown = [
            _issue(row, found, request)
            for row in rows
            if state in {"all", row["state"]} and row["updated_at"] >= since
        ]
        return paged(request, shown)
    _writer(request)
    body = json_body(request)
    if not body.get("title"):
        errors = [{"resource": "Issue", "code": "missing_field", "field": "title"}]
        raise GitHubError(422, "Validation Failed", errors=errors)
    with store.transaction():
        last = store.row("SELECT max(number) AS number FROM issues WHERE repository = ?", found.name)
        number = (last["number"] or 0) + 1 if last else 1
        now = request.world.clock.now()
        store.run(
            "INSERT INTO issues VALUES (?, ?, ?, ?, 'open', ?, ?, ?)",
            found.name,
            number,
            body["title"],
            body.get("body") or "",
            json.dumps(_label_names(body.get("labels", []))),
            now,
            now,
        )
    return respond(_issue(_row(request, found, number), found, request), 201)


def issue(request: Request) -> Response:
    """One issue; or a change of its title, text, state or labels (which replace the old ones)."""
    found = repository(request)
    row = _row(request, found, int(request.matchdict["number"]))
    if request.method != "GET":
        _writer(request)
        body = json_body(request)
        changed = {name: body[name] for name in ("title", "body", "state") if name in body}
        request.world.store.run(
            "UPDATE issues SET title = ?, body = ?, state = ?, labels = ?, updated_at = ? "
            "WHERE repository = ? AND number = ?",
            changed.get("title", row["title"]),
            changed.get("body", row["body"]),
            changed.get("state", row["state"]),
            json.dumps(_label_names(body["labels"])) if "labels" in body else row["labels"],
            request.world.clock.now(),
            found.name,
            row["number"],
        )
        row = _row(request, found, row["number"])
    return respond(_issue(row, found, request))


def issue_labels(request: Request) -> Response:
    """The labels of one issue; or others in their place (PUT) or in addition (POST)."""
    found = repository(request)
    row = _row(request, found, int(request.matchdict["number"]))
    names: list[str] = json.loads(row["labels"])
    if request.method != "GET":
        _writer(request)
        given = _label_names(json_body(request).get("labels", []))
        names = given if request.method == "PUT" else [*names, *(name for name in given if name not in names)]
        request.world.store.run(
            "UPDATE issues SET labels = ? WHERE repository = ? AND number = ?",
            json.dumps(names),
            found.name,
            row["number"],
        )
    return paged(request, [_label(name) for name in names])


def comments(request: Request) -> Response:
    """The comments on one issue; or a new one."""
    found, store = repository(request), request.world.store
    number = _row(request, found, int(request.matchdict["number"]))["number"]
    query = "SELECT * FROM comments WHERE repository = ? AND number = ? ORDER BY id"
    if request.method == "GET":
        rows = [row for row in store.rows(query, found.name, number) if row["at"] >= _since(request)]
        return paged(request, [_comment(row, found, request) for row in rows])
    _writer(request)
    text, now = json_body(request).get("body", ""), request.world.clock.now()
    if not text:
        raise GitHubError(422, "Validation Failed")
    statement = "INSERT INTO comments (repository, number, body, at) VALUES (?, ?, ?, ?)"
    store.run(statement, found.name, number, text, now)
    return respond(_comment(store.rows(query, found.name, number)[-1], found, request), 201)


def search(request: Request) -> Response:
    """Issues found by ``repo:owner/name`` (or ``org:`` and ``repo:``), ``is:open`` and words of the title."""
    token(request)
    query = request.GET.get("q", "")
    given = dict(re.findall(r"(\w+):(\S+)", query))
    words = re.sub(r"\w+:\S+", "", query).replace('"', "").lower().split()
    owner, _, name = given.get("repo", "").rpartition("/")
    found = request.world.repositories.find(owner or given.get("org", ""), name)
    rows = request.world.store.rows(
        "SELECT * FROM issues WHERE repository = ? ORDER BY number", found.name if found else ""
    )
    hits = [
        row
        for row in rows
        if all(word in row["title"].lower() for word in words)
        and given.get("is") in {None, "issue", row["state"]}
    ]
    if request.GET.get("order", "desc") == "desc":
        hits.reverse()
    size = int(request.GET.get("per_page", "30"))
    items = [_issue(row, found, request) for row in hits[:size]] if found else []
    return respond({"total_count": len(hits), "incomplete_results": False, "items": items})


def _since(request: Request) -> float:
    """The time that what is listed must not be older than."""
    text = request.GET.get("since")
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except ValueError:
        raise GitHubError(422, "Validation Failed") from None


def _writer(request: Request) -> None:
    """Writing needs a token, reading a public repository does not."""
    if not token(request):
        raise GitHubError(401, "Requires authentication")


def _row(request: Request, found: Repository, number: int) -> sqlite3.Row:
    row: sqlite3.Row | None = request.world.store.row(
        "SELECT * FROM issues WHERE repository = ? AND number = ?", found.name, number
    )
    if row is None:
        raise not_found()
    return row


def _label_names(given: list[Any]) -> list[str]:
    return [each["name"] if isinstance(each, dict) else str(each) for each in given]


def _label(name: str) -> dict[str, Any]:
    return {"id": sum(name.encode()), "name": name, "color": "ededed", "default": False, "description": None}


def _when(at: float) -> str:
    return shapes.iso(datetime.fromtimestamp(at, UTC))


def _page(request: Request, found: Repository, number: int) -> str:
    """Where people see an issue: here, for unlike others this address is stored and followed as it is."""
    return f"{request.host_url}/github/{found.name}/issues/{number}"


def _issue(row: sqlite3.Row, found: Repository, request: Request) -> dict[str, Any]:
    url, number = f"{api_url(request)}/repos/{found.name}", row["number"]
    return {
        "id": found.number * 1000 + number,
        "number": number,
        "title": row["title"],
        "body": row["body"],
        "state": row["state"],
        "labels": [_label(name) for name in json.loads(row["labels"])],
        "url": f"{url}/issues/{number}",
        "comments_url": f"{url}/issues/{number}/comments",
        "html_url": _page(request, found, number),
        "repository_url": url,
        "created_at": _when(row["created_at"]),
        "updated_at": _when(row["updated_at"]),
        "closed_at": _when(row["updated_at"]) if row["state"] == "closed" else None,
        "assignees": [],
    }


def _comment(row: sqlite3.Row, found: Repository, request: Request) -> dict[str, Any]:
    return {
        "id": row["id"],
        "body": row["body"],
        "url": f"{api_url(request)}/repos/{found.name}/issues/comments/{row['id']}",
        "html_url": f"{_page(request, found, row['number'])}#issuecomment-{row['id']}",
        "created_at": _when(row["at"]),
        "updated_at": _when(row["at"]),
    }


def includeme(config: Configurator) -> None:
    """Adds the addresses about issues."""
    one = "/repos/{owner}/{name}/issues/{number:[0-9]+}"
    for pattern, view, methods in (
        ("/repos/{owner}/{name}/labels", labels, ("GET",)),
        ("/repos/{owner}/{name}/issues", issues, ("GET", "POST")),
        (one, issue, ("GET", "POST", "PATCH")),
        (f"{one}/labels", issue_labels, ("GET", "POST", "PUT")),
        (f"{one}/comments", comments, ("GET", "POST")),
        ("/search/issues", search, ("GET",)),
    ):
        name = f"github-api:{pattern}"
        config.add_route(name, f"{API_PATH}{pattern}")
        config.add_view(api.answered(view, *methods), route_name=name)
