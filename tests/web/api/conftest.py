"""Fixtures of the JSON API's tests."""

import pytest
from sqlalchemy.orm import Session

from jobserver.settings import Settings
from tests import factories as f
from tests.web.api.level4 import Airlock
from tests.web.conftest import Browser
from tests.web.uploads import swept

__all__ = ["swept"]


@pytest.fixture
def airlock(web: Browser, db: Session, settings: Settings) -> Airlock:
    """The Airlock of a backend."""
    backend, secret = f.backend_with_token(slug="tpp", name="TPP")
    return Airlock(web, db, settings, backend, secret)
