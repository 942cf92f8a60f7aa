"""The issue of a release request on GitHub: made, commented on, labelled and closed as its events say.

Each step records what it did before the next one begins. A step that was cut off after GitHub had taken it
is found there again by its title or marker, so that nothing is written twice. Spec: airlock 8.5, 12.43 to 45.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import structlog
from sqlalchemy import update

from jobserver import locks
from jobserver.clients.github import (
    GitHubError,
    GitHubUnauthorised,
    GitHubUnavailable,
    IssueMissing,
    RateLimited,
    RepositoryIssues,
    RepositoryMissing,
)
from jobserver.clients.github_issues import Issue
from jobserver.models import ReleaseRequest, ReleaseRequestEvent, utcnow
from jobserver.queries import release_request_telling
from jobserver.queries.release_request_telling import Event
from jobserver.queries.release_requests import PENDING_REVIEW, STATUS_LABELS, IssueStep
from jobserver.rap.context import Context
from jobserver.tasks import airlock_words
from jobserver.tasks.retrying import GiveUp, NotYet

log = structlog.get_logger(__name__)

# GitHub's clock and ours may differ by as much.
SKEW = timedelta(minutes=10)


def tell_github(context: Context, *, event_id: int) -> None:
    """Have the event shown on GitHub, once."""
    with context.alone(locks.RELEASE_REQUEST_ISSUE, event_id) as alone:
        if not alone:
            raise NotYet("another worker is telling GitHub of this event")
        event = load(context, event_id)
        if event.issue_at is not None:
            log.info("release_request_issue_done_before", release_request=event.request_id, event_id=event.id)
            return
        with _failures(context, event):
            _tell(context, event)
    log.info("release_request_issue_done", release_request=event.request_id, event_type=event.type)


def load(context: Context, event_id: int) -> Event:
    """The event as it stands now."""
    with context.transaction() as db:
        found = release_request_telling.event(db, event_id, context.settings)
    if found is None:
        raise GiveUp(f"there is no event {event_id} of a release request")
    return found


def record(context: Context, event_id: int, **values: Any) -> None:
    """Note what was told of an event."""
    with context.transaction() as db:
        db.execute(update(ReleaseRequestEvent).where(ReleaseRequestEvent.id == event_id).values(values))


@contextmanager
def _failures(context: Context, event: Event) -> Iterator[None]:
    """Every failure is one to try again after; those that an operator has to mend are said aloud."""
    try:
        yield
    except RateLimited as error:
        raise NotYet(str(error), until=error.reset_at) from error
    except IssueMissing as error:
        log.warning("release_request_issue_missing", release_request=event.request_id, reason=str(error))
        _record_request(context, event, issue_number=None, issue_url="", issue_repo="")
        raise NotYet(str(error), until=utcnow()) from error
    except GitHubUnavailable as error:
        raise NotYet(f"{error} ({error.reason})") from error
    except GitHubError as error:
        if isinstance(error, GitHubUnauthorised | RepositoryMissing):
            repository = event.checking_repo
            log.exception("output_checking_repository_unusable", repository=repository, reason=str(error))
        raise NotYet(str(error)) from error


def _tell(context: Context, event: Event) -> None:
    owner, _, name = event.checking_repo.partition("/")
    issues = context.clients.github.issues(owner, name)
    number = event.issue_number or _make_sure_of_issue(context, event, issues)
    if event.step.issue is not IssueStep.CREATE:
        _comment(context, event, issues, number)
        _label(event, issues, number)
    record(context, event.id, issue_at=utcnow())


def _make_sure_of_issue(context: Context, event: Event, issues: RepositoryIssues) -> int:
    title = airlock_words.title(event)
    found: Issue | None = None
    if event.issue_asked_at is not None:
        found = issues.find(title, event.issue_asked_at - SKEW)
    elif event.step.issue is not IssueStep.CREATE:
        # Its beginnings may be older than what we know.
        found = issues.search(event.request_id, title)
    if found is None:
        labels = _labels_of_new(event, issues.labels())
        if event.issue_asked_at is None:
            _record_request(context, event, issue_asked_at=utcnow())
        body = airlock_words.issue_body(event, context.settings.base_url)
        found = issues.create(title, body, labels)
    _record_request(
        context,
        event,
        issue_number=found.number,
        issue_url=found.url,
        issue_repo=event.checking_repo,
    )
    return found.number


def _labels_of_new(event: Event, known: frozenset[str]) -> list[str]:
    """Whose request it is and where it stands, as far as the repository has these labels."""
    missing = [each for each in STATUS_LABELS if each not in known]
    if missing and _may_complain(event.checking_repo, utcnow().date()):
        log.error("output_checking_labels_missing", repository=event.checking_repo, labels=missing)
    whose = "internal" if event.author.is_internal else "external"
    status = event.step.label if event.step.issue is IssueStep.UPDATE else PENDING_REVIEW
    return [each for each in (whose, status) if each in known]


_complaints: dict[str, date] = {}
_complaining = threading.Lock()


def _may_complain(repository: str, today: date) -> bool:
    """Once a day for each repository (spec: airlock 12.51)."""
    with _complaining:
        if _complaints.get(repository) == today:
            return False
        _complaints[repository] = today
        return True


def _comment(context: Context, event: Event, issues: RepositoryIssues, number: int) -> None:
    if event.comment_url:
        return
    url: str | None = None
    if event.comment_asked_at is not None:
        url = issues.find_comment(number, airlock_words.marker(event), event.comment_asked_at - SKEW)
    else:
        record(context, event.id, comment_asked_at=utcnow())
    record(context, event.id, comment_url=url or issues.comment(number, airlock_words.comment(event)))


def _label(event: Event, issues: RepositoryIssues, number: int) -> None:
    """Only the event's status label stays beside the labels that others gave; the last one closes it."""
    present = issues.labels_of(number)
    wanted = [each for each in present if each not in STATUS_LABELS]
    wanted += [event.step.label] if event.step.label else []
    closes = event.step.issue is IssueStep.CLOSE
    if closes or set(wanted) != set(present):
        issues.change(number, wanted, close=closes)


def _record_request(context: Context, event: Event, **values: Any) -> None:
    with context.transaction() as db:
        db.execute(update(ReleaseRequest).where(ReleaseRequest.id == event.request_id).values(values))
