"""Plain pages below ``/github``, so that links to repositories, files and comparisons lead somewhere."""

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.git import Git
from simulator.html import joined, page
from simulator.repositories import Repository


def missing() -> Response:
    """There is no such page."""
    return page("Page not found", Markup("<p>This is not the web page you are looking for."), 404)


def owner_page(request: Request) -> Response:
    """An organisation's repositories."""
    found = request.world.repositories.of(request.matchdict["owner"])
    if not found:
        return missing()
    items = [
        Markup('<li><a href="/github/{0}">{0}</a> {1}').format(each.name, each.plan.description)
        for each in found
    ]
    return page(request.matchdict["owner"], Markup("<ul>{}</ul>").format(joined(items)))


def repository_page(request: Request) -> Response:
    """A repository: branches, newest commits, files and read-me of its default branch."""
    found = _found(request)
    if found is None:
        return missing()
    base = f"/github/{found.name}"
    branches = [
        Markup('<li><a href="{}/tree/{}">{}</a>').format(base, name, name) for name in found.git.branches()
    ]
    head = found.git.branch(found.plan.default_branch)
    if head is None:
        return page(found.name, Markup("<p>{}<p>This repository is empty.").format(found.plan.description))
    commits = [
        Markup('<li><a href="{}/commit/{}"><code>{}</code></a> {}').format(
            base, made.sha, made.sha[:7], made.message
        )
        for made in found.git.log(head, limit=10)
    ]
    readme = (found.git.read(head, "README.md") or b"").decode(errors="replace")
    body = Markup("<p>{}<h2>Branches</h2><ul>{}</ul><h2>Files</h2>{}<h2>Commits</h2><ul>{}</ul><pre>{}</pre>")
    files = _listing(found, head, found.plan.default_branch, "")
    return page(
        found.name, body.format(found.plan.description, joined(branches), files, joined(commits), readme)
    )


def tree_page(request: Request) -> Response:
    """A directory at a branch, tag or commit."""
    found = _found(request)
    place = _split(found.git, request.matchdict["rest"]) if found else None
    if found is None or place is None:
        return missing()
    ref, sha, path = place
    if found.git.listing(sha, path) is None:
        return missing()
    return page(f"{found.name} at {ref}", _listing(found, sha, ref, path))


def blob_page(request: Request) -> Response:
    """A file at a branch, tag or commit."""
    found = _found(request)
    place = _split(found.git, request.matchdict["rest"]) if found else None
    content = found.git.read(place[1], place[2]) if found and place else None
    if found is None or place is None or content is None:
        return missing()
    numbered = [
        Markup('<span id="L{}">{}</span>').format(number, line)
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1)
    ]
    head = Markup('<p><a href="/github/{0}">{0}</a> at {1}').format(found.name, place[0])
    return page(place[2], Markup("{}<pre>{}</pre>").format(head, joined(numbered)))


def commit_page(request: Request) -> Response:
    """A commit and what it changed."""
    found = _found(request)
    sha = found.git.resolve(request.matchdict["rest"]) if found else None
    if found is None or sha is None:
        return missing()
    made = found.git.commit(sha)
    about = Markup("<p>{}<p>{}, {:%d %b %Y %H:%M} UTC").format(made.message, made.author, made.at)
    patches = _patches(found, made.parents[0], sha) if made.parents else Markup("<p>The first commit.")
    return page(f"Commit {sha[:7]} of {found.name}", Markup("{}{}").format(about, patches))


def compare_page(request: Request) -> Response:
    """What lies between two commits; ``a..b`` and ``a...b`` are both understood."""
    found = _found(request)
    first, dots, second = request.matchdict["rest"].partition("..")
    base = found.git.resolve(first) if found else None
    head = found.git.resolve(second.lstrip(".")) if found and dots else None
    if found is None or base is None or head is None:
        return missing()
    commits = [
        Markup("<li><code>{}</code> {}").format(made.sha[:7], made.message)
        for made in found.git.log(f"{base}..{head}")
    ]
    title = f"Comparing {base[:7]} to {head[:7]} in {found.name}"
    return page(title, Markup("<ul>{}</ul>{}").format(joined(commits), _patches(found, base, head)))


def issue_page(request: Request) -> Response:
    """An issue and its comments."""
    found = _found(request)
    number, store = request.matchdict["number"], request.world.store
    key = (found.name if found else "", int(number))
    row = store.row("SELECT * FROM issues WHERE repository = ? AND number = ?", *key)
    if row is None:
        return missing()
    comments = store.rows("SELECT * FROM comments WHERE repository = ? AND number = ? ORDER BY id", *key)
    about = Markup("<p>{}, labels: {}<pre>{}</pre>").format(row["state"], row["labels"], row["body"])
    said = [
        Markup('<pre id="issuecomment-{}">{}</pre>').format(each["id"], each["body"]) for each in comments
    ]
    return page(f"#{number} {row['title']}", Markup("{}{}").format(about, joined(said)))


def _found(request: Request) -> Repository | None:
    found: Repository | None = request.world.repositories.find(
        request.matchdict["owner"], request.matchdict["name"]
    )
    return found


def _split(git: Git, rest: str) -> tuple[str, str, str] | None:
    """Ref, commit and path out of ``ref/path``, where both may contain slashes."""
    parts = rest.strip("/").split("/")
    for end in range(len(parts), 0, -1):
        ref = "/".join(parts[:end])
        sha = git.resolve(ref)
        if sha:
            return ref, sha, "/".join(parts[end:])
    return None


def _listing(found: Repository, sha: str, ref: str, path: str) -> Markup:
    items = [
        Markup('<li><a href="/github/{}/{}/{}/{}">{}</a>').format(
            found.name, entry.kind, ref, entry.path, entry.path
        )
        for entry in found.git.listing(sha, path) or []
    ]
    return Markup("<ul>{}</ul>").format(joined(items))


def _patches(found: Repository, base: str, head: str) -> Markup:
    changes = found.git.changes(base, head)
    parts = [Markup("<h2>{}</h2><pre>{}</pre>").format(each.path, each.patch) for each in changes]
    return joined(parts) if parts else Markup("<p>No file differs.")


def includeme(config: Configurator) -> None:
    """Adds the pages."""
    one = "/github/{owner}/{name}"
    for pattern, view in (
        (f"{one}/tree/{{rest:.+}}", tree_page),
        (f"{one}/blob/{{rest:.+}}", blob_page),
        (f"{one}/raw/{{rest:.+}}", blob_page),
        (f"{one}/commit/{{rest:.+}}", commit_page),
        (f"{one}/compare/{{rest:.+}}", compare_page),
        (f"{one}/issues/{{number:[0-9]+}}", issue_page),
        (one, repository_page),
        ("/github/{owner}", owner_page),
    ):
        name = f"github:{pattern}"
        config.add_route(name, pattern)
        config.add_view(view, route_name=name)
