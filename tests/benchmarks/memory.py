"""The memory of a web process that has answered very many requests."""

from itertools import cycle, islice

from tests.benchmarks.measuring import Visitor
from tests.benchmarks.pages import pages
from tests.benchmarks.sights import Sights
from tests.benchmarks.stack import Served
from tests.benchmarks.table import print_line, verdict

MOST_MEGABYTES = 150


def measure_memory(server: Served, seen: Sights, requests: int) -> None:
    """Ask for every page in turn, so often in all; print what the process holds before and after."""
    visitor = Visitor(server, seen)
    before = server.memory
    for page in islice(cycle(pages(seen)), requests):
        visitor.ask(page)
    print_line(verdict("web process: memory at first", before, MOST_MEGABYTES, "MB"))
    print_line(verdict(f"web process: after {requests:,} requests", server.memory, MOST_MEGABYTES, "MB"))
