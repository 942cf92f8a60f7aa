"""When the jobs of a request are likely to end.

The rule is simple, so that it can be believed. A running job takes as long as its action usually takes. A
waiting one begins as soon as all that it needs has ended, and then takes its usual time. If any job waits for
a free slot of the backend, no more jobs run at once than run now: whoever is ready first goes first. What
other requests do is not foreseen, so the real end is rarely earlier and often later.

Nothing is said of a job whose action's usual time is not known, nor of anything that depends on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from typing import Literal


@dataclass(frozen=True)
class Task:
    """A job as the forecast sees it; ``usual``: seconds that its action usually takes, if that is known.

    "queued": it waits for a free slot. "held": it waits for something that nobody can foresee, such as the
    end of maintenance.
    """

    action: str
    state: Literal["ended", "running", "waiting", "queued", "held"]
    started_at: datetime | None = None
    usual: float | None = None


@dataclass(frozen=True)
class Expected:
    """When a job is likely to begin, or began, and to end."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Forecast:
    """``jobs`` by action, those of which something can be said; ``end`` of all, None if that is not known.

    ``late``: a running job already takes longer than usual, so it may end at any time, or much later.
    ``queued``: jobs wait for a slot, so that not more were taken to run at once than now.
    """

    jobs: Mapping[str, Expected] = field(default_factory=dict)
    end: datetime | None = None
    late: bool = False
    queued: bool = False


def forecast(tasks: Sequence[Task], needs: Mapping[str, Sequence[str]], now: datetime) -> Forecast:
    """When the jobs of one request will end, if each takes its usual time."""
    active = {task.action: task for task in tasks if task.state != "ended"}
    waits_for = {name: [need for need in needs.get(name, ()) if need in active] for name in active}
    sorter = TopologicalSorter(waits_for)
    try:
        sorter.prepare()
    except CycleError:
        return Forecast()
    found = {task.action: _of_running(task, now) for task in active.values() if _runs(task)}
    late = any(each.end == now for each in found.values())
    queued = any(task.state == "queued" for task in active.values())
    slots = [each.end for each in found.values()]
    heapify(slots)
    ready: list[tuple[datetime, str]] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            ends = [found[need].end for need in waits_for[name] if need in found]
            heappush(ready, (max([now, *ends]), name))
        begin, name = heappop(ready)
        task = active[name]
        known = all(need in found for need in waits_for[name])
        if known and task.state in {"waiting", "queued"} and task.usual is not None and (slots or not queued):
            start = max(begin, heappop(slots)) if queued else begin
            found[name] = Expected(start, start + timedelta(seconds=task.usual))
            heappush(slots, found[name].end)
        sorter.done(name)
    whole = active and len(found) == len(active)
    return Forecast(found, max(each.end for each in found.values()) if whole else None, late, queued)


def _runs(task: Task) -> bool:
    return task.state == "running" and task.usual is not None


def _of_running(task: Task, now: datetime) -> Expected:
    start = task.started_at or now
    return Expected(start, max(start + timedelta(seconds=task.usual or 0), now))
