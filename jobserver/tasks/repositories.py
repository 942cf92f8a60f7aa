"""What GitHub says of repositories: whether they are private or gone, their topics and age.

Spec: domain 3.10, 13.58.

Pages show what is stored here and never ask GitHub themselves.
"""

from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from jobserver import locks, queue
from jobserver.clients.github import GitHubError, RepoFacts, RepositoryMissing
from jobserver.models import Repo, utcnow
from jobserver.queries import repo_checks
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.tasks.retrying import GiveUp

MOST_AT_ONCE = 50
# The topic of repositories from which outputs were published (spec: domain 3.10).
HAS_OUTPUTS = "github-releases"
MISSING = "GitHub knows no such repository, or it is private to us."

log = structlog.get_logger(__name__)


def check_repository(context: Context, *, repo_id: int) -> None:
    """Ask GitHub about the repository, and store the answer, or why there is none.

    What was known stays known while GitHub cannot be asked; the next sweep asks again. Of a repository that
    GitHub does not know, so does what its topics said: whether it has outputs decides who may sign it off.
    """
    with context.transaction() as db:
        repo = db.get(Repo, repo_id)
    if repo is None:
        raise GiveUp(f"there is no repository {repo_id}")
    found: dict[str, Any] = {}
    failure = ""
    try:
        found = _stored(context.clients.github.repo(repo.owner, repo.name))
    except RepositoryMissing:
        found, failure = {"is_private": None}, MISSING
    except GitHubError as error:
        failure = str(error)
    with context.transaction() as db:
        changes = {**found, "checked_at": utcnow(), "check_failure": failure}
        db.execute(update(Repo).where(Repo.id == repo_id).values(changes))
    private = found.get("is_private")
    log.info("repository_checked", repository=repo.url, failure=failure, is_private=private)


def _stored(facts: RepoFacts) -> dict[str, Any]:
    return {
        "is_private": facts.private,
        "topics": sorted(facts.topics),
        "made_on_github_at": facts.made_at,
        "has_github_outputs": HAS_OUTPUTS in facts.topics,
    }


def sweep(context: Context) -> int:
    """Ask for checks of the repositories that were not checked for longest; how many.

    However many workers do this at the same time, each repository is asked about once.
    """
    with context.transaction() as db:
        if not db.scalar(select(func.pg_try_advisory_xact_lock(locks.REPOSITORY_SWEEP))):
            return 0
        return _defer_checks(db)


def _defer_checks(db: Session) -> int:
    due = repo_checks.due(db, utcnow(), MOST_AT_ONCE)
    for repo_id in due:
        queue.defer(db, Task.CHECK_REPOSITORY, repo_id=repo_id)
    return len(due)
