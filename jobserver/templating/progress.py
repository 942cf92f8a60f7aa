"""Geometry of bars and small histories; everything in per cent or in the units of one small box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobserver.templating.states import PROGRESS_ORDER, STATES, State

GAP = 0.25  # per cent of the bar left free between two segments
HIST_STEP, HIST_BAR, HIST_UP, HIST_DOWN, HIST_BASE = 8, 6, 13, 8, 17.5


@dataclass(frozen=True)
class Segment:
    """One state's part of a bar: how many jobs, where it starts and how wide it is, in per cent."""

    state: State
    count: int
    x: str
    width: str


def segments(counts: Mapping[str, int]) -> list[Segment]:
    """The parts of a progress bar from jobs per state, in the order in which bars show states.

    A state with few of very many jobs is still drawn, as a hairline; parts never overlap.
    """
    total = sum(counts.get(name, 0) for name in PROGRESS_ORDER)
    found: list[Segment] = []
    done = 0
    present = [name for name in PROGRESS_ORDER if counts.get(name, 0) > 0]
    for name in present:
        n = counts[name]
        gap = GAP if name != present[-1] and n / total * 100 > 2 * GAP else 0.0
        start, width = done / total * 100, n / total * 100 - gap
        found.append(Segment(STATES[name], n, per_cent(start), per_cent(width)))
        done += n
    return found


def finished(counts: Mapping[str, int]) -> int:
    """Jobs that have ended, however they ended."""
    return sum(counts.get(name, 0) for name in ("succeeded", "failed", "cancelled"))


def per_cent(value: float) -> str:
    """For an SVG attribute: "49.75%"."""
    return f"{value:.2f}%"


@dataclass(frozen=True)
class HistoryMark:
    """One run in a history: a bar up (succeeded), down (failed), hollow (running), or a dot (neither)."""

    state: State
    shape: str
    x: float
    y: float
    height: float


def history(runs: Sequence[tuple[str, float | None]]) -> list[HistoryMark]:
    """Marks for (status, seconds taken), oldest first. Height is the time taken against the longest."""
    longest = max((taken or 0 for _, taken in runs), default=0) or 1
    marks = []
    for place, (status, taken) in enumerate(runs):
        state = STATES.get(status, STATES["unknown"])
        x = place * HIST_STEP
        share = min((taken or 0) / longest, 1)
        if state.kind == "succeeded":
            height = round(4 + share * (HIST_UP - 4), 1)
            marks.append(HistoryMark(state, "bar", x, round(HIST_BASE - 0.5 - height, 1), height))
        elif state.kind == "failed":
            marks.append(HistoryMark(state, "bar", x, HIST_BASE + 0.5, round(4 + share * (HIST_DOWN - 4), 1)))
        elif state.kind == "running":
            marks.append(HistoryMark(state, "bar", x + 0.75, 6.75, 9.5))
        else:
            marks.append(HistoryMark(state, "dot", x + HIST_BAR / 2, HIST_BASE, 0))
    return marks


def history_width(runs: Sequence[object]) -> int:
    """The width of the box of a history."""
    return max(1, len(runs)) * HIST_STEP - (HIST_STEP - HIST_BAR)


def history_sentence(runs: Sequence[tuple[str, float | None]]) -> str:
    """What the history says, for those who do not see it."""
    failed = sum(status == "failed" for status, _ in runs)
    if len(runs) == 1:
        return f"the last run {'failed' if failed else 'did not fail'}"
    return f"{failed or 'none'} of the last {len(runs)} runs failed"
