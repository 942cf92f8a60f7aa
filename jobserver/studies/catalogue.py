"""The repositories that new workspaces can be made for, as GitHub lists them, remembered for a while.

An organisation at GitHub may have hundreds of repositories, so what it answered is kept for some minutes.
Older answers are still given, while a new one is fetched behind the reader's back.
"""

import contextvars
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import structlog

from jobserver.clients.github import GitHubClient, GitHubError, Repository

# Seconds: how long one look may take as a whole; until an answer is asked for anew behind the reader's
# back; until it is too old to be given at all; and how old it may be for somebody who misses something.
TIME_LIMIT = 10.0
FRESH = 300.0
OLDEST = 3600.0
JUST_NOW = 10.0
AT_ONCE = 8
NOT_RESEARCH = "non-research"

_URL = re.compile(r"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+)")

log = structlog.get_logger("jobserver.studies")


@dataclass(frozen=True)
class Listed:
    """A repository that can be chosen, with its branches."""

    url: str
    owner: str
    name: str
    branches: tuple[str, ...]

    @property
    def usual_branch(self) -> str:
        """The branch that most people want: main, else master, else the only one; empty if it is open."""
        likely = [branch for branch in ("main", "master") if branch in self.branches]
        only = self.branches if len(self.branches) == 1 else ()
        return next(iter((*likely, *only)), "")


@dataclass(frozen=True)
class Offer:
    """What can be chosen. ``failures`` are sentences, by the GitHub organisation that could not be listed."""

    repositories: Sequence[Listed]
    failures: dict[str, str]

    def find(self, url: str) -> Listed | None:
        """The repository at this address, if it can be chosen."""
        wanted = url.lower()
        return next((each for each in self.repositories if each.url.lower() == wanted), None)

    def has(self, url: str, branch: str) -> bool:
        """Whether this branch of this repository can be chosen."""
        found = self.find(url)
        return found is not None and branch in found.branches


@dataclass(frozen=True)
class _Answer:
    at: float
    repositories: tuple[Listed, ...]


class Catalogue:
    """Asks GitHub what organisations have; threads share it, and with it what is being asked.

    ``clock`` tells seconds. What takes longer than ``limit`` goes on, and is there for the next reader.
    """

    def __init__(
        self, github: GitHubClient, *, limit: float = TIME_LIMIT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._github = github
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}
        self._asking: dict[str, Future[_Answer]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "catalogue")

    def offer(self, organisations: Iterable[str], *, anew: bool = False) -> Offer:
        """The repositories of these organisations by name, without those that are not for research.

        One that cannot be listed does not hide the others. ``anew``: only what GitHub said just now will do;
        older answers are given if it says nothing.
        """
        wanted = {org.lower(): org for org in organisations}
        kept: dict[str, _Answer] = {}
        pending: dict[str, Future[_Answer]] = {}
        for key, org in wanted.items():
            answer = self._answer(key)
            age = self._clock() - answer.at if answer else OLDEST
            if answer and age < OLDEST:
                kept[key] = answer
            if age >= (JUST_NOW if anew else FRESH):
                future = self._ask(key, org)
                if anew or key not in kept:
                    pending[key] = future
        failures = self._await(pending, wanted, kept)
        found = [each for answer in kept.values() for each in answer.repositories]
        return Offer(sorted(found, key=lambda each: (each.name.lower(), each.owner.lower())), failures)

    def _await(
        self, pending: dict[str, Future[_Answer]], wanted: dict[str, str], kept: dict[str, _Answer]
    ) -> dict[str, str]:
        """Add what comes in time to ``kept``; why the rest is missing, in a sentence each."""
        wait(pending.values(), timeout=self._limit)
        failures = {}
        for key, future in pending.items():
            try:
                kept[key] = future.result(timeout=0)
            except GitHubError as error:
                failures[wanted[key]] = str(error)
            except TimeoutError:
                failures[wanted[key]] = "GitHub did not answer in time. Try again in a few minutes."
        return failures

    def _answer(self, key: str) -> _Answer | None:
        with self._lock:
            return self._answers.get(key)

    def _ask(self, key: str, org: str) -> Future[_Answer]:
        """The answer that is on its way already, else a new one."""
        with self._lock:
            future = self._asking.get(key)
            if future is None:
                context = contextvars.copy_context()
                future = self._pool.submit(context.run, self._fetch, key, org)
                self._asking[key] = future
            return future

    def _fetch(self, key: str, org: str) -> _Answer:
        try:
            listed = tuple(filter(None, map(_listed, self._github.repositories(org))))
            answer = _Answer(self._clock(), listed)
        except GitHubError as error:
            log.warning("repositories_not_listed", organisation=org, reason=str(error))
            raise
        else:
            with self._lock:
                self._answers[key] = answer
            return answer
        finally:
            with self._lock:
                self._asking.pop(key, None)


def owner_in(url: str) -> str:
    """The GitHub organisation in a repository's address, in lower case; empty if it is no such address."""
    match = _URL.fullmatch(url)
    return match[1].lower() if match else ""


def _listed(repository: Repository) -> Listed | None:
    """The repository if it is for research and has an address that a workspace can keep."""
    match = _URL.fullmatch(repository.url) if isinstance(repository.url, str) else None
    if match is None or NOT_RESEARCH in repository.topics:
        return None
    branches = tuple(sorted({name for name in repository.branches if _is_usable(name)}, key=str.lower))
    return Listed(repository.url, match[1], match[2], branches)


def _is_usable(branch: object) -> bool:
    return isinstance(branch, str) and branch.strip() == branch != "" and branch.isprintable()
