"""See the package's own words."""

import sys
from contextlib import ExitStack
from os import cpu_count, getloadavg
from pathlib import Path
from statistics import median

import click

from tests.benchmarks.events import measure_events
from tests.benchmarks.level4 import measure_level4
from tests.benchmarks.measuring import Measured, Visitor, measure
from tests.benchmarks.memory import measure_memory
from tests.benchmarks.outputs import measure_outputs
from tests.benchmarks.pages import pages
from tests.benchmarks.service import measure_round
from tests.benchmarks.sights import sights
from tests.benchmarks.stack import databases, served
from tests.benchmarks.staff import measure_staff
from tests.benchmarks.table import HEAD, over, print_line, row
from tests.benchmarks.uploads import measure_uploads


@click.command()
@click.option("--requests", default=26_000, show_default=True, help="How many job requests.")
@click.option("--jobs", default=300_000, show_default=True, help="How many jobs.")
@click.option("--rounds", default=15, show_default=True, help="How often each page is asked for.")
@click.option(
    "--only",
    default="",
    help="Only pages with this word in their name; or: service, level4, events, uploads, outputs, staff, memory.",
)
@click.option("--memory-requests", default=10_000, show_default=True, help="Requests before memory is read.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="A folder to keep the databases in from run to run."
)
def main(requests: int, jobs: int, rounds: int, only: str, memory_requests: int, data: Path | None) -> None:
    """Measure, and print a table."""
    good = True
    with ExitStack() as stack:
        place = stack.enter_context(databases(data))
        whole = place.sample(requests, jobs)
        if only not in {"service", "level4", "events", "uploads", "outputs", "staff", "memory"}:
            good = _pages(place.sample(requests // 2, jobs // 2), whole, rounds, only)
        if only in {"", "service"}:
            good = measure_round(place, whole) and good
        if only in {"", "level4"}:
            good = measure_level4(place, whole, rounds) and good
        if only in {"", "events"}:
            good = measure_events(place, whole) and good
        if only in {"", "uploads"}:
            good = measure_uploads(place, whole, rounds) and good
        if only in {"", "outputs"}:
            good = measure_outputs(place, whole, rounds) and good
        if only in {"", "staff"}:
            good = measure_staff(place, whole, rounds) and good
        if only in {"", "memory"}:
            with served(whole) as server:
                measure_memory(server, sights(server.engine), memory_requests)
    sys.exit(0 if good else 1)


def _pages(half: str, whole: str, rounds: int, only: str) -> bool:
    results: list[Measured] = []
    with served(half) as first, served(whole) as second:
        found = [sights(first.engine), sights(second.engine)]
        visitors = [Visitor(server, seen) for server, seen in zip((first, second), found, strict=True)]
        print_line(HEAD)
        for pair in zip(pages(found[0]), pages(found[1]), strict=True):
            if only in pair[0].name:
                results.append(measure(pair, visitors, rounds))
                print_line(row(results[-1]))
    answered = [each for each in results if each.answered]
    empty = median(each.empty.ms for each in answered) if answered else 0.0
    print_line(
        f"\nAn empty page took {empty:.1f} ms. The machine's load was {getloadavg()[1]:.1f} on {cpu_count()} "
        "processors: with more than one process at work on each, times in ms say little, and growth too."
    )
    broken = [each for each in answered if over(each)]
    print_line(
        f"{len(results)} pages: {len(broken)} over a limit, {len(results) - len(answered)} not answered as "
        "they should be."
    )
    return len(answered) == len(results)


if __name__ == "__main__":
    main()
