"""How often a live region asks again."""

from datetime import timedelta

import pytest

from jobserver.models import utcnow
from jobserver.views.conditional import interval


@pytest.mark.parametrize(("age", "seconds"), [(0, 5), (59, 5), (60, 10), (3599, 10), (3600, 30), (10**6, 30)])
def test_what_is_young_is_asked_for_more_often(age: int, seconds: int) -> None:
    now = utcnow()
    assert interval(now - timedelta(seconds=age), now) == seconds


def test_what_does_not_move_is_not_asked_for() -> None:
    assert interval(None, utcnow()) is None
