"""The run form of two worlds: that of the demonstration, and one with odd studies."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.models import JobRequest
from simulator.testing import RunningSimulator
from tests.conftest import make_settings
from tests.unit.studies.world import URL, running
from tests.web.conftest import Browser
from tests.web.run_jobs.again import job, made
from tests.web.run_jobs.asking import ASTHMA, Asking, signed_in
from tests.web.uploads import swept

__all__ = ["swept"]


@pytest.fixture
def asking(world_web: Browser) -> Asking:
    made = Asking.make(ASTHMA)
    signed_in(world_web, made.user)
    return made


@pytest.fixture(scope="package")
def odd_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running(tmp_path_factory.mktemp("odd")) as world_running:
        yield world_running


@pytest.fixture(scope="package")
def odd_app(odd_world: RunningSimulator, postgres: str, engine: Engine) -> Any:
    settings = make_settings(
        postgres,
        github_url=odd_world.github_url,
        github_api_url=odd_world.github_api_url,
        jobserver_github_token="github",
        opencodelists_url=odd_world.opencodelists_url,
    )
    return make_app(settings, engine=engine)


@pytest.fixture
def odd(odd_world: RunningSimulator, odd_app: Any, db: Session) -> Iterator[Callable[..., Any]]:
    """Somebody before the form of a workspace on one of the odd branches."""

    def open_(branch: str) -> tuple[Browser, Asking]:
        asking = Asking.make(URL, branch)
        return signed_in(Browser(odd_app), asking.user), asking

    yield open_
    odd_world.control(reset=True)


@pytest.fixture
def failed(world_web: Browser, asking: Asking) -> JobRequest:
    """Of a chain of four the second failed, and with it the third; the fourth was not asked for."""
    request = made(world_web, asking, "match_controls", "table_one", "describe_population", will_notify=True)
    job(request, "generate_dataset", "succeeded")
    job(request, "generate_dataset_controls", "succeeded")
    job(request, "match_controls", "failed", "nonzero_exit")
    job(request, "table_one", "failed", "dependency_failed")
    job(request, "describe_population", "succeeded")
    return request
