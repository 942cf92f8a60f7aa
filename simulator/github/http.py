"""What the views of the simulated GitHub API share: who asks, errors, paging, headers."""

import json
import time
from typing import Any
from urllib.parse import urlencode

from pyramid.request import Request
from pyramid.response import Response

from simulator.config import Person
from simulator.repositories import Repository

API_PATH = "/api/github"
_DOCUMENTATION = "https://docs.github.com/rest"


class GitHubError(Exception):
    """The request is answered with an error."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **more, "documentation_url": _DOCUMENTATION, "status": str(status)}


def not_found(message: str = "Not Found") -> GitHubError:
    """What is not there, or may not be seen by the caller."""
    return GitHubError(404, message)


def api_url(request: Request) -> str:
    """The address that the API is reached at, without a final slash."""
    return f"{request.host_url}{API_PATH}"


def respond(body: Any, status: int = 200) -> Response:
    """An answer in JSON with the headers that come with every one of GitHub's."""
    response = Response(json.dumps(body).encode(), status=status)
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    add_headers(response)
    return response


def add_headers(response: Response) -> None:
    """Adds the rate limit, never used up unless a fault says so."""
    reset = (int(time.time()) // 3600 + 1) * 3600
    response.headers.update(
        {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": "SIMU:LATED",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "4990",
            "X-RateLimit-Used": "10",
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Resource": "core",
        }
    )


def paged(request: Request, items: list[Any]) -> Response:
    """One page of a list, with links to the others."""
    size = min(max(_number(request, "per_page", 30), 1), 100)
    number = max(_number(request, "page", 1), 1)
    last = max((len(items) + size - 1) // size, 1)
    response = respond(items[(number - 1) * size : number * size])
    others = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    links = []
    for word, page in others.items():
        if 1 <= page <= last and page != number:
            query = urlencode({**request.GET, "page": page})
            links.append(f'<{request.path_url}?{query}>; rel="{word}"')
    if links:
        response.headers["Link"] = ", ".join(links)
    return response


def _number(request: Request, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() else default


def token(request: Request) -> str:
    """The token sent along, or an empty text. Raises GitHubError for one that GitHub does not know."""
    header: str = request.headers.get("Authorization", "")
    scheme, _, sent = header.partition(" ")
    sent = sent.strip()
    if not scheme:
        return ""
    known = sent in request.world.config.simulator.github_tokens or person_of(request, sent) is not None
    if scheme.lower() not in {"bearer", "token"} or not known:
        raise GitHubError(401, "Bad credentials")
    return sent


def person_of(request: Request, sent: str) -> Person | None:
    """The person who signed in and was given this token."""
    row = request.world.store.row("SELECT login FROM oauth_tokens WHERE token = ?", sent)
    return request.world.config.person(row["login"]) if row else None


def repository(request: Request) -> Repository:
    """The repository of the address. A private one is there only for those who send a token."""
    sent = token(request)
    found: Repository | None = request.world.repositories.find(
        request.matchdict["owner"], request.matchdict["name"]
    )
    if found is None or (found.plan.private and not sent):
        raise not_found()
    return found


def json_body(request: Request) -> dict[str, Any]:
    """The body, which has to be a JSON object."""
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise GitHubError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise GitHubError(400, "Body should be a JSON object")
    return body
