"""Asking on GitHub for a repository that staff have signed off to be made public (spec: staff 10.3, 16)."""

from datetime import timedelta

import structlog

from jobserver import locks
from jobserver.clients.github import GitHubError, GitHubUnavailable, RateLimited
from jobserver.models import Repo, User
from jobserver.rap.context import Context
from jobserver.tasks.airlock_words import markdown
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp, NotYet

log = structlog.get_logger(__name__)

# GitHub's clock and ours may differ by as much.
SKEW = timedelta(minutes=10)


def ask_to_make_public(context: Context, *, repo_id: int) -> None:
    """Open the issue, unless a try that was cut off has done so."""
    with context.alone(locks.REPO_SIGN_OFF_ISSUE, repo_id) as alone:
        if not alone:
            raise NotYet("another worker is opening this issue")
        with context.transaction() as db:
            repo = db.get(Repo, repo_id)
            by_id = repo.internal_signed_off_by_id if repo else None
            by = db.get(User, by_id) if by_id else None
        if repo is None or by is None:
            raise GiveUp(f"there is no signed-off repository {repo_id}")
        try:
            _open(context, repo, by)
        except RateLimited as error:
            raise NotYet(str(error), until=error.reset_at) from error
        except GitHubUnavailable as error:
            raise NotYet(f"{error} ({error.reason})") from error
        except GitHubError as error:
            raise NotYet(str(error)) from error


def title_of(repo: Repo) -> str:
    """The issue's title, by which it is found."""
    return f"Switch {repo.owner}/{repo.name} to public"


def _open(context: Context, repo: Repo, by: User) -> None:
    settings = context.settings
    issues = context.clients.github.issues(settings.tech_support_github_org, settings.tech_support_repo)
    title, since = title_of(repo), repo.internal_signed_off_at
    found = issues.find(title, since - SKEW) if since else None
    if found is None:
        found = issues.create(title, _body(repo, by, settings.base_url), [])
    log.info("repository_to_be_public", repository=repo.url, issue=found.url)


def _body(repo: Repo, by: User, base_url: str) -> str:
    staff_page = link(base_url, "staff", "repos", repo.owner, repo.name)
    return "\n".join(
        [
            f"Please make [{markdown(repo.owner)}/{markdown(repo.name)}]({repo.url}) public.",
            "",
            f"- Checked and approved by: {markdown(by.fullname)} (`@{by.username}`)",
            f"- What Job server knows of it: [staff page]({staff_page})",
            "",
            f"An owner of `{repo.owner}` has to do this in [its settings]({repo.url}/settings).",
            "Close this issue when it is done.",
        ]
    )
