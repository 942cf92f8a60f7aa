"""Reads a study: everything at one commit, side by side, within one time limit."""

import contextvars
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import ParamSpec, TypeVar

import structlog

from jobserver.clients.github import Commit, FileMissing, GitHubClient, GitHubError, RefMissing
from jobserver.clients.github_requests import Latest
from jobserver.clients.opencodelists import CodelistsStatus, OpenCodelistsClient, OpenCodelistsUnavailable
from jobserver.clients.transport import storable
from jobserver.pipeline import Pipeline, PipelineInvalid, parse
from jobserver.studies import trouble
from jobserver.studies.study import Codelists, Place, Study
from jobserver.studies.trouble import DEFINITION, FILES

TIME_LIMIT = 15.0
AT_ONCE = 24
LONGEST_REF = 250
_SHA = re.compile(r"[0-9a-f]{40}")

log = structlog.get_logger("jobserver.studies")
Given = ParamSpec("Given")
Result = TypeVar("Result")


class StudyReader:
    """Reads studies from GitHub and asks OpenCodelists; threads may share it.

    ``limit``: seconds that one reading may take as a whole. Work that takes longer is left to end by the
    clients' own limits.
    """

    def __init__(
        self, github: GitHubClient, opencodelists: OpenCodelistsClient, *, limit: float = TIME_LIMIT
    ) -> None:
        self._github = github
        self._opencodelists = opencodelists
        self._limit = limit
        self._pool = ThreadPoolExecutor(AT_ONCE, "study")
        self._read: Latest[tuple[float, Study]] = Latest(128)

    def read(self, place: Place, ref: str = "") -> Study:
        """The study at a commit, tag or branch, which must be on the place's branch; its head without one.

        Raises :class:`StudyUnreadable`. That OpenCodelists does not answer is no reason to: then it is not
        known whether the codelists are current.
        """
        reading = _Reading(self._pool, self._limit)
        try:
            commit = self._commit(reading, place, ref)
            study = self._at(reading, place, ref, commit)
        except TimeoutError:
            reading.abandon()
            log.warning("study_not_read_in_time", repository=place.repository, ref=ref)
            raise trouble.slow() from None
        self._read.put((place, study.commit.sha), (time.monotonic(), study))
        return study

    def lately(self, place: Place, sha: str, *, seconds: float) -> Study:
        """The study at a full commit id, as it was read up to so many seconds ago, else read now."""
        found = self._read.get((place, sha))
        if found is not None and time.monotonic() - found[0] <= seconds:
            return found[1]
        return self.read(place, sha)

    def _commit(self, reading: "_Reading", place: Place, ref: str) -> Commit:
        if len(ref) > LONGEST_REF:
            raise trouble.ref_missing(place, ref)
        resolve = reading.start(self._github.resolve, place.owner, place.name, ref or f"heads/{place.branch}")
        try:
            commit = reading.result(resolve)
        except GitHubError as error:
            raise trouble.of_github(error, place, ref) from error
        return replace(commit, message=storable(commit.message), author=storable(commit.author))

    def _at(self, reading: "_Reading", place: Place, ref: str, commit: Commit) -> Study:
        where, sha = (place.owner, place.name), commit.sha
        on_branch = reading.start(self._github.branch_contains, *where, place.branch, sha)
        definition = reading.start(self._github.read_file, *where, DEFINITION, sha)
        files = [reading.start(self._github.read_file, *where, path, sha) for path in FILES]
        # It waits for the two files, which the pool has begun before it: it never waits for its own place.
        codelists = reading.start(self._codelists, place, sha, files)
        try:
            self._check_branch(reading, place, sha, on_branch)
            text = reading.result(definition)
            pipeline = _pipeline(text, sha, place)
            return Study(commit, text, pipeline, _in_time(reading, codelists, files))
        except GitHubError as error:
            raise trouble.of_github(error, place, ref or sha, sha) from error

    def _check_branch(self, reading: "_Reading", place: Place, sha: str, on_branch: Future[bool]) -> None:
        try:
            if not reading.result(on_branch):
                raise trouble.not_on_branch(place, sha)
        except RefMissing as error:
            raise trouble.branch_missing(place) from error

    def _codelists(self, place: Place, sha: str, files: list[Future[str]]) -> Codelists:
        try:
            lists, manifest = [file.result() for file in files]
        except FileMissing:
            if self._github.exists(place.owner, place.name, "codelists", sha):
                raise trouble.codelists_missing(sha) from None
            return Codelists.CURRENT
        try:
            status = self._opencodelists.check(lists, manifest)
        except OpenCodelistsUnavailable as error:
            log.warning("codelists_not_checked", reason=error.reason, repository=place.repository)
            return Codelists.UNKNOWN
        return Codelists.CURRENT if status is CodelistsStatus.OK else Codelists.STALE


class _Reading:
    """One reading: work that is under way in threads, and the moment by which it must be done."""

    def __init__(self, pool: ThreadPoolExecutor, limit: float) -> None:
        self._pool = pool
        self._until = time.monotonic() + limit
        self._started: list[Future[object]] = []

    def start(
        self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Future[Result]:
        """Begin it in another thread, with this request's id on its log lines."""
        context = contextvars.copy_context()
        future = self._pool.submit(lambda: context.run(work, *args, **kwargs))
        self._started.append(future)  # type: ignore[arg-type]
        return future

    def result(self, future: Future[Result]) -> Result:
        """What came of it, or what it raised; ``TimeoutError`` when the time is over."""
        return future.result(timeout=max(0.0, self._until - time.monotonic()))

    def abandon(self) -> None:
        """Begin nothing more."""
        for future in self._started:
            future.cancel()


def _in_time(reading: _Reading, codelists: Future[Codelists], files: list[Future[str]]) -> Codelists:
    """The answer about codelists; unknown if only OpenCodelists is what keeps us waiting."""
    try:
        return reading.result(codelists)
    except TimeoutError:
        if all(file.done() for file in files):
            return Codelists.UNKNOWN
        raise


@lru_cache(maxsize=64)
def _parsed(text: str) -> Pipeline | PipelineInvalid:
    """The rules take time to check, and the same commit always has the same text."""
    try:
        return parse(text)
    except PipelineInvalid as invalid:
        return invalid


def _pipeline(text: str, sha: str, place: Place) -> Pipeline:
    found = _parsed(text)
    if isinstance(found, PipelineInvalid):
        raise trouble.definition_invalid(sha, found.faults)
    refused = found.refused_images(place.sqlrunner_permitted)
    if refused:
        raise trouble.image_refused(sha, refused)
    return found


def is_full(sha: str) -> bool:
    """Whether it is a full commit id."""
    return _SHA.fullmatch(sha) is not None
