"""What GitHub says of repositories: whether they are private, or gone (spec: domain 3.10).

Pages show what is stored here and never ask GitHub themselves.
"""

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.clients.github import GitHubError, RepositoryMissing
from jobserver.models import Repo, utcnow
from jobserver.queries import repo_checks
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.tasks.retrying import GiveUp

MOST_AT_ONCE = 50
MISSING = "GitHub knows no such repository, or it is private to us."
# Whoever holds it puts repositories on the list; the other workers leave it to them.
_SWEEP_LOCK = 7_301_217

log = structlog.get_logger(__name__)


def check_repository(context: Context, *, repo_id: int) -> None:
    """Ask GitHub whether the repository is private, and store the answer, or why there is none.

    What was known stays known while GitHub cannot be asked; the next sweep asks again.
    """
    with context.transaction() as db:
        repo = db.get(Repo, repo_id)
    if repo is None:
        raise GiveUp(f"there is no repository {repo_id}")
    found: dict[str, bool | None] = {}
    failure = ""
    try:
        found = {"is_private": context.clients.github.repo(repo.owner, repo.name).private}
    except RepositoryMissing:
        found, failure = {"is_private": None}, MISSING
    except GitHubError as error:
        failure = str(error)
    with context.transaction() as db:
        changes = {**found, "checked_at": utcnow(), "check_failure": failure}
        db.execute(update(Repo).where(Repo.id == repo_id).values(changes))
    log.info("repository_checked", repository=repo.url, failure=failure, **found)


def sweep(context: Context) -> int:
    """Ask for checks of the repositories that were not checked for longest; how many.

    However many workers do this at the same time, each repository is asked about once.
    """
    with context.transaction() as db:
        if not db.scalar(select(func.pg_try_advisory_xact_lock(_SWEEP_LOCK))):
            return 0
        return _defer_checks(db)


def _defer_checks(db: Session) -> int:
    due = repo_checks.due(db, utcnow(), MOST_AT_ONCE)
    for repo_id in due:
        queue.defer(db, Task.CHECK_REPOSITORY, repo_id=repo_id)
    return len(due)
