"""When the jobs of a request are likely to end: a rule simple enough to be believed (design 7)."""

from datetime import UTC, datetime, timedelta

import pytest

from jobserver.pipeline.forecast import Expected, Forecast, Task, forecast

NOW = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes from now."""
    return NOW + timedelta(minutes=minutes)


def running(action: str, since: float, usual: float | None) -> Task:
    return Task(action, "running", at(-since), usual * 60 if usual is not None else None)


def queued(action: str, usual: float | None) -> Task:
    return Task(action, "queued", None, usual * 60 if usual is not None else None)


def waiting(action: str, usual: float | None) -> Task:
    return Task(action, "waiting", None, usual * 60 if usual is not None else None)


def test_a_running_job_takes_as_long_as_usual() -> None:
    told = forecast([running("a", 10, 30)], {}, NOW)
    assert told == Forecast({"a": Expected(at(-10), at(20))}, at(20), late=False)


def test_a_waiting_job_begins_when_the_last_of_what_it_needs_has_ended() -> None:
    tasks = [running("a", 10, 30), running("b", 5, 60), waiting("c", 7), waiting("d", 1)]
    told = forecast(tasks, {"c": ["a", "b"], "d": ["c"]}, NOW)
    assert told.jobs["c"] == Expected(at(55), at(62))
    assert told.jobs["d"] == Expected(at(62), at(63))
    assert told.end == at(63)


def test_what_has_ended_or_is_not_in_the_request_holds_nothing_up() -> None:
    tasks = [Task("a", "ended"), waiting("b", 5)]
    assert forecast(tasks, {"b": ["a", "elsewhere"]}, NOW).jobs == {"b": Expected(NOW, at(5))}


@pytest.mark.parametrize("unclear", [running("a", 1, None), waiting("a", None), Task("a", "held", None, 60)])
def test_nothing_is_promised_of_what_depends_on_the_unknown(unclear: Task) -> None:
    told = forecast([unclear, waiting("b", 5), waiting("other", 9)], {"b": ["a"]}, NOW)
    assert told == Forecast({"other": Expected(NOW, at(9))}, None, late=False)


def test_a_job_that_takes_longer_than_usual_may_end_at_any_time() -> None:
    told = forecast([running("a", 40, 30), waiting("b", 5)], {"b": ["a"]}, NOW)
    assert told.late
    assert told.jobs["a"] == Expected(at(-40), NOW)
    assert told.end == at(5)


def test_of_a_request_that_has_ended_or_goes_in_circles_nothing_is_said() -> None:
    assert forecast([Task("a", "ended")], {}, NOW) == Forecast()
    assert forecast([], {}, NOW) == Forecast()
    assert forecast([waiting("a", 1), waiting("b", 1)], {"a": ["b"], "b": ["a"]}, NOW) == Forecast()


def test_if_jobs_wait_for_slots_no_more_run_at_once_than_now() -> None:
    tasks = [running("a", 0, 10), running("b", 0, 30), queued("c", 15), queued("d", 1), waiting("e", 4)]
    told = forecast(tasks, {"e": ["c"]}, NOW)
    assert told.queued
    assert told.jobs["c"] == Expected(at(10), at(25))
    assert told.jobs["d"] == Expected(at(25), at(26)), "it comes after c, which was ready as soon"
    assert told.jobs["e"] == Expected(at(26), at(30))
    assert told.end == at(30)


def test_if_nothing_runs_while_jobs_wait_for_slots_nothing_is_promised() -> None:
    assert forecast([queued("a", 5), waiting("b", 5)], {"b": ["a"]}, NOW).end is None
    unclear = forecast([running("x", 1, None), queued("a", 5)], {}, NOW)
    assert (unclear.jobs, unclear.end) == ({}, None)


def test_thousands_of_jobs_take_their_turns() -> None:
    tasks = [running("a", 0, 1), running("b", 0, 1), *[queued(f"c{n}", 1) for n in range(2000)]]
    assert forecast(tasks, {}, NOW).end == at(1001)


def test_a_chain_of_thousands_is_no_trouble() -> None:
    tasks = [waiting(f"a{n}", 1) for n in range(5000)]
    told = forecast(tasks, {f"a{n}": [f"a{n - 1}"] for n in range(1, 5000)}, NOW)
    assert told.end == at(5000)
