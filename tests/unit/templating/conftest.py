"""A rendering environment made exactly as the application makes it."""

import pytest
from jinja2 import Environment
from pyramid.config import Configurator

from jobserver import templating


@pytest.fixture(scope="session")
def jinja() -> Environment:
    with Configurator() as config:
        config.include("jobserver.templating")
    return templating.environment(config.registry)
