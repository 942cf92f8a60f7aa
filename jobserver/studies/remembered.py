"""What GitHub answered, remembered for a while, so that pages need not wait for it.

Older answers are still given, while a new one is fetched behind the reader's back.
"""

import contextvars
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from jobserver.clients.github import GitHubError
from jobserver.clients.github_requests import Latest

# Seconds: how long one look may take as a whole; until an answer is asked for anew behind the reader's
# back; until it is too old to be given at all; and how old it may be for somebody who misses something.
TIME_LIMIT = 10.0
FRESH = 300.0
OLDEST = 3600.0
JUST_NOW = 10.0
AT_ONCE = 8
MOST_ANSWERS = 1024

Value = TypeVar("Value")

log = structlog.get_logger("jobserver.studies")


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """What was said, and when by the clock."""

    at: float
    value: Value


class Remembered(Generic[Value]):
    """Asks by name and keeps the answers; threads share it, and with it what is being asked.

    ``fetch`` asks GitHub about one name, in which capitals do not matter. ``clock`` tells seconds. What takes
    longer than ``limit`` goes on, and is there for the next reader.
    """

    def __init__(
        self,
        fetch: Callable[[str], Value],
        *,
        limit: float = TIME_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch_one = fetch
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: Latest[Answer[Value]] = Latest(MOST_ANSWERS)
        self._asking: dict[str, Future[Answer[Value]]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "github")

    def look(self, names: Iterable[str], *, anew: bool = False) -> tuple[dict[str, Value], dict[str, str]]:
        """What is known of each name, and a sentence for each that could not be asked about.

        ``anew``: only what GitHub said just now will do; older answers are given if it says nothing.
        """
        wanted = {name.lower(): name for name in names}
        kept: dict[str, Answer[Value]] = {}
        pending: dict[str, Future[Answer[Value]]] = {}
        for key, name in wanted.items():
            answer = self._answers.get(key)
            age = self._clock() - answer.at if answer else OLDEST
            if answer and age < OLDEST:
                kept[key] = answer
            if age >= (JUST_NOW if anew else FRESH):
                future = self._ask(key, name)
                if anew or key not in kept:
                    pending[key] = future
        failures = self._await(pending, wanted, kept)
        return {wanted[key]: answer.value for key, answer in kept.items()}, failures

    def _await(
        self,
        pending: dict[str, Future[Answer[Value]]],
        wanted: dict[str, str],
        kept: dict[str, Answer[Value]],
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

    def _ask(self, key: str, name: str) -> Future[Answer[Value]]:
        """The answer that is on its way already, else a new one."""
        with self._lock:
            future = self._asking.get(key)
            if future is None:
                context = contextvars.copy_context()
                future = self._pool.submit(context.run, self._fetch, key, name)
                self._asking[key] = future
            return future

    def _fetch(self, key: str, name: str) -> Answer[Value]:
        try:
            answer = Answer(self._clock(), self._fetch_one(name))
        except GitHubError as error:
            log.warning("github_not_read", about=name, reason=str(error))
            raise
        else:
            self._answers.put(key, answer)
            return answer
        finally:
            with self._lock:
                self._asking.pop(key, None)
