"""What the tests of `project.yaml` share."""

import pytest

from jobserver.pipeline import Pipeline, parse
from tests.unit.pipeline.files import STUDY


@pytest.fixture
def study() -> Pipeline:
    """dataset and measures read the database; clean needs dataset; model needs clean and measures."""
    return parse(STUDY)
