"""The simulated GitHub REST API below ``/api/github``: people, repositories, branches, commits and files."""

import re
from collections.abc import Callable

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.github import shapes
from simulator.github.http import (
    API_PATH,
    GitHubError,
    add_headers,
    api_url,
    not_found,
    paged,
    person_of,
    repository,
    respond,
    token,
)

View = Callable[[Request], Response]


def answered(view: View, *methods: str) -> View:
    """The view with GitHub's errors turned into answers, for the methods it knows."""

    def wrapped(request: Request) -> Response:
        try:
            if request.method not in methods:
                raise not_found()
            return view(request)
        except GitHubError as fault:
            return respond(fault.body, fault.status)

    return wrapped


def signed_in_user(request: Request) -> Response:
    """The account that the token belongs to."""
    person = person_of(request, token(request))
    if person is None:
        raise GitHubError(401, "Requires authentication")
    return respond(shapes.user(person, api_url(request)))


def emails(request: Request) -> Response:
    """The addresses of the account that the token belongs to."""
    person = person_of(request, token(request))
    if person is None:
        raise GitHubError(401, "Requires authentication")
    noreply = f"{person.github_id}+{person.login}@users.noreply.github.com"
    entries = [
        {"email": noreply, "primary": False, "verified": True, "visibility": None},
        {"email": person.email, "primary": True, "verified": True, "visibility": "private"},
    ]
    return respond(entries)


def rate_limit(request: Request) -> Response:
    """How many requests are left this hour."""
    token(request)
    core = {"limit": 5000, "used": 10, "remaining": 4990, "reset": 4_000_000_000}
    return respond({"resources": {"core": core, "search": core}, "rate": core})


def organisation(request: Request) -> Response:
    """An organisation."""
    token(request)
    owner = request.matchdict["owner"]
    if owner not in request.world.repositories.owners:
        raise not_found()
    return respond(shapes.organisation(owner, api_url(request)))


def organisation_repositories(request: Request) -> Response:
    """An organisation's repositories, private ones only for those who send a token."""
    sent = token(request)
    found = request.world.repositories.of(request.matchdict["owner"])
    if not found:
        raise not_found()
    visible = [each for each in found if sent or not each.plan.private]
    return paged(request, [shapes.repository(each, api_url(request)) for each in visible])


def one_repository(request: Request) -> Response:
    """A repository."""
    return respond(shapes.repository(repository(request), api_url(request)))


def branches(request: Request) -> Response:
    """A repository's branches."""
    found, api = repository(request), api_url(request)
    return paged(
        request, [shapes.branch(name, sha, found, api) for name, sha in found.git.branches().items()]
    )


def branch(request: Request) -> Response:
    """One branch."""
    found, name = repository(request), request.matchdict["branch"]
    sha = found.git.branch(name)
    if sha is None:
        raise not_found("Branch not found")
    return respond(shapes.branch_in_full(name, sha, found, api_url(request)))


def commits(request: Request) -> Response:
    """The history of a branch, newest first."""
    found, api = repository(request), api_url(request)
    sha = found.git.resolve(request.GET.get("sha", found.plan.default_branch))
    if sha is None:
        raise not_found()
    return paged(request, [shapes.commit(made, found, api) for made in found.git.log(sha, limit=1000)])


def commit(request: Request) -> Response:
    """One commit, by its id or by a branch or tag; 422 if there is none, as GitHub answers."""
    found, ref = repository(request), request.matchdict["ref"]
    sha = found.git.resolve(ref)
    if sha is None:
        raise GitHubError(422, f"No commit found for SHA: {ref}")
    if "sha" in request.headers.get("Accept", ""):
        response = Response(sha.encode(), content_type="application/vnd.github.sha", charset="utf-8")
        add_headers(response)
        return response
    return respond(shapes.commit_in_full(found.git.commit(sha), found, api_url(request)))


def contents(request: Request) -> Response:
    """A file (in JSON, or as it is for a raw media type) or a directory's listing."""
    found, path = repository(request), request.matchdict["path"].strip("/")
    ref = request.GET.get("ref") or found.plan.default_branch
    sha = found.git.resolve(ref)
    if sha is None:
        raise not_found(f"No commit found for the ref {ref}")
    api = api_url(request)
    listing = found.git.listing(sha, path)
    if listing is not None:
        return respond([shapes.content(entry, ref, found, api) for entry in listing])
    entry, data = found.git.entry(sha, path), found.git.read(sha, path)
    if entry is None or data is None:
        raise not_found()
    if re.search(r"\braw\b", request.headers.get("Accept", "")):
        response = Response(data, content_type="application/vnd.github.raw", charset="utf-8")
        add_headers(response)
        return response
    return respond(shapes.file(entry, data, ref, found, api))


def compare(request: Request) -> Response:
    """How two commits, branches or tags differ."""
    found = repository(request)
    base, head = found.git.resolve(request.matchdict["base"]), found.git.resolve(request.matchdict["head"])
    if base is None or head is None:
        raise not_found()
    return respond(shapes.comparison(found, base, head, api_url(request)))


def git_reference(request: Request) -> Response:
    """Where a branch or tag points."""
    found, ref = repository(request), request.matchdict["ref"]
    kind, _, name = ref.partition("/")
    sha = {"heads": found.git.branch, "tags": found.git.tag}.get(kind, lambda _name: None)(name)
    if sha is None:
        raise not_found()
    url = f"{api_url(request)}/repos/{found.name}"
    target = {"type": "commit", "sha": sha, "url": f"{url}/git/commits/{sha}"}
    body = {"ref": f"refs/{ref}", "node_id": shapes.node_id("Ref", ref), "url": f"{url}/git/refs/{ref}"}
    return respond({**body, "object": target})


def git_commit(request: Request) -> Response:
    """What git knows of a commit."""
    found = repository(request)
    sha = found.git.resolve(request.matchdict["ref"])
    if sha is None:
        raise not_found()
    made = found.git.commit(sha)
    return respond({"sha": sha, **shapes.git_commit(made, found, api_url(request))})


def nothing(_request: Request) -> Response:
    """Any other address of the API."""
    raise not_found()


_REPOSITORY = "/repos/{owner}/{name}"
ROUTES: tuple[tuple[str, View], ...] = (
    ("/user", signed_in_user),
    ("/user/emails", emails),
    ("/rate_limit", rate_limit),
    ("/orgs/{owner}", organisation),
    ("/orgs/{owner}/repos", organisation_repositories),
    (_REPOSITORY, one_repository),
    (f"{_REPOSITORY}/branches", branches),
    (f"{_REPOSITORY}/branches/{{branch:.+}}", branch),
    (f"{_REPOSITORY}/commits", commits),
    (f"{_REPOSITORY}/commits/{{ref:.+}}", commit),
    (f"{_REPOSITORY}/contents{{path:(/.*)?}}", contents),
    (f"{_REPOSITORY}/compare/{{base:.+?}}...{{head:.+}}", compare),
    (f"{_REPOSITORY}/git/ref/{{ref:.+}}", git_reference),
    (f"{_REPOSITORY}/git/refs/{{ref:.+}}", git_reference),
    (f"{_REPOSITORY}/git/commits/{{ref}}", git_commit),
)


def includeme(config: Configurator) -> None:
    """Adds the API."""
    config.include("simulator.github.issues")
    config.include("simulator.github.graphql")
    for pattern, view in ROUTES:
        name = f"github-api:{pattern}"
        config.add_route(name, f"{API_PATH}{pattern}")
        config.add_view(answered(view, "GET", "HEAD"), route_name=name)
    config.add_route("github-api:rest", f"{API_PATH}/*rest")
    config.add_view(answered(nothing), route_name="github-api:rest")
