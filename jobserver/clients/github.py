"""GitHub: commits, files and facts about repositories, read with the service's own token.

What is at a full commit id never changes, so it is remembered; what a branch points at is asked anew.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import requests
from github import BadAttributeException, GithubException
from github.ContentFile import ContentFile
from github.Repository import Repository as PyGithubRepository
from github.Requester import Requester

from jobserver.clients import transport
from jobserver.clients.github_errors import (
    FileMissing,
    FileUnusable,
    GitHubError,
    GitHubUnauthorised,
    GitHubUnavailable,
    OrganisationMissing,
    RateLimited,
    RefMissing,
    RepositoryMissing,
    translated,
)
from jobserver.clients.github_issues import IssueMissing, IssueRefused, RepositoryIssues
from jobserver.clients.github_organisation import (
    Branches,
    Repository,
    organisation_repositories,
    repository_branches,
)
from jobserver.clients.github_requests import Latest, new_requester, requester_class
from jobserver.clients.transport import Limits
from jobserver.settings import Settings

__all__ = [
    "Branches",
    "Commit",
    "FileMissing",
    "FileUnusable",
    "GitHubClient",
    "GitHubError",
    "GitHubUnauthorised",
    "GitHubUnavailable",
    "IssueMissing",
    "IssueRefused",
    "OrganisationMissing",
    "RateLimited",
    "RefMissing",
    "RepoFacts",
    "Repository",
    "RepositoryIssues",
    "RepositoryMissing",
]

LIMITS = Limits(connect=5, read=10, size=16 * transport.MEGABYTE)
LARGEST_FILE = 1_000_000
TOO_LARGE = "it is larger than 100 MB"

_ODD_SHAPE = (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

_SHA = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]+")
# What git allows in no name (git check-ref-format), among it what would lead out of its place in the URL.
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[/-]|^@$|(^|/)\.|(\.lock|[/.])$|^$")


@dataclass(frozen=True)
class Commit:
    """A commit: its full id of 40 digits, its message, the author's name and the (aware) time of writing."""

    sha: str
    message: str
    author: str
    date: datetime


@dataclass(frozen=True)
class RepoFacts:
    """What GitHub says of one repository."""

    private: bool
    topics: tuple[str, ...]
    default_branch: str
    made_at: datetime | None = None


class GitHubClient:
    """Reads from one GitHub with one token (or anonymously, without). Threads may share it.

    Every method raises :class:`RateLimited`, :class:`GitHubUnauthorised` or :class:`GitHubUnavailable`
    besides what it names.
    """

    def __init__(self, api_url: str, token: str, *, limits: Limits = LIMITS) -> None:
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._requester_class = requester_class(transport.limited_session(limits))
        self._commits: Latest[Commit] = Latest(1024)
        self._files: Latest[str] = Latest(64)
        self._paths: Latest[bool] = Latest(1024)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The GitHub that the settings name."""
        return cls(settings.github_api_url, settings.jobserver_github_token)

    def resolve(self, owner: str, name: str, ref: str) -> Commit:
        """The commit that a branch, tag or (full or short) commit id stands for.

        A commit that only a fork has is found too: see :meth:`branch_contains`.
        Raises :class:`RepositoryMissing` or :class:`RefMissing`.
        """
        if _NO_REF.search(ref):
            raise RefMissing(owner, name, ref)
        known = self._commits.get((owner.lower(), name.lower(), ref))
        if known is not None:
            return known
        with self._asking(RefMissing(owner, name, ref), owner, name):
            found = self._repository(owner, name).get_commit(ref, commit_files_per_page=1)
            author = found.commit.author
            commit = Commit(found.sha, found.commit.message, author.name, author.date)
            if not _SHA.fullmatch(commit.sha) or (_SHA.fullmatch(ref) and commit.sha != ref):
                raise GitHubUnavailable("the answer is not the commit asked for")
        self._commits.put((owner.lower(), name.lower(), commit.sha), commit)
        return commit

    def branch_contains(self, owner: str, name: str, branch: str, sha: str) -> bool:
        """Whether the commit is the branch's newest or one before it.

        Raises :class:`RepositoryMissing`, or :class:`RefMissing` if there is no such branch.
        """
        _full(sha)
        missing = RefMissing(owner, name, branch)
        if _NO_REF.search(branch):
            raise missing
        with self._asking(missing, owner, name):
            repository = self._repository(owner, name)
            found = repository.get_branch(branch)
            if not isinstance(found.name, str) or not _SHA.fullmatch(found.commit.sha):
                raise GitHubUnavailable("the answer does not describe a branch")
            # A renamed branch redirects to its new name, which is not the branch asked for.
            if found.name != branch:
                raise missing
            head = found.commit.sha
        if head == sha:
            return True
        try:
            with self._asking(RefMissing(owner, name, sha)):
                comparison = repository.compare(head, sha, comparison_commits_per_page=1)
                return comparison.status in {"behind", "identical"}
        except RefMissing:
            return False

    def read_file(self, owner: str, name: str, path: str, sha: str) -> str:
        """The text of a file at a full commit id.

        Raises :class:`RepositoryMissing`, :class:`RefMissing`, :class:`FileMissing`, or
        :class:`FileUnusable` if it is larger than 1 MB, not UTF-8, or not a file.
        """
        key = (owner.lower(), name.lower(), path, _full(sha))
        text = self._files.get(key)
        if text is None:
            found = self._contents(owner, name, path, sha)
            with self._asking(FileMissing(path, sha)):
                text = _text(found, path, sha)
            self._files.put(key, text)
        return text

    def exists(self, owner: str, name: str, path: str, sha: str) -> bool:
        """Whether there is a file or directory at a full commit id.

        Raises :class:`RepositoryMissing` or :class:`RefMissing`.
        """
        key = (owner.lower(), name.lower(), path, _full(sha))
        if self._paths.get(key) or self._files.get(key) is not None:
            return True
        try:
            self._contents(owner, name, path, sha)
        except FileMissing:
            return False
        self._paths.put(key, True)
        return True

    def repo(self, owner: str, name: str) -> RepoFacts:
        """The facts about a repository as they are now. Raises :class:`RepositoryMissing`."""
        with self._asking(RepositoryMissing(owner, name)):
            found = self._repository(owner, name)
            facts = RepoFacts(
                found.private, tuple(found.topics or ()), found.default_branch, found.created_at or None
            )
            if not isinstance(facts.private, bool) or not isinstance(facts.default_branch, str):
                raise GitHubUnavailable("the answer does not describe a repository")
        return facts

    def repositories(self, org: str) -> tuple[Repository, ...]:
        """All repositories of an organisation by name, with all their branches. Needs a token.

        Raises :class:`OrganisationMissing`.
        """
        with self._asking(OrganisationMissing(org)):
            return tuple(organisation_repositories(self._requester(), org))

    def branches(self, owner: str, name: str) -> Branches:
        """All branches of a repository as they are now. Needs a token. Raises :class:`RepositoryMissing`."""
        with self._asking(RepositoryMissing(owner, name)):
            return repository_branches(self._requester(), owner, name)

    def issues(self, owner: str, name: str) -> RepositoryIssues:
        """The issues of a repository, which may be written with a token only."""
        return RepositoryIssues(
            owner,
            name,
            lambda: self._repository(owner, name),
            self._asking,
            may_write=bool(self._token),
        )

    def _contents(self, owner: str, name: str, path: str, sha: str) -> ContentFile | list[ContentFile]:
        if not path or set(path.split("/")) & {"", ".", ".."}:
            raise FileMissing(path, sha)
        try:
            with self._asking(FileMissing(path, sha), too_large=FileUnusable(path, sha, TOO_LARGE)):
                found = self._repository(owner, name).get_contents(path, ref=sha)
                if not isinstance(found, list) and not isinstance(found.type, str):
                    raise GitHubUnavailable("the answer does not describe a file")
                return found
        except FileMissing:
            # It may also be that the commit or the repository is not there, which these then say.
            self.resolve(owner, name, sha)
            raise

    def _requester(self) -> Requester:
        return new_requester(self._requester_class, self._api_url, self._token)

    def _repository(self, owner: str, name: str) -> PyGithubRepository:
        if not _NAME.fullmatch(owner) or not _NAME.fullmatch(name):
            raise RepositoryMissing(owner, name)
        return PyGithubRepository(self._requester(), url=f"/repos/{owner}/{name}")

    @contextmanager
    def _asking(
        self,
        missing: GitHubError,
        owner: str = "",
        name: str = "",
        too_large: GitHubError | None = None,
    ) -> Iterator[None]:
        """Turn what PyGithub raises into our errors; given a repository, look for it first."""
        if not transport.fits_header(self._token):
            raise GitHubUnauthorised
        try:
            yield
        except GitHubError:
            raise
        except GithubException as error:
            ours = translated(error, missing, too_large)
            if ours is missing and owner:
                self.repo(owner, name)
            raise ours from error
        except (requests.RequestException, OSError) as error:
            raise GitHubUnavailable(transport.short_reason(error)) from error
        except (BadAttributeException, *_ODD_SHAPE) as error:
            # PyGithub, and the lines above that read what it returns, trip over answers of another shape.
            raise GitHubUnavailable(f"the answer has an unknown shape ({type(error).__name__})") from error


def _full(sha: str) -> str:
    if not _SHA.fullmatch(sha):
        raise ValueError(f"{sha!r} is not a full commit id; resolve it first")
    return sha


def _text(found: ContentFile | list[ContentFile], path: str, sha: str) -> str:
    if isinstance(found, list) or found.type != "file":
        raise FileUnusable(path, sha, "it is not a file")
    # GitHub leaves out what is larger than its own limit of about the same size.
    if found.size > LARGEST_FILE or found.encoding != "base64":
        raise FileUnusable(path, sha, f"it has {found.size / 1_000_000:,.1f} MB, which is larger than 1 MB")
    content = found.decoded_content
    if len(content) != found.size:
        raise GitHubUnavailable("the answer does not hold the whole file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileUnusable(path, sha, "it is not UTF-8 text") from error
