"""Each advisory lock has a number of its own: two with one number would wait for each other."""

import re
from collections import Counter

from jobserver import locks
from tests.unit.command import ROOT


def test_no_two_locks_share_a_number() -> None:
    found = re.search(r"^MIGRATION_LOCK = ([\d_]+)$", (ROOT / "alembic" / "env.py").read_text(), re.MULTILINE)
    assert found is not None
    numbers = [number for name, number in vars(locks).items() if name.isupper()]
    assert len(numbers) > 10
    assert [number for number, times in Counter([int(found[1]), *numbers]).items() if times > 1] == []
