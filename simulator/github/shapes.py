"""GitHub's JSON for repositories, branches, commits and files."""

import base64
from datetime import datetime
from typing import Any
from urllib.parse import quote

from simulator.config import Person
from simulator.git import Commit, Entry, FileChange, Git
from simulator.github import PUBLIC_URL
from simulator.repositories import Repository

JSON = dict[str, Any]


def iso(at: datetime) -> str:
    """A time as GitHub writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def node_id(kind: str, key: object) -> str:
    """GitHub's other kind of identifier."""
    return base64.b64encode(f"{kind}:{key}".encode()).decode()


def user(person: Person, api: str) -> JSON:
    """An account; the e-mail address only if the person has made it public."""
    return {
        "login": person.login,
        "id": person.github_id,
        "node_id": node_id("User", person.github_id),
        "avatar_url": "",
        "url": f"{api}/users/{person.login}",
        "html_url": f"{PUBLIC_URL}/{person.login}",
        "type": "User",
        "site_admin": False,
        "name": person.name,
        "email": person.email if person.public_email else None,
    }


def organisation(login: str, api: str) -> JSON:
    """An organisation."""
    number = 900_000 + sum(login.encode())
    return {
        "login": login,
        "id": number,
        "node_id": node_id("Organization", number),
        "avatar_url": "",
        "url": f"{api}/orgs/{login}",
        "html_url": f"{PUBLIC_URL}/{login}",
        "repos_url": f"{api}/orgs/{login}/repos",
        "type": "Organization",
        "site_admin": False,
    }


def repository(found: Repository, api: str) -> JSON:
    """A repository."""
    plan, url, page = found.plan, f"{api}/repos/{found.name}", f"{PUBLIC_URL}/{found.name}"
    pushed = (
        found.git.commit(found.git.branch(plan.default_branch) or "HEAD").at
        if plan.commits
        else plan.created_at
    )
    return {
        "id": found.number,
        "node_id": node_id("Repository", found.number),
        "name": plan.short_name,
        "full_name": found.name,
        "private": plan.private,
        "visibility": "private" if plan.private else "public",
        "owner": organisation(plan.owner, api),
        "html_url": page,
        "description": plan.description,
        "fork": False,
        "url": url,
        "branches_url": f"{url}/branches{{/branch}}",
        "contents_url": f"{url}/contents/{{+path}}",
        "issues_url": f"{url}/issues{{/number}}",
        "clone_url": f"{page}.git",
        "created_at": iso(plan.created_at),
        "updated_at": iso(pushed),
        "pushed_at": iso(pushed),
        "default_branch": plan.default_branch,
        "topics": plan.topics,
        "archived": False,
        "disabled": False,
        "has_issues": True,
        "permissions": {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True},
    }


def branch(name: str, sha: str, found: Repository, api: str) -> JSON:
    """A branch as lists show it."""
    url = f"{api}/repos/{found.name}"
    return {"name": name, "commit": {"sha": sha, "url": f"{url}/commits/{sha}"}, "protected": False}


def branch_in_full(name: str, sha: str, found: Repository, api: str) -> JSON:
    """A branch as its own address shows it."""
    url = f"{api}/repos/{found.name}"
    return {
        "name": name,
        "commit": commit(found.git.commit(sha), found, api),
        "_links": {"self": f"{url}/branches/{quote(name)}", "html": f"{PUBLIC_URL}/{found.name}/tree/{name}"},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{url}/branches/{quote(name)}/protection",
    }


def git_commit(made: Commit, found: Repository, api: str) -> JSON:
    """What git itself knows of a commit."""
    url = f"{api}/repos/{found.name}"
    signature = {"name": made.author, "email": made.email, "date": iso(made.at)}
    return {
        "author": signature,
        "committer": signature,
        "message": made.message,
        "tree": {"sha": made.tree, "url": f"{url}/git/trees/{made.tree}"},
        "url": f"{url}/git/commits/{made.sha}",
        "comment_count": 0,
    }


def commit(made: Commit, found: Repository, api: str) -> JSON:
    """A commit."""
    url, page = f"{api}/repos/{found.name}", f"{PUBLIC_URL}/{found.name}"
    return {
        "sha": made.sha,
        "node_id": node_id("Commit", made.sha),
        "commit": git_commit(made, found, api),
        "url": f"{url}/commits/{made.sha}",
        "html_url": f"{page}/commit/{made.sha}",
        "comments_url": f"{url}/commits/{made.sha}/comments",
        "author": None,
        "committer": None,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
            for sha in made.parents
        ],
    }


def changed_file(change: FileChange, found: Repository, head: str) -> JSON:
    """One file of a commit or comparison."""
    entry = found.git.entry(head, change.path)
    page = f"{PUBLIC_URL}/{found.name}"
    return {
        "sha": entry.sha if entry else "0" * 40,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{page}/blob/{head}/{change.path}",
        "raw_url": f"{page}/raw/{head}/{change.path}",
        "patch": change.patch,
    }


def commit_in_full(made: Commit, found: Repository, api: str) -> JSON:
    """A commit with what it changed."""
    changes = found.git.changes(made.parents[0], made.sha) if made.parents else []
    files = [changed_file(change, found, made.sha) for change in changes]
    added, removed = sum(file["additions"] for file in files), sum(file["deletions"] for file in files)
    stats = {"total": added + removed, "additions": added, "deletions": removed}
    return {**commit(made, found, api), "stats": stats, "files": files}


def content(entry: Entry, ref: str, found: Repository, api: str) -> JSON:
    """A file or directory as directory listings show it."""
    url, page = f"{api}/repos/{found.name}", f"{PUBLIC_URL}/{found.name}"
    own = f"{url}/contents/{quote(entry.path)}?ref={quote(ref)}"
    is_file = entry.kind == "blob"
    git_url = f"{url}/git/{'blobs' if is_file else 'trees'}/{entry.sha}"
    html_url = f"{page}/{'blob' if is_file else 'tree'}/{ref}/{entry.path}"
    return {
        "type": "file" if is_file else "dir",
        "size": entry.size,
        "name": entry.path.rpartition("/")[2],
        "path": entry.path,
        "sha": entry.sha,
        "url": own,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": f"{page}/raw/{ref}/{entry.path}" if is_file else None,
        "_links": {"self": own, "git": git_url, "html": html_url},
    }


def file(entry: Entry, data: bytes, ref: str, found: Repository, api: str) -> JSON:
    """A file with its content."""
    encoded = base64.encodebytes(data).decode()
    return {**content(entry, ref, found, api), "encoding": "base64", "content": encoded}


def comparison(found: Repository, base: str, head: str, api: str) -> JSON:
    """How two commits of a repository differ."""
    git: Git = found.git
    common = git.merge_base(base, head)
    start = common or base
    ahead, behind = git.log(f"{start}..{head}"), git.log(f"{start}..{base}")
    status = {(0, 0): "identical", (1, 0): "ahead", (0, 1): "behind"}.get(
        (bool(ahead), bool(behind)), "diverged"
    )
    page = f"{PUBLIC_URL}/{found.name}/compare/{base}...{head}"
    return {
        "url": f"{api}/repos/{found.name}/compare/{base}...{head}",
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": commit(git.commit(base), found, api),
        "merge_base_commit": commit(git.commit(start), found, api),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [commit(made, found, api) for made in reversed(ahead)],
        "files": [changed_file(change, found, head) for change in git.changes(start, head)],
    }
