"""Bars, histories, timelines, graphs, pagers: figures that the templates only print."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobserver.templating.graph import Action, Node, graph
from jobserver.templating.pager import Pager, page_number
from jobserver.templating.progress import finished, history, history_sentence, segments
from jobserver.templating.states import PROGRESS_ORDER, STATES
from jobserver.templating.timeline import scale

START = datetime(2026, 11, 17, 13, 20, tzinfo=UTC)
COUNTS = st.dictionaries(st.sampled_from(PROGRESS_ORDER), st.integers(0, 3000))


def minutes(n: float) -> datetime:
    return START + timedelta(minutes=n)


def test_a_bar_shows_states_in_their_order_and_leaves_out_those_without_jobs() -> None:
    parts = segments({"pending": 3, "running": 2, "failed": 1, "succeeded": 6, "cancelled": 0})
    assert [(p.state.kind, p.count, p.x) for p in parts] == [
        ("succeeded", 6, "0.00%"),
        ("failed", 1, "50.00%"),
        ("running", 2, "58.33%"),
        ("pending", 3, "75.00%"),
    ]
    assert segments({}) == []


@given(COUNTS)
def test_no_part_of_a_bar_overlaps_another_or_has_no_width(counts: dict[str, int]) -> None:
    parts = [(float(p.x[:-1]), float(p.width[:-1])) for p in segments(counts)]
    for (x, width), (following, _) in pairwise(parts):
        assert width > 0
        assert x + width <= following + 0.02
    assert not parts or parts[-1][0] + parts[-1][1] == pytest.approx(100, abs=0.02)


def test_finished_counts_every_way_to_end() -> None:
    assert finished({"succeeded": 6, "failed": 1, "cancelled": 2, "running": 2, "pending": 3}) == 9


def test_a_history_goes_up_for_success_down_for_failure_and_neither_for_the_rest() -> None:
    up, down, dot, hollow = history([("succeeded", 100), ("failed", 50), ("cancelled", 9), ("running", None)])
    assert up.y + up.height == 17
    assert down.y == 18
    assert dot.shape == "dot"
    assert hollow.state.kind == "running"


def test_a_longer_run_is_a_higher_bar() -> None:
    short, long = history([("succeeded", 60), ("succeeded", 600)])
    assert short.height < long.height


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([("succeeded", 1), ("failed", 1), ("failed", 1)], "2 of the last 3 runs failed"),
        ([("succeeded", 1), ("succeeded", 1)], "none of the last 2 runs failed"),
        ([("failed", 1)], "the last run failed"),
        ([("succeeded", 1)], "the last run did not fail"),
    ],
)
def test_a_history_has_a_sentence(runs: list[tuple[str, float]], sentence: str) -> None:
    assert history_sentence(runs) == sentence


def test_a_timeline_ends_a_tenth_beyond_what_is_expected_and_at_the_end_once_all_has_ended() -> None:
    assert scale(START, [minutes(100), None], minutes(60)).end == minutes(110)
    assert scale(START, [minutes(50)], None).end == minutes(50)
    assert scale(START, [], None).end == minutes(1)


@pytest.mark.parametrize("length", [1, 7, 45, 125, 600, 1440, 4000, 20_000, 90_000])
def test_an_axis_has_a_handful_of_round_times(length: int) -> None:
    ticks = scale(START, [minutes(length)], None).ticks
    assert len(ticks) <= 8
    assert length < 5 or ticks


def test_the_axis_leaves_room_for_the_label_of_now() -> None:
    axis = scale(minutes(-20), [minutes(125)], minutes(72))
    assert axis.now_tick is not None
    assert axis.now_tick.label == "now 14:32"
    assert "14:30" not in [tick.label for tick in axis.ticks]
    assert "15:00" in [tick.label for tick in axis.ticks]


def test_bars_say_waiting_running_and_expected() -> None:
    axis = scale(START, [minutes(100)], minutes(60))
    waited_and_runs = axis.bars(START, minutes(11), None, usual=80 * 60)
    assert waited_and_runs.wait == ("0.00%", "10.00%")
    assert waited_and_runs.run == ("10.00%", "44.55%")
    assert waited_and_runs.expected == ("54.55%", "28.18%")

    ended = axis.bars(START, minutes(11), minutes(22), usual=80 * 60)
    assert (ended.run, ended.expected) == (("10.00%", "10.00%"), None)

    pending = axis.bars(START, None, None, usual=11 * 60, expected_start=minutes(66))
    assert (pending.run, pending.expected) == (None, ("60.00%", "10.00%"))


def test_nothing_is_promised_for_a_job_of_unknown_length_or_one_that_takes_longer_than_usual() -> None:
    axis = scale(START, [], minutes(60))
    assert axis.bars(START, minutes(11), None).expected is None
    assert axis.bars(START, minutes(11), None, usual=60).expected is None
    assert axis.bars(None, None, None, usual=60).expected is None


def test_a_job_of_a_second_still_shows() -> None:
    bars = scale(START, [minutes(600)], None).bars(START, START, START + timedelta(seconds=1))
    assert bars.run == ("0.00%", "0.40%")


def actions(needs: dict[str, tuple[str, ...]]) -> list[Action]:
    return [Action(name, STATES["succeeded"], wants) for name, wants in needs.items()]


def places(nodes: list[Node]) -> dict[str, tuple[float, float]]:
    return {node.action.name: (node.x, node.y) for node in nodes}


def test_an_action_stands_right_of_everything_it_needs() -> None:
    drawing = graph(actions({"a": (), "b": ("a",), "c": ("a", "b"), "d": ()}))
    at = places(list(drawing.nodes))
    assert at["a"][0] < at["b"][0] < at["c"][0]
    assert at["d"][0] == at["a"][0]
    assert len(drawing.edges) == 3


@given(st.lists(st.sets(st.integers(0, 40), max_size=4), max_size=40))
def test_no_two_nodes_overlap_and_all_are_inside_the_drawing(wants: list[set[int]]) -> None:
    needs = {f"n{i}": tuple(f"n{j}" for j in sorted(w) if j < i) for i, w in enumerate(wants)}
    drawing = graph(actions(needs))
    boxes = [(n.x, n.y) for n in drawing.nodes]
    for i, (x, y) in enumerate(boxes):
        assert 0 <= x <= drawing.width - 190
        assert 14 <= y <= drawing.height - 36
        assert all(x != x2 or abs(y - y2) >= 57.5 for x2, y2 in boxes[i + 1 :])


def test_an_edge_is_thick_to_what_runs_and_dashed_to_what_waits() -> None:
    drawing = graph(
        [
            Action("a", STATES["succeeded"]),
            Action("b", STATES["running"], ("a",)),
            Action("c", STATES["maintenance"], ("a",)),
            Action("d", STATES["failed"], ("a",)),
        ]
    )
    assert [edge.css for edge in drawing.edges] == ["edge hot", "edge todo", "edge"]


def test_a_graph_loses_names_above_60_actions_and_nodes_above_200() -> None:
    def many(n: int) -> dict[str, tuple[str, ...]]:
        return {f"action_{i}": ("action_0",) if i else () for i in range(n)}

    assert all(node.label for node in graph(actions(many(60))).nodes)
    assert not any(node.label for node in graph(actions(many(61))).nodes)
    assert len(graph(actions(many(200))).nodes) == 200
    large = graph(actions(many(201)))
    assert (list(large.nodes), large.depths) == ([], [{"succeeded": 1}, {"succeeded": 200}])


def test_a_graph_survives_cycles_self_reference_and_needs_outside_the_request() -> None:
    assert len(graph(actions({"a": ("b",), "b": ("a",), "c": ("c", "gone")})).nodes) == 3
    assert graph([]).nodes == []


def test_nodes_are_as_wide_as_the_longest_name_needs_within_limits() -> None:
    short = graph([Action("a", STATES["pending"])])
    long = graph(
        [Action("a", STATES["pending"]), Action("generate_dataset_controls", STATES["pending"], ["a"])]
    )
    endless = graph([Action("x" * 500, STATES["pending"])])
    assert short.nodes[0].width == 190
    assert {node.width for node in long.nodes} == {242}
    assert long.nodes[1].x == 242 + 52.5, "columns keep their distance"
    assert endless.nodes[0].width == 320


def test_page_links_keep_every_other_parameter() -> None:
    pager = Pager(2, 57, 25, [("q", "a b"), ("backend", "tpp"), ("backend", "emis"), ("page", "2")])
    assert pager.pages == 3
    assert pager.offset == 25
    assert pager.url(1) == "?q=a+b&backend=tpp&backend=emis"
    assert pager.url(3) == "?q=a+b&backend=tpp&backend=emis&page=3"


@pytest.mark.parametrize(
    ("text", "total", "page"),
    [
        (None, 57, 1),
        ("", 57, 1),
        ("3", 57, 3),
        ("last", 57, 3),
        ("4", 57, None),
        ("0", 57, None),
        ("-1", 57, None),
        ("x", 57, None),
        ("²", 57, None),
        ("9" * 5000, 57, None),
        ("1", 0, 1),
        ("last", 0, 1),
        ("3", 75, 3),
        ("4", 75, None),
    ],
)
def test_a_page_is_a_number_that_exists_or_the_word_last(
    text: str | None, total: int, page: int | None
) -> None:
    assert page_number(text, total, 25) == page
