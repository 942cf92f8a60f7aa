"""Issues of one repository on GitHub: those in which output checkers follow release requests.

Spec: airlock 8.5, operations 4.4.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from github import GithubException
from github.Issue import Issue as PyGithubIssue
from github.PaginatedList import PaginatedList
from github.Repository import Repository

from jobserver.clients.github_errors import (
    GitHubError,
    GitHubUnauthorised,
    GitHubUnavailable,
    RepositoryMissing,
)

LONGEST_BODY = 65_536
LONGEST_TITLE = 256
_LONGEST_REASON = 300

Asking = Callable[[GitHubError, str, str], AbstractContextManager[None]]


class IssueMissing(GitHubError):
    """The repository has no such issue; it was deleted or moved."""

    def __init__(self, owner: str, name: str, number: int) -> None:
        super().__init__(f"The repository {owner}/{name} has no issue {number}.")


class IssueRefused(GitHubError):
    """GitHub refuses what was written; the text has its words."""

    def __init__(self, status: int | None, words: str) -> None:
        super().__init__(f"GitHub refused it with status {status}: {words}")


@dataclass(frozen=True)
class Issue:
    """An issue, open or closed: its number, the address of its page, its title."""

    number: int
    url: str
    title: str


class RepositoryIssues:
    """The issues of one repository. Made by :meth:`jobserver.clients.github.GitHubClient.issues`.

    Every method raises :class:`RepositoryMissing`, and :class:`RateLimited`, :class:`GitHubUnauthorised` or
    :class:`GitHubUnavailable`; those that write also :class:`IssueRefused`, and :class:`GitHubUnauthorised`
    if there is no token.
    """

    def __init__(
        self, owner: str, name: str, repository: Callable[[], Repository], asking: Asking, *, may_write: bool
    ) -> None:
        self._owner = owner
        self._name = name
        self._repository = repository
        self._asking = asking
        self._may_write = may_write

    def labels(self) -> frozenset[str]:
        """The labels that the repository has, every page of them."""
        with self._reading():
            return frozenset(each.name for each in self._repository().get_labels())

    def find(self, title: str, since: datetime) -> Issue | None:
        """The newest issue with this title among those made or changed since then."""
        with self._reading():
            found = self._repository().get_issues(state="all", sort="created", direction="desc", since=since)
            return next((_issue(each) for each in found if each.title == title), None)

    def search(self, words: str, title: str) -> Issue | None:
        """The newest issue with this title that GitHub's search finds for the words.

        The search is a little behind: an issue made a moment ago is found by :meth:`find` only.
        """
        quoted = words.replace('"', " ").replace("\\", " ")
        query = f'repo:{self._owner}/{self._name} is:issue in:title "{quoted}"'
        with self._reading():
            found: PaginatedList[PyGithubIssue] = PaginatedList(
                PyGithubIssue,
                self._repository().requester,
                "/search/issues",
                {"q": query, "sort": "created", "order": "desc"},
            )
            return next((_issue(each) for each in found if each.title == title), None)

    def create(self, title: str, body: str, labels: Iterable[str]) -> Issue:
        """A new issue."""
        with self._writing():
            return _issue(self._repository().create_issue(title, body=body, labels=list(labels)))

    def comment(self, number: int, body: str) -> str:
        """Write a comment; the address of it. Raises :class:`IssueMissing`."""
        with self._writing(number):
            return _address(self._repository().get_issue(number).create_comment(body).html_url)

    def find_comment(self, number: int, marker: str, since: datetime) -> str | None:
        """The address of the comment that has the marker in it, written since then.

        Raises :class:`IssueMissing`.
        """
        with self._reading(number):
            found = self._repository().get_issue(number).get_comments(since=since)
            return next((_address(each.html_url) for each in found if marker in (each.body or "")), None)

    def labels_of(self, number: int) -> list[str]:
        """The labels of an issue. Raises :class:`IssueMissing`."""
        with self._reading(number):
            return [each.name for each in self._repository().get_issue(number).get_labels()]

    def change(self, number: int, labels: Iterable[str], *, close: bool = False) -> None:
        """Give the issue exactly these labels, and close it if wanted. Raises :class:`IssueMissing`."""
        with self._writing(number):
            issue = self._repository().get_issue(number)
            if close:
                issue.edit(labels=list(labels), state="closed")
            else:
                issue.edit(labels=list(labels))

    @contextmanager
    def _reading(self, number: int | None = None) -> Iterator[None]:
        if number is None:
            missing: GitHubError = RepositoryMissing(self._owner, self._name)
            with self._asking(missing, "", ""):
                yield
        else:
            # A repository that is not there either is told apart from an issue that is not.
            missing = IssueMissing(self._owner, self._name, number)
            with self._asking(missing, self._owner, self._name):
                yield

    @contextmanager
    def _writing(self, number: int | None = None) -> Iterator[None]:
        if not self._may_write:
            raise GitHubUnauthorised
        with self._reading(number):
            try:
                yield
            except GithubException as error:
                if error.status in {409, 422}:
                    raise IssueRefused(error.status, _words(error)) from error
                raise


def _issue(found: PyGithubIssue) -> Issue:
    if not isinstance(found.number, int) or not isinstance(found.title, str):
        raise GitHubUnavailable("the answer does not describe an issue")
    return Issue(found.number, _address(found.html_url), found.title)


def _address(url: object) -> str:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise GitHubUnavailable("the answer has no address")
    return url


def _words(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    words = " ".join(str(each) for each in (data.get("message"), data.get("errors")) if each)
    return words[:_LONGEST_REASON] or "no reason given"
