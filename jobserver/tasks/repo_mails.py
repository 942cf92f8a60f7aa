"""Mails about repositories that a researcher has signed off (spec: pages 25, operations 4.2)."""

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from jobserver.clients.mail import Message
from jobserver.models import Repo, User
from jobserver.queries.sign_off import project_numbers
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp

log = structlog.get_logger(__name__)


def mail_repo_signed_off(context: Context, *, repo_id: int, user_id: int) -> None:
    """Tell somebody who made a workspace of the repository."""
    with context.transaction() as db:
        repo, signer = signed_off(db, repo_id)
        maker = db.get(User, user_id)
    if maker is None or not maker.email or maker.disabled_at is not None:
        log.info("user_not_notified", user_id=user_id, reason="no email address, or disabled")
        return
    settings = context.settings
    sending.mail(context, to_researcher(maker, repo, signer, settings.publications_email, settings.base_url))
    log.info("repo_sign_off_told", repository=repo.url, user_id=user_id)


def mail_repo_with_outputs(context: Context, *, repo_id: int) -> None:
    """Tell the publications team of a repository that has outputs on GitHub."""
    with context.transaction() as db:
        repo, signer = signed_off(db, repo_id)
        numbers = project_numbers(db, repo_id)
    settings = context.settings
    sending.mail(
        context, to_publications(settings.publications_email, repo, signer, numbers, settings.base_url)
    )
    log.info("repo_with_outputs_told", repository=repo.url)


def signed_off(db: Session, repo_id: int) -> tuple[Repo, User]:
    """The repository, and the researcher who signed it off; :class:`GiveUp` if nobody has."""
    repo = db.get(Repo, repo_id)
    signer = db.get(User, repo.researcher_signed_off_by_id or 0) if repo else None
    if repo is None or signer is None:
        raise GiveUp(f"no researcher has signed off a repository {repo_id}")
    return repo, signer


def to_researcher(maker: User, repo: Repo, signer: User, publications: str, base_url: str) -> Message:
    """The mail to somebody who made a workspace of it. ``publications``: whom to write to if it is wrong."""
    return letters.write(
        "repo_signed_off",
        to=maker.email or "",
        subject=f"{repo.name} was signed off by {signer.fullname}",
        hello=maker.fullname,
        repo=f"{repo.owner}/{repo.name}",
        signer=signer.fullname,
        is_signer=maker.username == signer.username,
        publications=publications,
        url=link(base_url, "repo", repo.owner, repo.name),
    )


def to_publications(to: str, repo: Repo, signer: User, numbers: Sequence[str], base_url: str) -> Message:
    """The mail to the publications team."""
    return letters.write(
        "repo_with_outputs",
        to=to,
        subject=f"[{','.join(numbers) or 'X'}] {repo.name} has outputs on GitHub and awaits your sign-off",
        repo=f"{repo.owner}/{repo.name}",
        signer=signer.fullname,
        url=link(base_url, "staff", "repos", repo.owner, repo.name),
    )
