"""Asking for a page as a browser does, and reading what the server says of the time it took."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import median

from tests.benchmarks.pages import ANYBODY, EMPTY, Page
from tests.benchmarks.server import SECONDS, STATEMENTS
from tests.benchmarks.sights import Sights
from tests.benchmarks.stack import Served

WARM_UP = 3
_PATIENCE = 60


@dataclass
class Figures:
    """What was measured of one page, in milliseconds."""

    status: int = 0
    statements: int = 0
    times: list[float] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """The median; half of the answers were quicker."""
        return median(self.times)


class Visitor:
    """A browser at one server."""

    def __init__(self, server: Served, seen: Sights) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=_PATIENCE)
        self._cookies = seen.cookies
        self._etags: dict[str, str] = {}

    def ask(self, page: Page) -> tuple[int, float, int]:
        """Status, milliseconds and statements of one answer."""
        headers = {}
        if page.who != ANYBODY:
            headers["Cookie"] = f"sessionid={self._cookies[page.who]}"
        if page.unchanged:
            headers["HX-Request"] = "true"
            if page.path in self._etags:
                headers["If-None-Match"] = self._etags[page.path]
        self._connection.request("GET", page.path, headers=headers)
        answer = self._connection.getresponse()
        answer.read()
        if page.unchanged and answer.headers["ETag"]:
            self._etags[page.path] = answer.headers["ETag"]
        return answer.status, float(answer.headers[SECONDS]) * 1000, int(answer.headers[STATEMENTS])

    def warm(self, page: Page) -> int:
        """Ask a few times, so that caches are as they are in use; the last status."""
        return [self.ask(page)[0] for _ in range(WARM_UP)][-1]

    def note(self, page: Page, figures: Figures) -> None:
        """Ask once and add what it took."""
        figures.status, ms, figures.statements = self.ask(page)
        figures.times.append(ms)


@dataclass(frozen=True)
class Measured:
    """A page with half the data, with all of it, and beside it an empty page."""

    page: Page
    half: Figures
    whole: Figures
    empty: Figures

    @property
    def answered(self) -> bool:
        """Whether it answered as it should."""
        return self.whole.status == self.page.expected

    @property
    def ratio(self) -> float:
        """How many empty pages it costs."""
        return self.whole.ms / self.empty.ms

    @property
    def growth(self) -> float:
        """How many times longer it takes with twice the data."""
        return self.whole.ms / self.half.ms


def measure(pair: tuple[Page, Page], visitors: Sequence[Visitor], rounds: int) -> Measured:
    """Ask for a page of the half and of the whole and for an empty one, by turns."""
    (half_page, whole_page), (half, whole) = pair, visitors
    measured = Measured(whole_page, Figures(), Figures(), Figures())
    half.warm(half_page)
    whole.warm(EMPTY)
    measured.whole.status = whole.warm(whole_page)
    for _ in range(rounds if measured.answered else 1):
        half.note(half_page, measured.half)
        whole.note(whole_page, measured.whole)
        whole.note(EMPTY, measured.empty)
    return measured
