"""A chart of recent runs: bars above a line for those that succeeded, below it for those that failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobserver.templating.progress import per_cent
from jobserver.templating.states import State
from jobserver.templating.times import HOUR, MINUTE, duration

BASE, UP, DOWN = 96.0, 80.0, 30.0  # pixels: the line, and how far bars go from it
MOST_LABELS = 12
_STEPS = [m * MINUTE for m in (1, 2, 5, 10, 15, 20, 30)] + [
    h * HOUR for h in (1, 2, 3, 6, 12, 24, 48, 120, 240)
]


@dataclass(frozen=True)
class Run:
    """One run: its short label ("1042"), state, seconds taken, address, and more for its title."""

    label: str
    state: State
    seconds: float | None = None
    url: str | None = None
    more: str = ""

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
    """A round duration across the chart."""

    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Marks from the oldest run to the newest, and lines to read their heights by."""

    marks: Sequence[Mark]
    lines: Sequence[Line]


def run_chart(runs: Sequence[Run]) -> Chart:
    """Lay out runs, oldest first."""
    longest = max((run.seconds or 0 for run in runs), default=0) or 1
    step = next((s for s in _STEPS if longest / s <= 3), _STEPS[-1])
    lines = [
        Line(round(BASE - taken / longest * UP, 1), duration(taken))
        for taken in range(step, int(longest) + 1, step)
    ]
    slot = 100 / max(len(runs), 1)
    return Chart([_mark(run, i, len(runs), slot, longest) for i, run in enumerate(runs)], lines)


def _mark(run: Run, place: int, of: int, slot: float, longest: float) -> Mark:
    share = (run.seconds or 0) / longest
    width = min(4.0, slot * 0.74)
    middle = (place + 0.5) * slot
    up, down = run.state.kind in {"succeeded", "running"}, run.state.kind == "failed"
    height = round(max(share * (UP if up else DOWN), 3), 1) if up or down else 0.0
    return Mark(
        run,
        dot=not (up or down),
        x=per_cent(middle - width / 2),
        middle=per_cent(middle),
        width=per_cent(width),
        y=round(BASE - height, 1) if up else BASE + 1,
        height=height,
        labelled=of <= MOST_LABELS or place in {0, of - 1},
    )
