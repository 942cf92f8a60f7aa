"""Charts of runs: where marks stand, on which scale, and what is said of them."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobserver.templating.charts import BOTTOM, TOP, Run, memory, memory_chart, run_chart
from jobserver.templating.states import STATES

SECONDS = st.one_of(st.none(), st.floats(0, 10_000_000))
RUNS = st.lists(st.builds(Run, st.just("1"), st.sampled_from(list(STATES.values())), SECONDS), max_size=60)


def test_runs_go_up_for_success_and_down_for_failure_on_one_scale() -> None:
    chart = run_chart(
        [
            Run("1", STATES["succeeded"], 4800, "/1/"),
            Run("2", STATES["failed"], 2400),
            Run("3", STATES["cancelled"], 60),
            Run("4", STATES["running"], 2400),
        ]
    )
    up, down, dot, hollow = chart.marks
    assert up.y == TOP
    assert chart.base == down.y == pytest.approx(up.y + up.height, abs=0.2)
    assert hollow.y + hollow.height == pytest.approx(chart.base, abs=0.2)
    assert up.height == pytest.approx(2 * down.height, abs=0.2)
    assert down.height == hollow.height
    assert down.y + down.height == pytest.approx(BOTTOM, abs=0.2)
    assert dot.dot
    assert [line.label for line in chart.lines] == ["0", "30 min", "1 h", "30 min"]
    assert chart.lines[0].y == chart.base


def test_a_run_is_told_in_a_sentence() -> None:
    assert Run("1", STATES["succeeded"], 4800).sentence == "1: succeeded, 1 h 20 min"
    run = Run("5", STATES["failed"], 60, more="peak memory 2 GB")
    assert run.sentence == "5: failed, 1 min, peak memory 2 GB"


@given(RUNS)
@example([Run("1", STATES["failed"], 0.5)])
def test_nothing_is_drawn_outside_and_bars_never_overlap(runs: list[Run]) -> None:
    chart = run_chart(runs)
    assert len(chart.marks) == len(runs)
    assert TOP <= chart.base <= BOTTOM
    end = -1.0
    for mark in chart.marks:
        assert TOP - 3 <= mark.y <= BOTTOM
        assert mark.y + mark.height <= BOTTOM + 3
        left = float(mark.x[:-1])
        assert left >= end - 0.02
        end = left + float(mark.width[:-1])
    assert end <= 100.01
    assert len(chart.lines) <= 6


@given(RUNS)
def test_lines_are_far_enough_apart_for_their_labels(runs: list[Run]) -> None:
    places = sorted(line.y for line in run_chart(runs).lines)
    assert all(b - a >= 14 for a, b in pairwise(places))


def test_short_runs_have_a_scale_too() -> None:
    assert [line.label for line in run_chart([Run("1", STATES["succeeded"], 40)]).lines] == [
        "0",
        "10 s",
        "20 s",
        "30 s",
        "40 s",
    ]


def test_of_many_runs_the_first_and_the_last_are_labelled() -> None:
    marks = run_chart([Run(str(i), STATES["succeeded"], 60) for i in range(32)]).marks
    assert [mark.run.label for mark in marks if mark.labelled] == ["0", "31"]


def test_a_chart_of_nothing_and_of_runs_without_a_length_is_still_a_chart() -> None:
    assert run_chart([]).marks == []
    chart = run_chart([Run("1", STATES["succeeded"])])
    assert chart.marks[0].height == 3
    assert not chart.is_measured
    assert run_chart([Run("1", STATES["failed"], 0)]).is_measured


def test_failures_alone_hang_from_the_top() -> None:
    chart = run_chart([Run("1", STATES["failed"], 60), Run("2", STATES["failed"], 30)])
    assert chart.base == TOP
    assert [mark.y for mark in chart.marks] == [TOP, TOP]


def test_a_chart_knows_what_it_has_to_explain() -> None:
    plain = run_chart([Run("1", STATES["succeeded"], 60)])
    assert (plain.has_elsewhere, plain.has_current) == (False, False)
    chart = run_chart(
        [Run("1", STATES["failed"], 60, elsewhere=True), Run("2", STATES["failed"], current=True)]
    )
    assert chart.has_elsewhere
    assert chart.has_current


def test_memory_is_drawn_from_nothing_upwards_for_the_runs_of_which_it_is_known() -> None:
    chart = memory_chart(
        [
            Run("1", STATES["succeeded"], memory=8000),
            Run("2", STATES["failed"]),
            Run("3", STATES["failed"], memory=16000),
        ]
    )
    assert chart is not None
    first, last = chart.points
    assert chart.base - last.y == 2 * (chart.base - first.y)
    assert (first.x, last.x) == ("16.67%", "83.33%")
    assert [line.label for line in chart.lines] == ["0", "5 GB", "10 GB", "15 GB"]
    assert chart.sentence == "Peak memory between 8 GB and 16 GB"


def test_memory_that_is_not_known_or_always_the_same() -> None:
    assert memory_chart([Run("1", STATES["succeeded"], 60)]) is None
    assert memory_chart([]) is None
    same = memory_chart([Run("1", STATES["succeeded"], memory=611.9)] * 2)
    assert same is not None
    assert same.sentence == "Peak memory 611.9 MB"
    nothing = memory_chart([Run("1", STATES["succeeded"], memory=0.0)])
    assert nothing is not None
    assert nothing.points[0].y == nothing.base


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50))
def test_memory_of_any_size_has_few_round_lines(used: list[float]) -> None:
    chart = memory_chart([Run("1", STATES["succeeded"], memory=amount) for amount in used])
    assert chart is not None
    assert 1 <= len(chart.lines) <= 5
    assert all(0 < point.y <= chart.base for point in chart.points)


def test_memory_in_words() -> None:
    assert [memory(amount) for amount in (0.5, 611.9, 15_912)] == ["500 kB", "611.9 MB", "15.9 GB"]
