"""The timeline in the table of jobs: a scale of time, and for each job where its bars lie, in per cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from jobserver.templating.progress import per_cent
from jobserver.templating.times import LONDON, clock, day

# Distances between round times, in minutes.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 43200)
_MOST_TICKS = 8


@dataclass(frozen=True)
class Tick:
    """A round time on the axis."""

    x: str
    label: str


@dataclass(frozen=True)
class Bars:
    """One job: a thin line while it waited, a bar while it ran, a dashed bar for what is expected.

    Each is (x, width) in per cent of the timeline, or None.
    """

    wait: tuple[str, str] | None = None
    run: tuple[str, str] | None = None
    expected: tuple[str, str] | None = None


@dataclass(frozen=True)
class Scale:
    """The span of time that a timeline shows. `now` is None once everything has ended."""

    start: datetime
    end: datetime
    now: datetime | None = None

    # Every row of a table draws the same ticks.
    @cached_property
    def ticks(self) -> list[Tick]:
        """Four to eight round times, without those that the label of "now" would cover."""
        span = (self.end - self.start).total_seconds() / 60
        step = next((s for s in _STEPS if span / s <= _MOST_TICKS), _STEPS[-1])
        local = self.start.astimezone(LONDON)
        at = local.replace(hour=0, minute=0, second=0, microsecond=0)
        ticks = []
        while at <= self.end:
            covered = self.now is not None and abs(self._share(at) - self._share(self.now)) < 9
            if at >= self.start and 2 < self._share(at) < 98 and not covered:
                ticks.append(Tick(per_cent(self._share(at)), clock(at) if step < 1440 else day(at)[:-5]))
            at += timedelta(minutes=step)
        return ticks

    @cached_property
    def now_tick(self) -> Tick | None:
        """The present moment, with its label."""
        if self.now is None:
            return None
        return Tick(per_cent(self._share(self.now)), f"now {clock(self.now)}")

    def bars(
        self,
        created: datetime | None,
        started: datetime | None,
        ended: datetime | None,
        *,
        usual: float | None = None,
        expected_start: datetime | None = None,
    ) -> Bars:
        """Where the bars of one job lie. `usual` is how long the action usually runs, in seconds."""
        until = ended or self.now or self.end
        wait = self._piece(created, started or until) if created else None
        run = self._piece(started, until) if started else None
        expected = None
        if usual and not ended and self.now:
            begin = self.now if started else expected_start
            finish = (started or begin) and (started or begin or self.now) + timedelta(seconds=usual)
            if begin and finish and finish > begin:
                expected = self._piece(begin, finish)
        return Bars(wait, run, expected)

    def _share(self, at: datetime) -> float:
        span = (self.end - self.start).total_seconds() or 1.0
        return min(max((at - self.start).total_seconds() / span * 100, 0.0), 100.0)

    def _piece(self, begin: datetime | None, finish: datetime) -> tuple[str, str] | None:
        if begin is None or finish < begin:
            return None
        x, end = self._share(begin), self._share(finish)
        # A job of seconds in a request of hours still shows.
        return per_cent(x), per_cent(max(end - x, 0.4))


def scale(accepted: datetime, times: Sequence[datetime | None], now: datetime | None) -> Scale:
    """The scale of a request: from its acceptance to now or to the latest of `times`, and 10 % beyond.

    `now` is None for a request that has ended.
    """
    known = [moment for moment in times if moment is not None]
    latest = max([accepted + timedelta(minutes=1), *known, *([now] if now else [])])
    beyond = (latest - accepted) * 0.1 if now else timedelta()
    return Scale(accepted, latest + beyond, now)
