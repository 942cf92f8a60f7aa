"""Charts of runs of one thing, oldest first: how long each took and how it ended; how much memory it used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobserver.templating.numbers import filesize
from jobserver.templating.progress import per_cent
from jobserver.templating.states import State
from jobserver.templating.times import HOUR, MINUTE, duration

# Pixels: where the drawing begins, and how high it is. Labels stand below it.
TOP, HEIGHT = 16.0, 110.0
BOTTOM = TOP + HEIGHT
MEMORY_TOP, MEMORY_HEIGHT = 16.0, 64.0
LEAST = 3.0
LEAST_MEMORY = 0.001
MOST_LABELS = 12
_STEPS = [1, 2, 5, 10, 20, 30]
_STEPS += [m * MINUTE for m in (1, 2, 5, 10, 15, 20, 30)]
_STEPS += [h * HOUR for h in (1, 2, 3, 6, 12, 24, 48, 120, 240, 480, 1200, 2400)]
_UP, _DOWN = {"succeeded", "running"}, {"failed"}


@dataclass(frozen=True)
class Run:
    """One run: its short label ("1042"), state, seconds taken, address, and more for its title.

    ``memory``: the most that it used, in megabytes. ``elsewhere``: on another backend than the one that the
    chart is about. ``current``: the run that the page is about.
    """

    label: str
    state: State
    seconds: float | None = None
    url: str | None = None
    more: str = ""
    memory: float | None = None
    elsewhere: bool = False
    current: bool = False

    @property
    def sentence(self) -> str:
        """The run in words: "1038: failed, 41 min, peak memory 15.9 GB"."""
        took = duration(self.seconds) if self.seconds is not None else ""
        return f"{self.label}: {', '.join(filter(None, [self.state.word.lower(), took, self.more]))}"


@dataclass(frozen=True)
class Mark:
    """What stands for a run: a bar, or a dot on the line for what neither succeeded nor failed."""

    run: Run
    dot: bool
    x: str
    middle: str
    width: str
    y: float
    height: float
    labelled: bool


@dataclass(frozen=True)
class Line:
    """A round amount across the chart."""

    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Marks from the oldest run to the newest, the line that they stand on, and lines to read them by."""

    marks: Sequence[Mark]
    lines: Sequence[Line]
    base: float

    @property
    def is_measured(self) -> bool:
        """Whether it is known of any run how long it took."""
        return any(mark.run.seconds is not None for mark in self.marks)

    @property
    def has_elsewhere(self) -> bool:
        """Whether some ran on another backend."""
        return any(mark.run.elsewhere for mark in self.marks)

    @property
    def has_current(self) -> bool:
        """Whether the page's own run is among them."""
        return any(mark.run.current for mark in self.marks)


def run_chart(runs: Sequence[Run]) -> Chart:
    """Bars above the line for runs that succeeded, below it for those that failed, on one scale."""
    up = max((run.seconds or 0 for run in runs if run.state.kind in _UP), default=0.0)
    down = max((run.seconds or 0 for run in runs if run.state.kind in _DOWN), default=0.0)
    unit = HEIGHT / max(up + down, 1.0)
    base = round(TOP + up * unit, 1) if up + down else BOTTOM
    step = next((s for s in _STEPS if (up + down) / s <= 4), _STEPS[-1])
    amounts = [*range(step, int(up) + 1, step), *range(-step, -int(down) - 1, -step)]
    lines = [Line(round(base - amount * unit, 1), _length(abs(amount))) for amount in amounts]
    slot = 100 / max(len(runs), 1)
    marks = [_mark(run, place, len(runs), slot, base, unit) for place, run in enumerate(runs)]
    return Chart(marks, [Line(base, "0"), *lines], base)


def _length(seconds: int) -> str:
    return duration(seconds, with_seconds=seconds < MINUTE)


def _mark(run: Run, place: int, of: int, slot: float, base: float, unit: float) -> Mark:
    width = min(4.0, slot * 0.74)
    middle = (place + 0.5) * slot
    up, down = run.state.kind in _UP, run.state.kind in _DOWN
    height = round(max((run.seconds or 0) * unit, LEAST), 1) if up or down else 0.0
    return Mark(
        run,
        dot=not (up or down),
        x=per_cent(middle - width / 2),
        middle=per_cent(middle),
        width=per_cent(width),
        y=round(base - height, 1) if up else base,
        height=height,
        labelled=of <= MOST_LABELS or place in {0, of - 1},
    )


@dataclass(frozen=True)
class Point:
    """The peak memory of a run: a dot if it succeeded, a cross if it failed, else a ring."""

    run: Run
    x: str
    y: float


@dataclass(frozen=True)
class MemoryChart:
    """Points under the bars of :func:`run_chart`, from a base line of nothing."""

    points: Sequence[Point]
    lines: Sequence[Line]
    base: float
    sentence: str


def memory_chart(runs: Sequence[Run]) -> MemoryChart | None:
    """The peak memory of the runs of which it is known; None if it is of none."""
    known = [run.memory for run in runs if run.memory is not None]
    if not known:
        return None
    most, base = max(known), MEMORY_TOP + MEMORY_HEIGHT
    unit = MEMORY_HEIGHT / max(most, LEAST_MEMORY)
    step = _round_step(most / 4)
    amounts = [step * n for n in range(int(most / step) + 1)]
    slot = 100 / len(runs)
    return MemoryChart(
        [
            Point(run, per_cent((place + 0.5) * slot), round(base - run.memory * unit, 1))
            for place, run in enumerate(runs)
            if run.memory is not None
        ],
        [Line(round(base - amount * unit, 1), memory(amount) if amount else "0") for amount in amounts],
        base,
        _range(known),
    )


def _range(known: Iterable[float]) -> str:
    low, high = min(known), max(known)
    if memory(low) == memory(high):
        return f"Peak memory {memory(low)}"
    return f"Peak memory between {memory(low)} and {memory(high)}"


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is no less than this."""
    powers = (10.0**power for power in range(-3, 13))
    return next(digit * power for power in powers for digit in (1, 2, 5) if digit * power >= least)


def memory(megabytes: float) -> str:
    """An amount of memory in words: "611.9 MB", "15.9 GB"."""
    return filesize(round(megabytes * 1_000_000))
