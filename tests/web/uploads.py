"""For tests that send files or large forms."""

import gc
from collections.abc import Iterator

import pytest

# WebOb keeps uploads and large bodies in files that it leaves to the garbage collector.
leaves_files = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture
def swept() -> Iterator[None]:
    """Such files are gone before the next test. What was there before it is not looked through: that is much."""
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()
