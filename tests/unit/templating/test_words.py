"""Times, durations, numbers: what a reader sees, at the edges of each rule."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobserver.templating.library import slug
from jobserver.templating.numbers import count, filesize, number
from jobserver.templating.times import ago, clock, day, day_of, duration, exact

# 14:32 in London, in winter: UTC and London agree.
NOW = datetime(2026, 11, 17, 14, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=9, seconds=59), "9 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=1, minutes=59), "1 hour ago"),
        (timedelta(hours=5, minutes=59), "5 hours ago"),
        (timedelta(hours=6), "today at 08:32"),
        (timedelta(hours=14, minutes=32), "today at 00:00"),
        (timedelta(hours=14, minutes=33), "yesterday"),
        (timedelta(days=1, hours=14, minutes=32), "yesterday"),
        (timedelta(days=1, hours=14, minutes=33), "2 days ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "10 Nov 2026"),
        (timedelta(days=400), "13 Oct 2025"),
        (-timedelta(seconds=59), "just now"),
        (-timedelta(minutes=9), "in 9 min"),
        (-timedelta(hours=1), "in 1 hour"),
        (-timedelta(hours=7), "today at 21:32"),
        (-timedelta(hours=10), "tomorrow"),
        (-timedelta(days=5), "in 5 days"),
        (-timedelta(days=7), "24 Nov 2026"),
    ],
)
def test_a_moment_is_said_as_a_distance_up_to_a_week_and_as_a_day_after_it(
    before: timedelta, words: str
) -> None:
    assert ago(NOW - before, NOW) == words


def test_days_change_at_midnight_in_london_not_in_utc() -> None:
    # 00:30 in London on 16 June is 23:30 UTC on the 15th.
    now = datetime(2026, 6, 15, 23, 30, tzinfo=UTC)
    assert ago(now - timedelta(hours=7), now) == "yesterday"
    assert day(now) == "16 Jun 2026"


def test_times_are_shown_in_london_with_the_zone_of_the_season() -> None:
    assert exact(datetime(2026, 11, 17, 13, 21, 40, tzinfo=UTC)) == "17 Nov 2026, 13:21:40 GMT"
    assert exact(datetime(2026, 7, 1, 13, 21, 40, tzinfo=UTC)) == "1 Jul 2026, 14:21:40 BST"
    assert clock(datetime(2026, 7, 1, 13, 21, 40, tzinfo=UTC)) == "14:21"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0, "under 1 min"),
        (59.9, "under 1 min"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (4200, "1 h 10 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (86_460, "1 d"),
        (183_600, "2 d 3 h"),
        (-5, "under 1 min"),
        (timedelta(minutes=41), "41 min"),
    ],
)
def test_a_duration_names_its_two_largest_units(seconds: float | timedelta | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (45, "45 s"), (2472, "41 min 12 s"), (3600, "1 h"), (3672, "1 h 1 min 12 s"), (None, "–")],
)
def test_the_page_of_a_job_gives_seconds(seconds: float | None, words: str) -> None:
    assert duration(seconds, with_seconds=True) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (999, "999"), (26041, "26,041"), (1.5, "1.5"), (1.04, "1"), (1.96, "2"), (None, "–")],
)
def test_a_number_has_separators_and_one_decimal_at_most(value: float | None, words: str) -> None:
    assert number(value) == words


def test_a_count_agrees_with_its_noun() -> None:
    assert [count(n, "job") for n in (0, 1, 2, 2082)] == ["no jobs", "1 job", "2 jobs", "2,082 jobs"]
    assert count(2, "repository", "repositories") == "2 repositories"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, "unknown"),
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (4400, "4 kB"),
        (999_499, "999 kB"),
        (999_999, "1 MB"),
        (1_200_000, "1.2 MB"),
        (2_000_000, "2 MB"),
        (999_999_999, "1 GB"),
        (5_500_000_000_000, "5,500 GB"),
    ],
)
def test_a_size_is_decimal(size: int | None, words: str) -> None:
    assert filesize(size) == words


@given(st.integers(min_value=0, max_value=10**13))
def test_no_size_is_shown_as_a_thousand_of_a_smaller_unit(size: int) -> None:
    amount, unit = filesize(size).split()
    assert unit in {"GB", "bytes", "byte"} or float(amount) < 1000


def test_an_id_is_made_from_the_words_of_a_heading() -> None:
    assert slug("Earlier runs of this action") == "earlier-runs-of-this-action"
    assert slug("<code>a_b</code> failed.") == "a-b-failed"
    assert slug("…") == "part"


@pytest.mark.parametrize(
    "text",
    ["", "2026-02-30", "20261117", "2026-W47-2", "17.11.2026", "1999-12-31", "2101-01-01", "２０２６-06-10"],
)
def test_what_is_no_day_that_anybody_can_mean_is_none(text: str) -> None:
    assert day_of(text) is None


def test_a_day_is_read_as_browsers_send_it() -> None:
    assert day_of("2000-01-01") == date(2000, 1, 1)
    assert day_of("2100-12-31") == date(2100, 12, 31)
