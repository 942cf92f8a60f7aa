"""A browser without a screen, on the real application and database; and, where wanted, the outside world."""

from collections.abc import Iterator
from typing import Any

import pytest
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from webtest import TestApp, TestResponse

from jobserver import make_app
from jobserver.models import User, utcnow
from jobserver.settings import Settings
from jobserver.templating import environment
from simulator.testing import running_simulator
from tests import factories
from tests.conftest import make_settings
from tests.web import running
from tests.web.api import conforming


class Browser(TestApp):
    """WebTest with a way to sign in. Every answer of the JSON API must be one that its description allows."""

    def do_request(self, req: Any, status: Any = None, expect_errors: Any = None) -> TestResponse:
        """Send the request; what the description of the API does not know fails the test."""
        answer = super().do_request(req, status, expect_errors)
        path = req.environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        assert conforming.complaints(req.method, path, answer.status_int, answer.headers, answer.body) == []
        return answer

    def sign_in(self, user: User) -> "Browser":
        """Become this user from the next request on."""
        self.reset()
        for name, value in factories.session_cookie(user).items():
            self.set_cookie(name, value)
        return self

    def submit(self, url: str, fields: Any = (), **options: Any) -> TestResponse:
        """POST a form with the forgery token that the site's own pages would carry."""
        # A page with a form: the sign-in page, or the sign-out form of everybody else's pages.
        for page in ("/login/", "/404"):
            if "csrftoken" not in self.cookies:
                self.get(page, status="*")
        token = self.cookies.get("csrftoken", "").strip('"')
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        return self.post(url, [("csrfmiddlewaretoken", token), *pairs], **options)


@pytest.fixture(autouse=True)
def _the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times in a test are relative to its own beginning, however long the tests before it took."""
    monkeypatch.setattr(running, "NOW", utcnow().replace(microsecond=0))


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> BytecodeCache:
    """Templates that one of the workers has compiled need not be compiled by the others."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "templates"
    folder.mkdir(exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


@pytest.fixture(scope="session")
def app(settings: Settings, engine: Engine, bytecode: BytecodeCache) -> Any:
    """The application; no other system can be reached from it."""
    made = make_app(settings, engine=engine)
    environment(made.registry).bytecode_cache = bytecode
    return made


@pytest.fixture
def web(app: Any, db: Session) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(app)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The outside world on loopback (see simulator/testing.py)."""
    with running_simulator(tmp_path_factory.mktemp("world"), speed=20) as simulated:
        yield simulated


@pytest.fixture(scope="session")
def world_settings(world: Any, postgres: str) -> Settings:
    """Settings that point at the outside world."""
    client = world.oauth_client
    return make_settings(
        postgres,
        github_url=world.github_url,
        github_api_url=world.github_api_url,
        jobserver_github_token=world.github_token,
        opencodelists_url=world.opencodelists_url,
        rap_api_base_url=world.rap_url,
        rap_api_token=world.rap_token,
        slack_api_url=world.slack_url,
        slack_bot_token=world.slack_token,
        email_backend="smtp",
        smtp_url=world.smtp_url,
        social_auth_github_key=client.id,
        social_auth_github_secret=client.secret,
    )


@pytest.fixture(scope="session")
def world_app(world_settings: Settings, engine: Engine, bytecode: BytecodeCache) -> Any:
    """The application beside the outside world."""
    made = make_app(world_settings, engine=engine)
    environment(made.registry).bytecode_cache = bytecode
    return made


@pytest.fixture
def world_web(world: Any, world_app: Any, db: Session) -> Iterator[Browser]:
    """A browser on the application that can reach the outside world, which is put right afterwards."""
    yield Browser(world_app)
    world.control(reset=True)
